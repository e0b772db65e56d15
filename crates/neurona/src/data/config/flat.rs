//! The `[data]` table as it is written: one level of keys, of which each kind of source has its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DataConfig, Source, Task};
use crate::data::csv::{Column, Format, Unknown};
use crate::data::{DataError, Result};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    NpyClasses,
    Npy,
    Csv,
    Idx,
    ImageClasses,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::NpyClasses => "npy-classes",
            Kind::Npy => "npy",
            Kind::Csv => "csv",
            Kind::Idx => "idx",
            Kind::ImageClasses => "image-classes",
        }
    }
}

/// One column or several.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Columns {
    One(Column),
    Several(Vec<Column>),
}

/// The keys of all kinds. (serde cannot refuse unknown keys of a struct that is flattened into another.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flat {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_folder: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    train_rows: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_rows: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation_x: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation_y: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_x: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_y: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_images: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_labels: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Columns>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delimiter: Option<char>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore: Option<Vec<Column>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    categorical: Option<Vec<Column>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown_category: Option<Unknown>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Task>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Vec<usize>>,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    standardize: bool,
    #[serde(default)]
    validation: f64,
    #[serde(default)]
    test: f64,
    #[serde(default)]
    seed: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

fn one() -> f64 {
    1.0
}

impl Flat {
    fn new(kind: Kind, config: &DataConfig) -> Flat {
        Flat {
            kind,
            folder: None,
            test_folder: None,
            classes: None,
            train_rows: None,
            test_rows: None,
            x: None,
            y: None,
            validation_x: None,
            validation_y: None,
            test_x: None,
            test_y: None,
            images: None,
            labels: None,
            test_images: None,
            test_labels: None,
            file: None,
            test_file: None,
            target: None,
            header: None,
            delimiter: None,
            ignore: None,
            categorical: None,
            unknown_category: None,
            task: config.task,
            shape: config.shape.clone(),
            scale: config.scale,
            standardize: config.standardize,
            validation: config.validation,
            test: config.test,
            seed: config.seed,
            limit: config.limit,
            stream: config.stream,
        }
    }

    /// Refuses keys of another kind: a key without effect is a misunderstanding.
    fn check_keys(&self) -> Result<()> {
        use Kind::{Csv, Idx, ImageClasses, Npy, NpyClasses};
        let keys: [(&'static str, bool, &[Kind]); 23] = [
            ("folder", self.folder.is_some(), &[NpyClasses, ImageClasses]),
            ("test_folder", self.test_folder.is_some(), &[ImageClasses]),
            ("classes", self.classes.is_some(), &[NpyClasses, Npy, Idx]),
            ("train_rows", self.train_rows.is_some(), &[NpyClasses]),
            ("test_rows", self.test_rows.is_some(), &[NpyClasses]),
            ("x", self.x.is_some(), &[Npy]),
            ("y", self.y.is_some(), &[Npy]),
            ("validation_x", self.validation_x.is_some(), &[Npy]),
            ("validation_y", self.validation_y.is_some(), &[Npy]),
            ("test_x", self.test_x.is_some(), &[Npy]),
            ("test_y", self.test_y.is_some(), &[Npy]),
            ("images", self.images.is_some(), &[Idx]),
            ("labels", self.labels.is_some(), &[Idx]),
            ("test_images", self.test_images.is_some(), &[Idx]),
            ("test_labels", self.test_labels.is_some(), &[Idx]),
            ("file", self.file.is_some(), &[Csv]),
            ("test_file", self.test_file.is_some(), &[Csv]),
            ("target", self.target.is_some(), &[Csv]),
            ("header", self.header.is_some(), &[Csv]),
            ("delimiter", self.delimiter.is_some(), &[Csv]),
            ("ignore", self.ignore.is_some(), &[Csv]),
            ("categorical", self.categorical.is_some(), &[Csv]),
            ("unknown_category", self.unknown_category.is_some(), &[Csv]),
        ];
        match keys.iter().find(|(_, given, kinds)| *given && !kinds.contains(&self.kind)) {
            None => Ok(()),
            Some((key, _, kinds)) => {
                let kinds = kinds.iter().map(|k| format!("{:?}", k.name())).collect::<Vec<_>>().join(" or ");
                let why = format!("it belongs to kind = {kinds}, not to kind = {:?}; remove it or change `kind`", self.kind.name());
                Err(DataError::Setting { key, why })
            }
        }
    }

    fn source(self) -> Result<Source> {
        let kind = self.kind;
        Ok(match kind {
            Kind::NpyClasses => Source::NpyClasses {
                folder: required(kind, "folder", self.folder)?,
                classes: required(kind, "classes", self.classes)?,
                train_rows: self.train_rows,
                test_rows: self.test_rows.unwrap_or(0),
            },
            Kind::Npy => Source::Npy {
                x: required(kind, "x", self.x)?,
                y: required(kind, "y", self.y)?,
                validation: pair(["validation_x", "validation_y"], self.validation_x, self.validation_y)?,
                test: pair(["test_x", "test_y"], self.test_x, self.test_y)?,
                classes: self.classes,
            },
            Kind::Idx => Source::Idx {
                images: required(kind, "images", self.images)?,
                labels: required(kind, "labels", self.labels)?,
                test: pair(["test_images", "test_labels"], self.test_images, self.test_labels)?,
                classes: self.classes,
            },
            Kind::ImageClasses => Source::ImageClasses { folder: required(kind, "folder", self.folder)?, test_folder: self.test_folder },
            Kind::Csv => Source::Csv {
                file: required(kind, "file", self.file)?,
                test_file: self.test_file,
                target: match required(kind, "target", self.target)? {
                    Columns::One(column) => vec![column],
                    Columns::Several(columns) => columns,
                },
                format: Format {
                    header: self.header.unwrap_or(Format::default().header),
                    delimiter: self.delimiter.unwrap_or(Format::default().delimiter),
                },
                ignore: self.ignore.unwrap_or_default(),
                categorical: self.categorical.unwrap_or_default(),
                unknown: self.unknown_category.unwrap_or_default(),
            },
        })
    }
}

fn required<T>(kind: Kind, key: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| DataError::Setting { key, why: format!("it is missing; kind = {:?} needs it", kind.name()) })
}

