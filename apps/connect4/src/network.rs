//! A network that plays: what it thinks of each column.

use crate::board::{COLUMNS, Position};
use crate::lesson::{PRESETS, Preset};
use crate::planes::Planes;
use neurona::layers::Layer;
use neurona::{Error, Loss, Optimizer, Result, Rows, Sequential, Trainer};
use serde::Deserialize;
use std::path::Path;

/// The network's opinion of a position.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Opinion {
    /// How good each column is, `None` where it is full. Only their order means something.
    pub columns: [Option<f32>; COLUMNS],
    /// What the side to move may hope for, from 0 (loses) to 1 (wins). A network of the preset `deck` does not know it: 1/2.
    pub value: f32,
}

impl Opinion {
    /// The best column; none when the game is over.
    pub fn best(&self) -> Option<usize> {
        let known = (0..COLUMNS).filter_map(|c| Some((c, self.columns[c]?)));
        known.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(c, _)| c)
    }
}

/// A trained network.
pub struct Network {
    trainer: Trainer<Sequential>,
    planes: Planes,
    outputs: usize,
}

/// Positions at once: a program is compiled for each number of rows, so that there are only two.
const BATCH: usize = 64;
/// How much the expected result weighs in a column's worth, beside the probability that it is the best.
const RESULT: f32 = 1.0;

impl Network {
    /// A network for positions, with its weights: it takes one of the layouts of [`Planes`] and gives 7 or 14 numbers (the
    /// columns, and the results after them).
    ///
    /// # Errors
    /// Other inputs or outputs.
    pub fn new(trainer: Trainer<Sequential>, outputs: usize) -> Result<Network> {
        let input = &trainer.model().input;
        let planes = Planes::ALL.into_iter().find(|p| input[..] == p.shape());
        let wrong = |why: String| config("network", why, "use a run of `neurona train connect4`");
        let planes = planes.ok_or_else(|| wrong(format!("its inputs are {input:?}, which is no layout of a position")))?;
        if ![COLUMNS, 2 * COLUMNS].contains(&outputs) {
            return Err(wrong(format!("it has {outputs} outputs where 7 or 14 are needed")));
        }
        Ok(Network { trainer, planes, outputs })
    }

    /// The network that comes with this crate: `neurona train connect4 --preset best`.
    ///
    /// # Errors
    /// None, if the files of this crate fit each other.
    pub fn built_in() -> Result<Network> {
        let wrong = |why: String| config("built-in network", why, "reinstall the program");
        let preset = Preset::of("best").unwrap_or(PRESETS[1]);
        let model = model(&preset).map_err(|e| wrong(e.to_string()))?;
        let mut trainer = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]);
        trainer.parse_weights(Path::new("player.safetensors"), include_bytes!("../data/player.safetensors"))?;
        Network::new(trainer, 2 * COLUMNS)
    }

    /// What it thinks of positions: the mean of what it thinks of each and of its mirror image, so that both are judged alike.
    ///
    /// # Errors
    /// Those of the compiled program.
    pub fn opinions(&mut self, positions: &[Position]) -> Result<Vec<Opinion>> {
        let mut bytes = vec![];
        positions.iter().flat_map(|p| [*p, p.mirror()]).for_each(|p| self.planes.push(&p, &mut bytes));
        let row = self.planes.shape().iter().product::<usize>();
        let full = if positions.len() == 1 { 2 } else { (2 * positions.len()).next_multiple_of(BATCH) };
        bytes.resize(full * row, 0);
        let x: Vec<f32> = bytes.into_iter().map(f32::from).collect();
        let y = self.trainer.predict(&[Rows::f32(&x, &self.planes.shape())], BATCH.min(full))?;
        Ok(positions.iter().zip(y.data.chunks_exact(2 * self.outputs)).map(|(p, y)| opinion(p, y.split_at(self.outputs))).collect())
    }
}

/// The opinion of a position from the outputs for it and for its mirror image.
fn opinion(p: &Position, (straight, mirrored): (&[f32], &[f32])) -> Opinion {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let (mut columns, mut value) = ([None; COLUMNS], 0.0f32);
    for c in p.moves() {
        let both = |first: usize, f: &dyn Fn(f32) -> f32| (f(straight[first + c]) + f(mirrored[first + COLUMNS - 1 - c])) / 2.0;
        if straight.len() == COLUMNS {
            (columns[c], value) = (Some(both(0, &|x| x)), 0.5);
        } else {
            let result = both(COLUMNS, &sigmoid);
            (columns[c], value) = (Some(both(0, &sigmoid) + RESULT * result), value.max(result));
        }
    }
    Opinion { columns, value }
}

fn config(what: &str, why: String, fix: &str) -> Error {
    Error::Config { what: what.into(), why, fix: fix.into() }
}

/// The network of a preset, without weights.
fn model(preset: &Preset) -> std::result::Result<Sequential, toml::de::Error> {
    #[derive(Deserialize)]
    struct File {
        layers: Vec<Layer>,
    }
    let file: File = toml::from_str(preset.file)?;
    Ok(Sequential { input: preset.planes.shape().to_vec(), layers: file.layers })
}
