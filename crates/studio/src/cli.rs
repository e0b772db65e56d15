//! The command line: clap's parser, with help and errors in the user's language.

use crate::commands;
use crate::report::{Exit, Report};
use crate::text::{Lang, Texts};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// Neural networks, from the first derivative to trained applications.
#[derive(Parser, Debug)]
#[command(name = "neurona", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Results as JSON with English keys
    #[arg(long, global = true)]
    json: bool,
    /// Language of messages
    #[arg(long, global = true, value_name = "en|es", value_parser = ["en", "es"], hide_possible_values = true)]
    lang: Option<String>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Activation functions and their slopes
    Activations(commands::activations::Args),
    /// Backpropagation on a formula, row by row
    Backprop(commands::backprop::Args),
    /// Time of a training step of the reference workloads
    Bench(commands::bench::Args),
    /// How much can be hidden in a picture
    Capacity(commands::steganography::capacity::Args),
    /// A script that completes commands in a shell
    Completions(commands::completions::Args),
    /// Training files
    Config(commands::config::Args),
    /// Connect Four: perfect play and tables to learn from
    Connect4(commands::connect4::Args),
    /// Gradient descent on a formula, step by step
    Descend(commands::descend::Args),
    /// Files of drawings
    Data(commands::data::Args),
    /// The tour: a formula, a first network, a differential equation
    Demo(commands::demo::Args),
    /// How visible a message in a picture is
    Detect(commands::steganography::detect::Args),
    /// Checks this installation
    Doctor(commands::doctor::Args),
    /// What drawings show
    Doodle(commands::doodle::Args),
    /// A trained network as ONNX
    Export(commands::export::Args),
    /// How good a trained network is
    Eval(Eval),
    /// Hides a message in a picture
    Hide(commands::steganography::hide::Args),
    /// Weights of a PyTorch module as a run
    Import(commands::import::Args),
    /// Which learning rate to begin with
    LrFind(commands::lr_find::Args),
    /// Lines under different losses, and the cross-entropy
    Losses(commands::losses::Args),
    /// One neuron and how its answer moves
    Neuron(commands::neuron::Args),
    /// Plays a game
    Play(Play),
    /// A small network on points of the plane
    Playground(commands::playground::Args),
    /// Draws the pictures of a run
    Plot(commands::plot::Args),
    /// What a trained network says of new rows
    Predict(commands::predict::Args),
    /// Goes on with an interrupted training
    Resume(commands::resume::Args),
    /// The message of a picture
    Reveal(commands::steganography::reveal::Args),
    /// Lists, shows, compares and removes runs
    Runs(commands::runs::Args),
    /// A differential equation given by its formulas
    Solve(commands::solve::Args),
    /// The studio in a browser
    Serve(commands::serve::Args),
    /// The lessons as pages
    Site(commands::site::Args),
    /// The layers of a network
    Summary(commands::summary::Args),
    /// Trains a network
    Train(Train),
}

/// An application, or a network of one's own.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, arg_required_else_help = true)]
pub struct Train {
    #[command(subcommand)]
    pub(crate) application: Option<Application>,
    #[command(flatten)]
    pub(crate) network: Option<commands::train::Args>,
}

/// A game.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Play {
    #[command(subcommand)]
    pub(crate) game: Playable,
}

/// The games.
#[derive(Subcommand, Debug)]
pub enum Playable {
    /// Connect Four
    Connect4(commands::connect4::play::Args),
}

/// An application's network, or a run.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, arg_required_else_help = true)]
pub struct Eval {
    #[command(subcommand)]
    pub(crate) application: Option<Evaluated>,
    #[command(flatten)]
    pub(crate) network: Option<commands::eval::Args>,
}

/// The applications whose networks are judged in their own way.
#[derive(Subcommand, Debug)]
pub enum Evaluated {
    /// Connect Four
    Connect4(commands::connect4::eval::Args),
    /// Drawings
    Doodle(commands::doodle::eval::Args),
    /// Messages hidden in pictures
    Steganography(commands::steganography::eval::Args),
}

/// The applications.
#[derive(Subcommand, Debug)]
pub enum Application {
    /// Connect Four
    Connect4(commands::connect4::train::Args),
    /// Drawings
    Doodle(commands::doodle::train::Args),
    /// A differential equation
    Pinn(commands::pinn::Args),
    /// Messages hidden in pictures
    Steganography(commands::steganography::train::Args),
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Parsed {
    /// To run a command.
    Command(Box<Command>),
    /// To show this text.
    Help {
        /// The help or the version.
        text: String,
        /// Whether it was asked for, or is shown because no command was given.
        asked: bool,
    },
}

/// The language of messages: `--lang`, else the first set one of `LC_ALL`, `LC_MESSAGES` and `LANG`, else English.
pub fn language(args: &[OsString], env: impl Fn(&str) -> Option<String>) -> Lang {
    let words: Vec<&str> = args.iter().map(|a| a.to_str().unwrap_or("")).take_while(|a| *a != "--").collect();
    let flag = words.iter().enumerate().find_map(|(i, w)| match w.strip_prefix("--lang") {
        Some("") => words.get(i + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    let locale = || ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| env(name).filter(|v| !v.is_empty()));
    flag.and_then(Lang::of).or_else(|| locale().and_then(|l| Lang::of(&l))).unwrap_or(Lang::En)
}

/// Reads a command line.
///
/// # Errors
/// What is wrong with it, with exit code 2.
pub fn parse(args: &[OsString], texts: &Texts) -> Result<Parsed, Report> {
    let matches = command(texts).try_get_matches_from(args);
    match matches.and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => Ok(Parsed::Command(Box::new(cli.command))),
        Err(e) => match e.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Parsed::Help { text: e.to_string(), asked: true }),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Parsed::Help { text: e.to_string(), asked: false }),
            _ => Err(report(&e, texts)),
        },
    }
}