fn pair<T>(keys: [&'static str; 2], a: Option<T>, b: Option<T>) -> Result<Option<(T, T)>> {
    match (a, b) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        (a, _) => {
            let (given, missing) = if a.is_some() { (keys[0], keys[1]) } else { (keys[1], keys[0]) };
            Err(DataError::Setting { key: missing, why: format!("it is missing, while `{given}` is given; a set needs both") })
        }
    }
}

impl TryFrom<Flat> for DataConfig {
    type Error = DataError;

    fn try_from(flat: Flat) -> Result<DataConfig> {
        flat.check_keys()?;
        let (task, shape, limit, stream) = (flat.task, flat.shape.clone(), flat.limit, flat.stream);
        let (scale, standardize, validation, test, seed) = (flat.scale, flat.standardize, flat.validation, flat.test, flat.seed);
        let config = DataConfig { source: flat.source()?, task, shape, scale, standardize, validation, test, seed, limit, stream };
        config.check()?;
        Ok(config)
    }
}

impl From<DataConfig> for Flat {
    fn from(config: DataConfig) -> Flat {
        let flat = |kind| Flat::new(kind, &config);
        match config.source.clone() {
            Source::NpyClasses { folder, classes, train_rows, test_rows } => {
                Flat { folder: Some(folder), classes: Some(classes), train_rows, test_rows: Some(test_rows), ..flat(Kind::NpyClasses) }
            }
            Source::Npy { x, y, validation, test, classes } => {
                let (validation_x, validation_y) = validation.unzip();
                let (test_x, test_y) = test.unzip();
                Flat { x: Some(x), y: Some(y), validation_x, validation_y, test_x, test_y, classes, ..flat(Kind::Npy) }
            }
            Source::Idx { images, labels, test, classes } => {
                let (test_images, test_labels) = test.unzip();
                Flat { images: Some(images), labels: Some(labels), test_images, test_labels, classes, ..flat(Kind::Idx) }
            }
            Source::ImageClasses { folder, test_folder } => Flat { folder: Some(folder), test_folder, ..flat(Kind::ImageClasses) },
            Source::Csv { file, test_file, target, format, ignore, categorical, unknown } => Flat {
                file: Some(file),
                test_file,
                target: Some(Columns::Several(target)),
                header: Some(format.header),
                delimiter: Some(format.delimiter),
                ignore: Some(ignore),
                categorical: Some(categorical),
                unknown_category: Some(unknown),
                ..flat(Kind::Csv)
            },
        }
    }
}
