//! Gradients and five Adam steps of all workloads against PyTorch's in float64: `reference/README.md`
//! says how its numbers are made and compared.

use bench::workloads::{Array, Spec};
use bench::{Workload, workloads::Trace};
use neurona::{Function, Init, Param, diff};
use serde_json::Value;

const STEPS_JSON: &str = include_str!("../reference/steps.json");

/// Streams of the first data array and of the first parameter's direction.
const DATA: u64 = 1000;
const DIRECTION: u64 = 2000;

/// What losses and gradients may differ by: the loss itself, the gradient's norm.
const TOLERANCE: f64 = 1e-4;

/// What parameters may differ by after the steps, relative to their norms. PyTorch's own float32 strays
/// 9e-7 from its float64, but 1.8e-4 in `stego_conv`: Adam divides by √v, and the encoder's gradients there
/// are as small as their rounding.
fn of_norm(workload: &str) -> f64 {
    if workload == "stego_conv" { 1e-3 } else { 1e-4 }
}

/// The same, relative to the furthest that five steps can go; this is what would notice a mistake in Adam.
/// PyTorch's float32 strays 5.5e-6, but 2.1e-3 in `stego_conv`.
fn of_reach(workload: &str) -> f64 {
    if workload == "stego_conv" { 2e-2 } else { 5e-5 }
}

/// The `i`-th number of a stream: a multiple of 2⁻²⁴ in [0, 1).
fn u(stream: u64, i: usize) -> f32 {
    let z = stream.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add((i as u64 + 1).wrapping_mul(0xD134_2543_DE82_EF95));
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ z >> 31) >> 40) as f32 / (1u32 << 24) as f32
}

/// First values of the `k`-th parameter.
fn initial(k: usize, p: &Param) -> Vec<f32> {
    let fan_in: usize = p.shape[..p.shape.len() - 1].iter().product();
    let value = |i: usize| {
        let u = f64::from(u(k as u64, i));
        match p.init {
            Init::LecunUniform => (2.0 * u - 1.0) / (fan_in as f64).sqrt(),
            Init::Uniform { min, max } => min + (max - min) * u,
            other => panic!("{}: the formula has no {other:?}", p.name),
        }
    };
    (0..p.len()).map(|i| value(i) as f32).collect()
}

fn data(trace: &Trace) -> Vec<Array> {
    trace.data(|array, i| u(DATA + array as u64, i))
}

/// Where two results differ by more than they may.
struct Report {
    workload: &'static str,
    wrong: Vec<String>,
}

impl Report {
    fn check(&mut self, what: &str, got: f64, wanted: f64, relative_to: f64, tolerance: f64) {
        let off = (got - wanted).abs() / relative_to;
        if off.is_nan() || off > tolerance {
            self.wrong.push(format!("{what}: got {got:e}, PyTorch has {wanted:e}; {off:.1e} apart, {tolerance:.0e} allowed"));
        }
        println!("{} {what}: {off:.1e} of {tolerance:.0e}", self.workload); // shown by --nocapture
    }

