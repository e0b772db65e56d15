//! The `[data]` table of a training file.

mod flat;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::csv::{Column, Format, Unknown};
use super::{DataError, Result, STREAM_BYTES};
use flat::Flat;

/// Whether classes or numbers are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

/// Where the rows come from (`kind` and its keys). Relative paths start at the folder of the training file.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `kind = "npy-classes"`: a folder with a file CLASS.npy for each class.
    NpyClasses {
        /// The folder.
        folder: PathBuf,
        /// The classes, in the order of their labels.
        classes: Vec<String>,
        /// Rows of each class for training, the first of its file; if not given, all but the test rows.
        train_rows: Option<usize>,
        /// Rows of each class for the test, which follow those for training.
        test_rows: usize,
    },
    /// `kind = "npy"`: inputs and targets in a file each.
    Npy {
        /// Inputs.
        x: PathBuf,
        /// Labels or numbers to predict.
        y: PathBuf,
        /// Inputs and targets for validation, if they are not a random part of the others.
        validation: Option<(PathBuf, PathBuf)>,
        /// Inputs and targets of the test.
        test: Option<(PathBuf, PathBuf)>,
        /// Names of the classes; if there are none, numbers.
        classes: Option<Vec<String>>,
    },
    /// `kind = "csv"`: a table of text.
    Csv {
        /// The file.
        file: PathBuf,
        /// A file of the same columns for the test.
        test_file: Option<PathBuf>,
        /// What to predict: one column, or several of numbers.
        target: Vec<Column>,
        /// Header and delimiter.
        format: Format,
        /// Columns to leave out.
        ignore: Vec<Column>,
        /// Columns of categories that look like numbers.
        categorical: Vec<Column>,
        /// What becomes of categories that do not occur in the training rows.
        unknown: Unknown,
    },
    /// `kind = "idx"`: the format of MNIST.
    Idx {
        /// Images.
        images: PathBuf,
        /// Their labels.
        labels: PathBuf,
        /// Images and labels of the test.
        test: Option<(PathBuf, PathBuf)>,
        /// Names of the classes; if there are none, numbers.
        classes: Option<Vec<String>>,
    },
    /// `kind = "image-classes"`: a folder with a folder of PNG and JPEG files for each class.
    ///
    /// Labels follow the sorted names of these folders. Hidden files are let be, and so are files beside them.
    /// Images are resized (bilinear) to `shape = [height, width, channels]`; values are from 0 to 255.
    ImageClasses {
        /// The folder.
        folder: PathBuf,
        /// A folder of the same classes for the test.
        test_folder: Option<PathBuf>,
    },
}

/// The `[data]` table of a training file.
///
/// | key | of kind | meaning (default) |
/// |---|---|---|
/// | `kind` | | `"npy-classes"`, `"npy"`, `"csv"`, `"idx"` or `"image-classes"` |
/// | `folder`, `classes` | npy-classes | folder with a file CLASS.npy for each of the classes |
/// | `folder`, `test_folder` | image-classes | folder with a folder of PNG or JPEG files for each class; for the test (none) |
/// | `train_rows`, `test_rows` | npy-classes | rows of each class: the first train (all but the test's), the next test (0) |
/// | `x`, `y`, `test_x`, `test_y` | npy | files of inputs and of labels or numbers; of the test (none) |
/// | `validation_x`, `validation_y` | npy | files of inputs and targets for validation (a part of the others: `validation`) |
/// | `images`, `labels`, `test_images`, `test_labels` | idx | files of images and labels; of the test (none) |
/// | `classes` | npy, idx | names of the labels 0, 1, … (their numbers) |
/// | `file`, `test_file` | csv | table for training; for the test (none) |
/// | `target` | csv | column to predict, or a list: name, number from 0, or from the end (−1 is the last) |
/// | `header`, `delimiter` | csv | whether the first line holds names (true); between fields (`","`) |
/// | `ignore`, `categorical` | csv | columns to leave out; columns of categories that look like numbers (none) |
/// | `unknown_category` | csv | category that training never saw: `"error"`, or `"zeros"` (error) |
/// | `task` | all | `"classification"` or `"regression"` (as the targets suggest) |
/// | `shape` | all | shape of an input row, e.g. `[28, 28, 1]` (the file's); images are resized to it, with 1 or 3 channels |
/// | `scale`, `standardize` | all | factor (1); mean 0 and deviation 1 over the training rows (false) |
/// | `validation`, `test` | all | parts of the rows to hold out (0); a test part only without a test set |
/// | `seed`, `limit` | all | of the choice of rows (0); at most so many rows, for trials (all) |
/// | `stream` | all | whether inputs stay in their files and are read batch by batch (if they have more than 256 MiB) |
///
/// Streaming changes no result, bit for bit: a file that is read batch by batch must only stay as it is until the
/// training ends. What is over the limit is [`STREAM_BYTES`](super::STREAM_BYTES): a file, all files of
/// npy-classes, or all images decoded. Labels and the targets of tables are always in memory. npy files in Fortran
/// order, whose rows are scattered over the file, are streamed neither way.
///
/// Text in a column that is not a number makes it a column of categories, which become one-hot values.
///
/// ```
/// use neurona::data::DataConfig;
/// let config: DataConfig = toml::from_str("kind = 'csv'\nfile = 'iris.csv'\ntarget = 'species'\ntest = 0.2")?;
/// assert_eq!(config.test, 0.2);
/// assert!(toml::from_str::<DataConfig>("kind = 'csv'\nfile = 'iris.csv'\ntarget = 'species'\nimages = 'x'").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Flat", into = "Flat")]
pub struct DataConfig {
    /// Where the rows come from.
    pub source: Source,
    /// Classes or numbers; if not given, as the targets suggest.
    pub task: Option<Task>,
    /// Shape of an input row; if not given, as in the file.
    pub shape: Option<Vec<usize>>,
    /// Factor for every number (but not for one-hot categories).
    pub scale: f64,
    /// Whether to shift and scale every number to mean 0 and standard deviation 1 over the training rows.
    pub standardize: bool,
    /// Part of the training rows that is kept for validation, below 1.
    pub validation: f64,
    /// Part of the rows that is kept for the test, below 1, for sources without a test set.
    pub test: f64,
    /// Seed of the random choice of rows for validation, test and limit.
    pub seed: u32,
    /// At most so many rows for training and validation together, and for the test, chosen at random.
    pub limit: Option<usize>,
    /// Whether inputs stay in their files and are read when they are needed; if not given, where they are large.
    pub stream: Option<bool>,
}

