//! `neurona train FILE.toml`: trains a declared network into a run folder.

use crate::config::Source;
use crate::network::saved::{Meta, State as Phase};
use crate::network::{Network, Recorder, Target, folder, percent};
use crate::number::{duration, short};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, LAST, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure, interrupt};
use neurona::data::{Dataset, Loaded, load};
use neurona::{EpochReport, FitOptions, Scores, Sequential, Trainer};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `neurona train`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The training file
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// Changes to the file's settings
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    /// Epochs
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Threads
    #[arg(long, value_name = "N")]
    pub threads: Option<u32>,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A training file, read and checked, with its data.
struct Job {
    file: PathBuf,
    net: Network,
    data: Loaded,
    target: Target,
    parameters: usize,
}

/// A finished training.
struct Outcome {
    folder: RunFolder,
    epochs: Vec<EpochReport>,
    best: usize,
    seconds: f64,
    test: Option<Scores>,
}

/// Trains, and prints the result.
///
/// # Errors
/// A wrong setting (3), wrong data (4), a training that diverged (5) or was interrupted (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let job = Job::open(&texts, args)?;
    let folder = RunFolder::create(&texts, &job.net.name(&job.file), args.out.as_deref())?;
    let outcome = job.train(&texts, folder)?;
    if shell.json { shell.print_json(&outcome.json()) } else { shell.print(&outcome.text(&texts, &job.data)) }
}

impl Job {
    fn open(texts: &Texts, args: &Args) -> Result<Job, Report> {
        let mut source = Source::open(texts, &args.file)?;
        for pair in &args.set {
            source.set_pair(texts, pair)?;
        }
        for (option, key, value) in
            [("--seed", "seed", args.seed), ("--epochs", "epochs", args.epochs), ("--threads", "threads", args.threads)]
        {
            if let Some(value) = value {
                source.set(option, key, i64::from(value));
            }
        }
        let net: Network = source.read(texts)?;
        net.check(texts, &source)?;
        let data = load(&net.data, &folder(&args.file)).map_err(|e| failure::data_of(texts, &source, &e))?;
        let target = Target::of(&data);
        let parameters = net.check_model(texts, &source, &data.preprocessing.shape, &target)?.parameters();
        Ok(Job { file: args.file.clone(), net, data, target, parameters })
    }

    /// A line about what is going to happen.
    fn headline(&self, texts: &Texts, folder: &Path) -> String {
        let meta = Meta::new(&self.net, &self.data, self.parameters);
        let values: [(&str, &dyn std::fmt::Display); 8] = [
            ("name", &self.net.name(&self.file)),
            ("parameters", &meta.parameters),
            ("train", &meta.rows.train),
            ("validation", &meta.rows.validation),
            ("test", &meta.rows.test),
            ("rate", &short(self.net.learning_rate())),
            ("seed", &self.net.seed),
            ("folder", &folder.display()),
        ];
        texts.fill("train.headline", &values)
    }

    fn train(&self, texts: &Texts, folder: RunFolder) -> Result<Outcome, Report> {
        let resolved = self.net.resolved(&self.file, &self.target);
        let config = toml::to_string(&resolved).map_err(|e| Report::new(Exit::Failed, e.to_string(), "", ""))?;
        folder.write(CONFIG, config.as_bytes())?;
        let mut recorder = Recorder::new(*texts, folder.clone(), Meta::new(&self.net, &self.data, self.parameters));
        recorder.save_meta()?;
        recorder.announce(&self.headline(texts, folder.path()));
        let (loss, metrics) = (self.net.loss(&self.target), self.net.metrics(&self.target));
        let mut trainer = Trainer::compile(self.net.model(&self.data.preprocessing.shape), loss, self.net.optimizer, &metrics);
        let (train, validation) = (self.data.train.batches(), self.data.validation.as_ref().map(Dataset::batches));
        let options = FitOptions {
            epochs: self.net.epochs,
            batch: self.net.batch,
            learning_rate: self.net.learning_rate(),
            schedule: self.net.schedule,
            validation: validation.as_ref(),
            seed: self.net.seed,
            threads: self.net.threads,
            ..FitOptions::default()
        };
        interrupt::watch();
        let start = Instant::now();
        let fitted = trainer.fit(&train, &options, &mut recorder);
        let seconds = start.elapsed().as_secs_f64();
        match fitted {
            Ok(history) if history.stopped => {
                recorder.finish(Phase::Interrupted, trainer.params(), trainer.state())?;
                return Err(interrupted(texts, &recorder, &folder));
            }
            Ok(_) => recorder.finish(Phase::Done, trainer.params(), trainer.state())?,
            Err(neurona::Error::Diverged { epoch, batch, .. }) => {
                // The trainer has gone back to the end of the last finished epoch.
                let finished = !recorder.history().is_empty();
                recorder.finish(Phase::Diverged, trainer.params(), trainer.state().filter(|_| finished))?;
                return Err(self.diverged(texts, (epoch, batch), &recorder, &folder));
            }
            Err(e) => {
                drop(recorder);
                folder.discard();
                return Err(failure::report(texts, &e));
            }
        }
        let best = recorder.best().map_or(self.net.epochs, |(epoch, _)| epoch);
        let test = self.test(texts, &mut trainer, &recorder)?;
        Ok(Outcome { folder, epochs: recorder.history().to_vec(), best, seconds, test })
    }

