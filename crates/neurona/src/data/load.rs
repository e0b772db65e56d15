//! Reading what a `[data]` table names: training, validation and test rows, ready for a network.

mod arrays;
mod images;
mod split;
mod table;

use std::path::Path;

use super::csv::Encoding;
use super::{Array, DataConfig, Dataset, Preprocessing, Result, Source, Targets};

/// A data set, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The rows for training.
    pub train: Dataset,
    /// The part kept back to watch the training.
    pub validation: Option<Dataset>,
    /// The part kept back to judge the trained network.
    pub test: Option<Dataset>,
    /// How the inputs came about, for new rows.
    pub preprocessing: Preprocessing,
}

/// Raw rows, which preprocessing has yet to see.
struct Parts {
    train: Dataset,
    validation: Option<Dataset>,
    test: Option<Dataset>,
    encoding: Option<Encoding>,
    /// The file or folder, for messages.
    place: String,
}

/// Reads the data; relative paths start at `base`, the folder of the training file.
///
/// All choice of rows is a pure function of the file, `seed` and the fractions; encodings, mean and
/// standard deviation are learnt from the training rows only. See [the module](super) for an example.
pub fn load(config: &DataConfig, base: &Path) -> Result<Loaded> {
    config.check()?;
    let parts = if matches!(config.source, Source::Csv { .. }) { table::read(config, base)? } else { arrays::read(config, base)? };
    finish(config, parts)
}

/// Learns the preprocessing from the training rows and applies it to all.
fn finish(config: &DataConfig, parts: Parts) -> Result<Loaded> {
    let Parts { train, validation, test, encoding, place } = parts;
    let shape = config.shape.clone().unwrap_or_else(|| train.x.row_shape().to_vec());
    let classes = match &train.targets {
        Targets::Classes { names, .. } => names.clone(),
        Targets::Values(_) => vec![],
    };
    // Before the statistics, which count by the values of the shape.
    let train = Dataset { x: train.x.with_row_shape(&shape, &place)?, ..train };
    let mut preprocessing = Preprocessing { encoding, shape, scale: config.scale as f32, mean: vec![], std: vec![], classes };
    if config.standardize {
        preprocessing.standardize(&train.x)?;
    }
    let apply = |set: Dataset| Ok(Dataset { x: preprocessing.apply_to(set.x, &place)?, targets: set.targets });
    Ok(Loaded { train: apply(train)?, validation: validation.map(apply).transpose()?, test: test.map(apply).transpose()?, preprocessing })
}

/// Joins arrays whose rows are of the same shape.
fn concat(mut parts: Vec<Array>) -> Array {
    let mut all = if parts.is_empty() { Array { shape: vec![0], data: vec![] } } else { parts.remove(0) };
    for part in parts {
        all.shape[0] += part.rows();
        all.data.extend(part.data);
    }
    all
}

#[cfg(test)]
mod tests;