impl DataConfig {
    /// This source with nothing held out, scaled or limited.
    pub fn new(source: Source) -> DataConfig {
        DataConfig {
            source,
            task: None,
            shape: None,
            scale: 1.0,
            standardize: false,
            validation: 0.0,
            test: 0.0,
            seed: 0,
            limit: None,
            stream: None,
        }
    }

    /// Whether a source of so many bytes is streamed.
    pub(super) fn streams(&self, bytes: u64) -> bool {
        self.stream.unwrap_or(bytes > STREAM_BYTES)
    }

    /// Checks what can be checked without reading the data.
    pub fn check(&self) -> Result<()> {
        let require = |good: bool, key, why: String| if good { Ok(()) } else { Err(DataError::Setting { key, why }) };
        for (key, part) in [("validation", self.validation), ("test", self.test)] {
            require(
                (0.0..1.0).contains(&part),
                key,
                format!("{part} is not a part of the rows; give a fraction from 0 to below 1, e.g. 0.1"),
            )?;
        }
        let scale = self.scale as f32;
        require(
            scale.is_finite() && scale != 0.0,
            "scale",
            format!("{} cannot scale numbers; give a finite factor, e.g. 0.00392156862745098", self.scale),
        )?;
        if let Some(shape) = &self.shape {
            let why = || format!("{shape:?} is no shape of a row; give the extent of each dimension, e.g. [28, 28, 1]");
            require(!shape.is_empty() && !shape.contains(&0), "shape", why())?;
        }
        require(self.limit != Some(0), "limit", "no rows would be left; give a number from 1 on, or leave it out".into())?;
        let own_test = self.source.has_test();
        require(self.test == 0.0 || !own_test, "test", "the source has a test set of its own; remove the one or the other".into())?;
        let own_validation = matches!(&self.source, Source::Npy { validation: Some(_), .. });
        let twice = "the source has a validation set of its own; remove the one or the other";
        require(self.validation == 0.0 || !own_validation, "validation", twice.into())?;
        self.source.check()?;
        if let Source::ImageClasses { .. } = self.source {
            let why = "images need it, as [height, width, channels] with 1 channel (grey) or 3 (colours), e.g. [64, 64, 3]";
            require(matches!(self.shape.as_deref(), Some([_, _, 1 | 3])), "shape", why.into())?;
        }
        let labels_only =
            matches!(self.source, Source::NpyClasses { .. } | Source::ImageClasses { .. }) && self.task == Some(Task::Regression);
        require(!labels_only, "task", "files named for classes hold no numbers to predict; use kind = \"npy\" for regression".into())?;
        let named = matches!(&self.source, Source::Npy { classes: Some(_), .. } | Source::Idx { classes: Some(_), .. });
        require(
            !named || self.task != Some(Task::Regression),
            "classes",
            "regression has no classes; remove them, or set task = \"classification\"".into(),
        )
    }
}

impl Source {
    /// Whether it names a test set.
    pub fn has_test(&self) -> bool {
        match self {
            Source::NpyClasses { test_rows, .. } => *test_rows > 0,
            Source::Npy { test, .. } | Source::Idx { test, .. } => test.is_some(),
            Source::Csv { test_file, .. } => test_file.is_some(),
            Source::ImageClasses { test_folder, .. } => test_folder.is_some(),
        }
    }

    fn check(&self) -> Result<()> {
        let fail = |key, why: &str| Err(DataError::Setting { key, why: why.into() });
        match self {
            Source::NpyClasses { classes, train_rows, .. } => {
                check_classes(classes)?;
                if *train_rows == Some(0) { fail("train_rows", "training needs rows; give a number from 1 on") } else { Ok(()) }
            }
            Source::Npy { classes: Some(classes), .. } | Source::Idx { classes: Some(classes), .. } => check_classes(classes),
            Source::Npy { .. } | Source::Idx { .. } | Source::ImageClasses { .. } => Ok(()),
            Source::Csv { target, format, .. } => {
                format.check()?;
                if target.is_empty() { fail("target", "there is nothing to predict; name at least one column") } else { Ok(()) }
            }
        }
    }
}

fn check_classes(classes: &[String]) -> Result<()> {
    let fail = |why| Err(DataError::Setting { key: "classes", why });
    if classes.len() < 2 {
        return fail(format!(
            "{} cannot be told apart; name at least two classes",
            if classes.is_empty() { "no classes" } else { "one class" }
        ));
    }
    if let Some(twice) = classes.iter().enumerate().find(|(i, c)| classes[..*i].contains(c)) {
        return fail(format!("{:?} is named twice; remove one", twice.1));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