/// The parser, with its help in the user's language: `help.NAME` is a command's line, `help.NAME.ARG` an argument's,
/// `help.NAME.after` (if there is one) what follows.
pub fn command(texts: &Texts) -> clap::Command {
    let flag = |name: &'static str, short, action| Arg::new(name).short(short).long(name).action(action).display_order(100);
    let root = Cli::command().disable_version_flag(true);
    let root = root.arg(flag("version", 'V', ArgAction::Version));
    localised(root, "help", texts)
}

fn localised(command: clap::Command, key: &str, texts: &Texts) -> clap::Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).display_order(101);
    let after = format!("{key}.after");
    let command = command.disable_help_flag(true).arg(help).about(texts.get(key)).long_about(None);
    let command = command.after_help(if texts.has(&after) { texts.get(&after) } else { String::new() });
    let template = format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}", texts.get("help_usage"));
    let command = command.help_template(template).subcommand_help_heading(texts.fixed("help_commands"));
    let command = command.disable_help_subcommand(true).mut_subcommands(|c| {
        let key = format!("{key}.{}", c.get_name());
        localised(c, &key, texts)
    });
    command.mut_args(|a| {
        let name = a.get_id().as_str().to_string();
        let common = ["help", "version", "json", "lang"].contains(&name.as_str());
        let text = texts.get(&if common { format!("help.{name}") } else { format!("{key}.{name}") });
        let heading = texts.fixed(if a.is_positional() { "help_arguments" } else { "help_options" });
        a.help(text).long_help(None).help_heading(heading)
    })
}

/// Clap's error in our words.
fn report(e: &clap::Error, texts: &Texts) -> Report {
    let get = |kind| match e.get(kind) {
        Some(ContextValue::String(s)) => s.clone(),
        Some(ContextValue::Strings(list)) => list.join(", "),
        _ => String::new(),
    };
    let (arg, value) = (get(ContextKind::InvalidArg), get(ContextKind::InvalidValue));
    let (what, suggestion) = match e.kind() {
        ErrorKind::InvalidSubcommand => {
            (texts.fill("usage.no_command", &[("name", &get(ContextKind::InvalidSubcommand))]), get(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::UnknownArgument => (texts.fill("usage.unexpected", &[("arg", &arg)]), get(ContextKind::SuggestedArg)),
        ErrorKind::MissingRequiredArgument => (texts.fill("usage.missing", &[("args", &arg)]), String::new()),
        ErrorKind::InvalidValue if value.is_empty() => (texts.fill("usage.needs_value", &[("arg", &arg)]), String::new()),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            (texts.fill("usage.bad_value", &[("value", &value), ("arg", &arg)]), get(ContextKind::SuggestedValue))
        }
        ErrorKind::ArgumentConflict => (texts.fill("usage.twice", &[("arg", &arg)]), String::new()),
        _ => (e.to_string().trim_start_matches("error: ").lines().next().unwrap_or("").to_string(), String::new()),
    };
    let valid = get(ContextKind::ValidValue);
    let why = if valid.is_empty() { String::new() } else { texts.fill("usage.valid", &[("values", &valid)]) };
    let fix = if suggestion.is_empty() { texts.get("usage.see_help") } else { texts.fill("did_you_mean", &[("word", &suggestion)]) };
    Report::new(Exit::Usage, what, why, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a command's help, of its own arguments and of the commands below it.
    fn keys(command: &clap::Command, key: &str, common: &[&str], all: &mut Vec<String>) {
        all.push(key.into());
        let args = command.get_arguments().map(|a| a.get_id().as_str()).filter(|a| !common.contains(a));
        all.extend(args.map(|a| format!("{key}.{a}")));
        command.get_subcommands().for_each(|c| keys(c, &format!("{key}.{}", c.get_name()), common, all));
    }

    #[test]
    fn the_parser_is_consistent_and_every_argument_has_help() {
        for lang in Lang::ALL {
            let texts = Texts::new(lang);
            let root = command(&texts);
            root.clone().debug_assert();
            let common = ["help", "version", "json", "lang"];
            let mut used: Vec<String> = common.iter().map(|c| format!("help.{c}")).collect();
            keys(&root, "help", &common, &mut used);
            for key in &used {
                assert!(texts.has(key), "no message {key}");
            }
        }
    }

    #[test]
    fn the_language_comes_from_the_flag_then_from_the_locale() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        let env = |pairs: &'static [(&str, &str)]| move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string());
        let spanish = env(&[("LC_ALL", ""), ("LANG", "es_ES.UTF-8")]);
        assert_eq!(language(&args(&["neurona"]), spanish), Lang::Es);
        assert_eq!(language(&args(&["neurona", "--lang", "en"]), spanish), Lang::En);
        assert_eq!(language(&args(&["neurona", "--lang=es"]), env(&[])), Lang::Es);
        assert_eq!(language(&args(&["neurona", "--", "--lang=es"]), env(&[])), Lang::En);
        assert_eq!(language(&args(&["neurona"]), env(&[("LC_ALL", "C"), ("LANG", "es")])), Lang::En);
    }
}