    /// Norm of the `k`-th parameter (or gradient) and product with its direction, both by `relative_to`.
    fn digest(&mut self, what: &str, k: usize, v: &[f32], wanted: &Value, relative_to: f64, tolerance: f64) {
        let norm = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let direction = |i: usize| 2.0 * f64::from(u(DIRECTION + k as u64, i)) - 1.0;
        let dot: f64 = v.iter().enumerate().map(|(i, &x)| f64::from(x) * direction(i)).sum();
        self.check(&format!("{what} norm"), norm, number(&wanted["norm"]), relative_to, tolerance);
        self.check(&format!("{what} dot"), dot, number(&wanted["dot"]), relative_to, tolerance);
    }
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

fn compare(name: &str) {
    let file: Value = serde_json::from_str(STEPS_JSON).unwrap();
    let wanted = &file["workloads"][name];
    let spec = Spec::find(name).unwrap();
    let batch = &wanted["batch"];
    assert_eq!(spec.reference.rows as u64, batch.as_u64().unwrap_or_else(|| batch[0].as_u64().unwrap()), "rows of the batch");
    let mut report = Report { workload: spec.name, wrong: vec![] };
    gradients(&spec, wanted, &mut report);
    steps(&spec, wanted, &mut report);
    assert!(report.wrong.is_empty(), "{name}:\n{}", report.wrong.join("\n"));
}

/// Loss and gradients at the first values.
fn gradients(spec: &Spec, wanted: &Value, report: &mut Report) {
    let trace = spec.trace(spec.reference, false);
    let (params, tensors): (Vec<_>, Vec<_>) = trace.cx.params().into_iter().unzip();
    let name = |v: &Value| v["name"].as_str().unwrap().replace('.', "/");
    let shape = |v: &Value| v["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect::<Vec<_>>();
    let listed: Vec<_> = wanted["parameters"].as_array().unwrap().iter().map(|v| (name(v), shape(v))).collect();
    assert_eq!(params.iter().map(|p| (p.name.clone(), p.shape.clone())).collect::<Vec<_>>(), listed);

    let mut outputs = diff::grad(&trace.output, &tensors.iter().collect::<Vec<_>>());
    outputs.push(trace.output.clone());
    let mut function = Function::compile(&trace.cx, &outputs.iter().collect::<Vec<_>>(), 2).unwrap();
    let values: Vec<Vec<f32>> = params.iter().enumerate().map(|(k, p)| initial(k, p)).collect();
    let data = data(&trace);
    let mut results = function.run(&values, &data.iter().map(Array::arg).collect::<Vec<_>>()).unwrap();
    let (loss, first) = (results.pop().unwrap()[0], number(&wanted["losses"][0]));
    report.check("loss beside the gradients", f64::from(loss), first, first, TOLERANCE);
    for (k, (p, g)) in params.iter().zip(&results).enumerate() {
        let wanted = &wanted["parameters"][k]["gradient"];
        report.digest(&format!("gradient of {}", p.name), k, g, wanted, number(&wanted["norm"]), TOLERANCE);
    }
}

/// Losses and parameters of five steps of Adam.
fn steps(spec: &Spec, wanted: &Value, report: &mut Report) {
    let mut workload = Workload::compile(spec, spec.reference, false, 2).unwrap();
    workload.data = data(&spec.trace(spec.reference, false));
    let params = workload.step.params().to_vec();
    workload.state.params = params.iter().enumerate().map(|(k, p)| initial(k, p)).collect();
    let losses = wanted["losses"].as_array().unwrap();
    for (k, loss) in losses.iter().map(number).enumerate() {
        report.check(&format!("loss of step {}", k + 1), f64::from(workload.run().unwrap()), loss, loss, TOLERANCE);
    }
    for (k, (p, w)) in params.iter().zip(&workload.state.params).enumerate() {
        let wanted = &wanted["parameters"][k]["after"];
        let reach = losses.len() as f64 * bench::LEARNING_RATE * (p.len() as f64).sqrt();
        report.digest(&format!("{} after the steps, of its norm,", p.name), k, w, wanted, number(&wanted["norm"]), of_norm(spec.name));
        report.digest(&format!("{} after the steps, of their reach,", p.name), k, w, wanted, reach, of_reach(spec.name));
    }
}

#[test]
fn the_formula_gives_the_same_numbers_here() {
    let file: Value = serde_json::from_str(STEPS_JSON).unwrap();
    for (stream, i) in [0, DATA].into_iter().flat_map(|s| (0..4).map(move |i| (s, i))) {
        assert_eq!(f64::from(u(stream, i)), number(&file["generator_check"][format!("u({stream},{i})")]));
    }
    let adam = ["lr", "beta1", "beta2", "eps"].map(|k| number(&file["adam"][k]));
    assert_eq!(adam, [bench::LEARNING_RATE, 0.9, 0.999, 1e-8]);
}

macro_rules! workloads {
    ($($name:ident),*) => {
        $(#[test] fn $name() { compare(stringify!($name)) })*

        #[test]
        fn no_workload_is_left_out() {
            assert_eq!(bench::NAMES, [$(stringify!($name)),*]);
        }
    };
}
workloads!(tiny, mlp, pinn, pinn_wide, connect4, doodle, stego, stego_conv);
