//! `neurona neuron --inputs 1,2 --weights 0.5,-1 --bias 0.1`: one neuron, its answer, and how the answer moves.

use super::{activations, formula};
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, run};
use lessons::activations::{About, Neuron, at, neuron};
use plot::{Axis, Heat, Lines};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona neuron`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The inputs
    #[arg(long, value_name = "X,…", value_delimiter = ',', required = true, allow_hyphen_values = true)]
    inputs: Vec<f64>,
    /// The weights
    #[arg(long, value_name = "W,…", value_delimiter = ',', required = true, allow_hyphen_values = true)]
    weights: Vec<f64>,
    /// The bias
    #[arg(long, value_name = "B", default_value_t = 0.0, hide_default_value = true, allow_hyphen_values = true)]
    bias: f64,
    /// The activation
    #[arg(long, value_name = "NAME", default_value = "sigmoid", hide_default_value = true)]
    activation: String,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// Prints what the neuron does.
///
/// # Errors
/// Inputs and weights that do not go together, numbers that are none, an unknown activation, a picture of more than two inputs
/// (2); a picture that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let about = activations::find(&texts, &args.activation, "--activation")?;
    for (arg, values) in [("--inputs", &args.inputs[..]), ("--weights", &args.weights), ("--bias", &[args.bias])] {
        if let Some(x) = values.iter().find(|x| !x.is_finite()) {
            let what = texts.fill("usage.bad_value", &[("value", x), ("arg", &arg)]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("activations.at")));
        }
    }
    let n = neuron(about.activation, &args.inputs, &args.weights, args.bias).map_err(|e| formula::failed(&texts, &e))?;
    if let Some(path) = &args.svg {
        let picture = picture(&texts, args, about)?;
        run::write_whole(path, picture.as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    if shell.json {
        return shell.print_json(&json!({ "activation": about, "neuron": n }));
    }
    shell.print(&text(&texts, args, about, &n))
}

fn text(texts: &Texts, args: &Args, about: About, n: &Neuron) -> String {
    let heads = ["neuron.input", "neuron.weight", "neuron.product", "neuron.by_weight", "neuron.by_input"].map(|k| texts.get(k));
    let mut table = Table::new(&heads.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for i in 0..n.products.len() {
        table.row([args.inputs[i], args.weights[i], n.products[i], n.by_weights[i], n.by_inputs[i]].map(short));
    }
    let sum =
        format!("z = {} + {} = {}", n.products.iter().map(|p| short(*p)).collect::<Vec<_>>().join(" + "), short(args.bias), short(n.sum));
    let answer = format!("a = {}(z) = {}    da/dz = da/db = {}", about.name, short(n.output), short(n.slope));
    let warning = if n.saturated { format!("\n{}", texts.get("neuron.saturated")) } else { String::new() };
    format!("{table}\n\n{sum}\n{answer}{warning}")
}

/// Cells along each side of the map.
const CELLS: usize = 60;

/// The answer over the inputs: a curve for one, a map for two.
fn picture(texts: &Texts, args: &Args, about: About) -> Result<String, Report> {
    let fail = |e| formula::failed(texts, &e);
    let reach = args.inputs.iter().fold(3.0, |r: f64, x| r.max(1.5 * x.abs()));
    let title = texts.fill("neuron.title", &[("activation", &about.name)]);
    match args.weights[..] {
        [w] => {
            let x: Vec<f64> = (0..=400).map(|i| reach * (f64::from(i) / 200.0 - 1.0)).collect();
            let points = at(about.activation, &x.iter().map(|x| w * x + args.bias).collect::<Vec<_>>()).map_err(fail)?;
            let here = at(about.activation, &[w * args.inputs[0] + args.bias]).map_err(fail)?[0];
            let lines = Lines::new(&title, Axis::linear("x"), Axis::linear("a"));
            let lines = lines.series("a", x.iter().zip(&points).map(|(x, p)| (*x, p.value)));
            let lines = lines.series("da/dx", x.iter().zip(&points).map(|(x, p)| (*x, w * p.slope)));
            Ok(lines.marks(&texts.get("neuron.here"), [(args.inputs[0], here.value)]).svg())
        }
        [w1, w2] => {
            let centre = |i: usize| reach * ((2 * i + 1) as f64 / CELLS as f64 - 1.0);
            let z: Vec<f64> = (0..CELLS * CELLS).map(|k| w1 * centre(k % CELLS) + w2 * centre(k / CELLS) + args.bias).collect();
            let values = at(about.activation, &z).map_err(fail)?.iter().map(|p| p.value).collect();
            let axis = |label| Axis::linear(label).range(-reach, reach);
            Ok(Heat::new(&title, axis("x1"), axis("x2"), CELLS, values).svg())
        }
        _ => {
            let what = texts.fill("usage.bad_value", &[("value", &texts.get("neuron.many")), ("arg", &"--svg")]);
            Err(Report::new(Exit::Usage, what, "", texts.get("neuron.many.fix")))
        }
    }
}
