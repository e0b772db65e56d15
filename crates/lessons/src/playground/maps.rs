//! What a network answers everywhere, and what each of its neurons does.

use super::{Playground, config};
use neurona::prelude::*;
use neurona::{Arg, Error, Function};
use serde::Serialize;

/// Most cells along each side.
pub const MAX_CELLS: usize = 200;

/// Answers on a grid of cells, row by row from the lowest, each at the centre of its cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Maps {
    /// The part of the plane: (from, to) of x and of y.
    pub view: [(f64, f64); 2],
    /// Cells along each side.
    pub cells: usize,
    /// The probability of each class (of class 1 alone, if there are two).
    pub decision: Vec<Vec<f32>>,
    /// For each hidden layer, the output of each neuron.
    pub layers: Vec<Vec<Vec<f32>>>,
}

/// Weights and biases of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    /// For each neuron of the layer, its weight of each input.
    pub weights: Vec<Vec<f32>>,
    /// For each neuron, its bias.
    pub biases: Vec<f32>,
}

impl Playground {
    /// Answers and neurons on a grid of `cells` × `cells`.
    ///
    /// # Errors
    /// No cells or more than [`MAX_CELLS`].
    pub fn maps(&mut self, cells: usize) -> Result<Maps, Error> {
        if !(1..=MAX_CELLS).contains(&cells) {
            return Err(config("cells", cells.to_string(), format!("use 1 to {MAX_CELLS}")));
        }
        let (view, n, width) = (self.frame.view, cells * cells, self.settings.features.len());
        let centre = |(lo, hi): (f64, f64), i: usize| lo + (hi - lo) * (i as f64 + 0.5) / cells as f64;
        let inputs: Vec<f32> = (0..n).flat_map(|i| self.frame.inputs([centre(view[0], i % cells), centre(view[1], i / cells)])).collect();
        let cx = Context::new(DType::F32, false);
        let mut x = cx.input("x", DType::F32, &[n, width]);
        let mut outputs = vec![];
        let model = self.trainer.model();
        for (layer, name) in model.layers.iter().zip(model.names()) {
            x = cx.layer(&name, || layer.forward(&cx, &x));
            outputs.push(x.clone());
        }
        if let Some(logits) = outputs.last_mut() {
            *logits = if self.classes == 2 { logits.sigmoid() } else { Activation::Softmax.apply(logits) };
        }
        let mut function = Function::compile(&cx, &outputs.iter().collect::<Vec<_>>(), 1)?;
        let params = self.trainer.state().map(|s| s.params.clone()).unwrap_or_default();
        let results = function.run(&params, &[Arg::F32(&inputs)])?;
        let mut layers: Vec<Vec<Vec<f32>>> = results.iter().map(|all| columns(all, all.len() / n)).collect();
        let decision = layers.pop().unwrap_or_default();
        Ok(Maps { view, cells, decision, layers })
    }

    /// Weights and biases of every layer.
    pub fn parameters(&self) -> Vec<Parameters> {
        let Some(state) = self.trainer.state() else { return vec![] };
        let pairs = state.params.chunks_exact(2);
        pairs.map(|p| Parameters { weights: columns(&p[0], p[1].len()), biases: p[1].clone() }).collect()
    }
}

/// The columns of a matrix of this width, given row by row.
fn columns(values: &[f32], width: usize) -> Vec<Vec<f32>> {
    (0..width).map(|c| values.iter().skip(c).step_by(width).copied().collect()).collect()
}
