//! φ(t, x) of a trained network.

use crate::{Error, Result, Settings};
use neurona::{Arg, Context, DType, Function, Param};

/// The network as a compiled function of points, evaluated in blocks of a fixed number of rows.
pub struct Predictor {
    function: Function,
    params: Vec<Param>,
    rows: usize,
}

impl Predictor {
    /// Compiles the network of `settings` for blocks of `rows` points.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(settings: &Settings, rows: usize) -> Result<Predictor> {
        let rows = rows.max(1);
        let cx = Context::new(DType::F32, false);
        let points = cx.input("points", DType::F32, &[rows, 2]);
        let phi = settings.network.apply(&cx, &settings.problem, &points);
        let function = Function::compile(&cx, &[&phi], settings.threads)?;
        Ok(Predictor { function, params: cx.params().into_iter().map(|(p, _)| p).collect(), rows })
    }

    /// The parameters, in the order in which [`Predictor::run`] takes their values.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// φ at each point (t, x).
    ///
    /// # Errors
    /// Weights of another network.
    pub fn run(&mut self, params: &[Vec<f32>], points: &[[f64; 2]]) -> Result<Vec<f64>> {
        check(&self.params, params)?;
        let mut out = Vec::with_capacity(points.len());
        for block in points.chunks(self.rows) {
            let mut flat: Vec<f32> = block.iter().flatten().map(|&v| v as f32).collect();
            flat.resize(self.rows * 2, 0.0);
            let values = self.function.run(params, &[Arg::F32(&flat)])?;
            out.extend(values.iter().flatten().take(block.len()).map(|&v| f64::from(v)));
        }
        Ok(out)
    }
}

/// Whether `values` can be those of `params`.
pub(crate) fn check(params: &[Param], values: &[Vec<f32>]) -> Result<()> {
    if params.len() != values.len() {
        let (expected, got) = (format!("{} arrays", params.len()), format!("{}", values.len()));
        return Err(Error::Weights { what: "weights".into(), expected, got });
    }
    match params.iter().zip(values).find(|(p, v)| p.len() != v.len()) {
        Some((p, v)) => {
            let (expected, got) = (format!("{:?}, {} numbers", p.shape, p.len()), format!("{}", v.len()));
            Err(Error::Weights { what: p.name.clone(), expected, got })
        }
        None => Ok(()),
    }
}