    /// Scores of the test rows with the best weights, those that `predict` uses.
    fn test(&self, texts: &Texts, trainer: &mut Trainer<Sequential>, recorder: &Recorder) -> Result<Option<Scores>, Report> {
        let Some(test) = &self.data.test else { return Ok(None) };
        let failed = |e| failure::report(texts, &e);
        if let (Some((_, weights)), Some(state)) = (recorder.best(), trainer.state().cloned()) {
            trainer.set_state(neurona::State { params: weights.to_vec(), ..state }).map_err(failed)?;
        }
        trainer.evaluate(&test.batches(), self.net.batch).map(Some).map_err(failed)
    }

    fn diverged(&self, texts: &Texts, (epoch, batch): (usize, usize), recorder: &Recorder, folder: &RunFolder) -> Report {
        let mut why = vec![];
        if let Some(last) = recorder.last_batch() {
            why.push(texts.fill("train.last_loss", &[("loss", &short(last.loss))]));
        }
        if let Some(last) = recorder.history().last() {
            why.push(texts.fill("train.kept", &[("epoch", &last.epoch), ("path", &folder.file(LAST).display())]));
        }
        let rate = self.net.learning_rate();
        let fix = texts.fill("train.diverged_fix", &[("rate", &short(rate)), ("lower", &short(rate / 10.0))]);
        Report::new(Exit::Diverged, texts.fill("train.diverged", &[("epoch", &epoch), ("batch", &batch)]), why.join("\n"), fix)
    }
}

fn interrupted(texts: &Texts, recorder: &Recorder, folder: &RunFolder) -> Report {
    let (epoch, batch) = recorder.last_batch().map_or((1, 0), |b| (b.epoch, b.batch));
    let what = texts.fill("train.interrupted", &[("epoch", &epoch), ("batch", &batch)]);
    let why = texts.fill("train.saved", &[("path", &folder.file(LAST).display())]);
    Report::new(Exit::Interrupted, what, why, "")
}

impl Outcome {
    /// The scores of the best epoch and of the test: name, scores.
    fn scores(&self) -> Vec<(&'static str, Scores)> {
        let best = self.epochs.iter().find(|e| e.epoch == self.best);
        let mut list: Vec<(&str, Scores)> = best.map(|e| ("train", e.train.clone())).into_iter().collect();
        list.extend(best.and_then(|e| e.validation.clone()).map(|v| ("validation", v)));
        list.extend(self.test.clone().map(|t| ("test", t)));
        list
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("run".into(), json!(self.folder.path().display().to_string()));
        object.insert("epochs".into(), json!(self.epochs.len()));
        object.insert("best_epoch".into(), json!(self.best));
        object.insert("seconds".into(), json!(self.seconds));
        for (name, scores) in self.scores() {
            let pairs = scores.metrics.iter().map(|(m, value)| (m.name().to_string(), json!(value)));
            let pairs: Map<String, Value> = [("loss".to_string(), json!(scores.loss))].into_iter().chain(pairs).collect();
            object.insert(name.into(), Value::Object(pairs));
        }
        Value::Object(object)
    }

    fn text(&self, texts: &Texts, data: &Loaded) -> String {
        let scores = self.scores();
        let metrics = scores.first().map_or(vec![], |(_, s)| s.metrics.iter().map(|(m, _)| *m).collect());
        let (rows, loss) = (texts.get("train.rows"), texts.get("train.loss"));
        let head = [("", Align::Left), (&rows[..], Align::Right), (&loss[..], Align::Right)];
        let head: Vec<_> = head.into_iter().chain(metrics.iter().map(|m| (m.name(), Align::Right))).collect();
        let mut table = Table::new(&head);
        for (name, scores) in scores {
            let (title, rows) = match name {
                "train" => (texts.get("train.training"), data.train.len()),
                "validation" => (texts.get("train.validation"), data.validation.as_ref().map_or(0, Dataset::len)),
                _ => (texts.get("train.test"), data.test.as_ref().map_or(0, Dataset::len)),
            };
            let cells = [title, rows.to_string(), short(scores.loss)];
            table.row(cells.into_iter().chain(scores.metrics.iter().map(|&(m, value)| percent(Some(m), value))));
        }
        let values: [(&str, &dyn std::fmt::Display); 4] = [
            ("best", &self.best),
            ("epochs", &self.epochs.len()),
            ("time", &duration(self.seconds)),
            ("folder", &self.folder.path().display()),
        ];
        format!("{table}\n\n{}", texts.fill("train.done", &values))
    }
}
