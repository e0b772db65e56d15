//! Sources of numbers: npy files by class, npy pairs, IDX pairs.

use std::path::{Path, PathBuf};

use super::{Parts, concat, images, split};
use crate::data::array::{check_size, product};
use crate::data::store::Piece;
use crate::data::{Array, DataConfig, DataError, Dataset, MAX_CLASSES, Numbers, Result, Source, Stored, Targets, Task, idx, npy, raw};

pub fn read(config: &DataConfig, base: &Path) -> Result<Parts> {
    let mut own_validation = None;
    let (train, test, place) = match &config.source {
        Source::NpyClasses { folder, classes, train_rows, test_rows } => {
            let folder = base.join(folder);
            let files = class_files(&folder, classes, *train_rows, *test_rows)?;
            let (train, test) = match stream_classes(config, &folder, &files)? {
                Some(stored) => stored_classes(&stored, &files, classes, *test_rows, &folder)?,
                None => by_class(&folder, classes, &files, *test_rows)?,
            };
            (train, test, folder)
        }
        Source::Npy { x, y, validation, test, classes } => {
            let y = base.join(y);
            let task = match config.task {
                Some(task) => task,
                None => infer(&y, classes.is_some())?,
            };
            let (train, test) = pairs(config, Format::Npy, [&base.join(x), &y], base, test, task, classes)?;
            let further = validation.as_ref().map(|paths| further(config, Format::Npy, &train, base, paths, task)).transpose()?;
            own_validation = further;
            (train, test, base.join(x))
        }
        Source::Idx { images, labels, test, classes } => {
            let task = config.task.unwrap_or(Task::Classification);
            let (train, test) = pairs(config, Format::Idx, [&base.join(images), &base.join(labels)], base, test, task, classes)?;
            (train, test, base.join(images))
        }
        Source::ImageClasses { folder, test_folder } => {
            let folder = base.join(folder);
            let (train, test) = images::read(config, &folder, test_folder.as_ref().map(|f| base.join(f)).as_deref())?;
            (train, test, folder)
        }
        // `load` sends tables elsewhere.
        Source::Csv { .. } => return Err(DataError::Setting { key: "kind", why: "a table is no array; use csv".into() }),
    };
    let place = place.display().to_string();
    let rows = split::split(config, train.len(), test.as_ref().map(Dataset::len), &place)?;
    let validation = match rows.validation.as_ref().map(|v| train.take(v)).transpose()? {
        None => own_validation,
        held_out => held_out,
    };
    let test = match (test, &rows.test) {
        (Some(test), Some(chosen)) => Some(pick(test, chosen)?),
        (None, Some(chosen)) => Some(train.take(chosen)?),
        (_, None) => None,
    };
    Ok(Parts { train: pick(train, &rows.train)?, validation, test, encoding: None, place })
}

/// These rows; without a copy where they are all.
fn pick(set: Dataset, rows: &[usize]) -> Result<Dataset> {
    if rows.len() == set.len() { Ok(set) } else { set.take(rows) }
}

/// The file of each class and how many of its rows are used.
fn class_files(folder: &Path, classes: &[String], train_rows: Option<usize>, test_rows: usize) -> Result<Vec<(PathBuf, usize)>> {
    let file = |class: &String| {
        let path = folder.join(format!("{class}.npy"));
        let available = npy::rows(&path)?;
        // A row at least is for training.
        let rows = train_rows.map_or(available.max(test_rows.saturating_add(1)), |n| n.saturating_add(test_rows));
        if rows > available {
            let fix = "lower `train_rows` or `test_rows`, or use a longer file";
            return Err(DataError::TooFewRows { place: path.display().to_string(), needed: rows, available, fix });
        }
        Ok((path, rows))
    };
    classes.iter().map(file).collect()
}

/// The row shape of all files. Those that write the same rows in different shapes, such as (n, 784) and (n, 1, 784),
/// have only their length in common.
fn common_row<'a>(mut shapes: impl Iterator<Item = &'a [usize]> + Clone) -> Vec<usize> {
    let first = shapes.clone().next().unwrap_or(&[]);
    if shapes.all(|shape| shape == first) { first.to_vec() } else { vec![product(first)] }
}

/// The rows of all classes in their files, if they are to stay there.
fn stream_classes(config: &DataConfig, folder: &Path, files: &[(PathBuf, usize)]) -> Result<Option<Stored>> {
    let mut pieces = vec![];
    for (path, rows) in files {
        match npy::piece(path, Some(*rows))? {
            Some((piece, shape)) => pieces.push((piece, row_shape(shape))),
            None => return scattered(config, path),
        }
    }
    let bytes = |(piece, row): &(Piece, Vec<usize>)| (piece.rows * product(row) * piece.element.size) as u64;
    if !config.streams(pieces.iter().map(bytes).sum()) {
        return Ok(None);
    }
    let row = common_row(pieces.iter().map(|(_, shape)| &shape[..]));
    for (piece, shape) in &pieces {
        if product(shape) != product(&row) {
            return Err(DataError::Shape { place: piece.file.path.display().to_string(), expected: row, found: shape.clone() });
        }
    }
    Stored::packed(folder, &row, pieces.into_iter().map(|(piece, _)| piece).collect()).map(Some)
}

/// That rows are scattered over a file: reading one would touch all of it.
fn scattered<T>(config: &DataConfig, path: &Path) -> Result<Option<T>> {
    let why = format!(
        "{} is in Fortran order, whose rows cannot be read one by one; write it with numpy.ascontiguousarray, or leave `stream` out",
        path.display()
    );
    if config.stream == Some(true) { Err(DataError::Setting { key: "stream", why }) } else { Ok(None) }
}

/// The first rows of each class's file, and those that follow, for the test.
fn stored_classes(all: &Stored, files: &[(PathBuf, usize)], classes: &[String], test_rows: usize, folder: &Path) -> Result<Sets> {
    let (mut rows, mut labels, mut start) = ([vec![], vec![]], [vec![], vec![]], 0);
    for (label, (_, n)) in files.iter().enumerate() {
        let (train, end) = (start + n - test_rows, start + n);
        for (i, part) in [start..train, train..end].into_iter().enumerate() {
            labels[i].extend(std::iter::repeat_n(label as i32, part.len()));
            rows[i].extend(part);
        }
        start = end;
    }
    let place = folder.display().to_string();
    let [train, test] = rows;
    let [train_labels, test_labels] = labels.map(|labels| Targets::Classes { labels, names: classes.to_vec() });
    let test = if test_rows == 0 { None } else { Some(Dataset::new(all.take(&test)?.into(), test_labels, &place)?) };
    let train = if test_rows == 0 { all.clone() } else { all.take(&train)? };
    Ok((Dataset::new(train.into(), train_labels, &place)?, test))
}

/// The first rows of each class's file, and those that follow, in memory.
fn by_class(folder: &Path, classes: &[String], files: &[(PathBuf, usize)], test_rows: usize) -> Result<Sets> {
    let mut arrays = vec![];
    for (path, rows) in files {
        let place = path.display().to_string();
        let array = row_array(npy::read_rows(path, 0, *rows)?);
        array.check_finite(&place)?;
        arrays.push((array, place));
    }
    let row = common_row(arrays.iter().map(|(a, _)| a.row_shape()));
    let total: usize = arrays.iter().map(|(a, _)| a.rows()).sum();
    check_size(&folder.display().to_string(), total, row.iter().product())?;
    let (mut parts, mut labels) = ([vec![], vec![]], [vec![], vec![]]);
    for (label, (array, place)) in arrays.into_iter().enumerate() {
        let mut array = array.with_row_shape(&row, &place)?;
        let n = array.rows() - test_rows;
        let rest = array.data.split_off(n * array.row_len());
        let shape = |rows| [&[rows], &row[..]].concat();
        for (i, part) in [Array::new(shape(n), array.data)?, Array::new(shape(test_rows), rest)?].into_iter().enumerate() {
            labels[i].extend(std::iter::repeat_n(label as i32, part.rows()));
            parts[i].push(part);
        }
    }
    let place = folder.display().to_string();
    let [train, test] = parts.map(concat);
    let [train_labels, test_labels] = labels.map(|labels| Targets::Classes { labels, names: classes.to_vec() });
    let test = if test_rows == 0 { None } else { Some(Dataset::new(test.into(), test_labels, &place)?) };
    Ok((Dataset::new(train.into(), train_labels, &place)?, test))
}

#[derive(Clone, Copy)]
enum Format {
    Npy,
    Idx,
}

impl Format {
    fn read(self, path: &Path) -> Result<Array> {
        match self {
            Format::Npy => npy::read(path),
            Format::Idx => idx::read(path),
        }
    }

    /// The rows of a file, in memory or there, checked.
    fn open(self, config: &DataConfig, path: &Path) -> Result<Numbers> {
        if config.streams(raw::open(path)?.len) {
            let piece = match self {
                Format::Npy => npy::piece(path, None)?,
                Format::Idx => Some(idx::piece(path)?),
            };
            let piece = piece.map_or_else(|| scattered(config, path), |p| Ok(Some(p)))?;
            if let Some((piece, shape)) = piece {
                return Ok(Stored::packed(path, &shape, vec![piece])?.into());
            }
        }
        let array = row_array(self.read(path)?);
        array.check_finite(&path.display().to_string())?;
        Ok(array.into())
    }
}

type Sets = (Dataset, Option<Dataset>);

fn pairs(
    config: &DataConfig,
    format: Format,
    [x, y]: [&PathBuf; 2],
    base: &Path,
    test: &Option<(PathBuf, PathBuf)>,
    task: Task,
    classes: &Option<Vec<String>>,
) -> Result<Sets> {
    let train = dataset(config, format, [x, y], task, classes.as_deref())?;
    let test = test.as_ref().map(|paths| further(config, format, &train, base, paths, task)).transpose()?;
    Ok((train, test))
}

/// Another set of the same kind of rows.
fn further(config: &DataConfig, format: Format, train: &Dataset, base: &Path, (x, y): &(PathBuf, PathBuf), task: Task) -> Result<Dataset> {
    // The training labels say how many classes there are.
    let names = match &train.targets {
        Targets::Classes { names, .. } => Some(names.clone()),
        Targets::Values(_) => None,
    };
    let set = dataset(config, format, [&base.join(x), &base.join(y)], task, names.as_deref())?;
    let same = product(train.x.row_shape()) == product(set.x.row_shape());
    let place = || base.join(x).display().to_string();
    let set = if same { set } else { Dataset { x: set.x.with_row_shape(train.x.row_shape(), &place())?, targets: set.targets } };
    if let (Targets::Values(a), Targets::Values(b)) = (&train.targets, &set.targets)
        && a.row_shape() != b.row_shape()
    {
        let (expected, found) = (a.row_shape().to_vec(), b.row_shape().to_vec());
        return Err(DataError::Shape { place: base.join(y).display().to_string(), expected, found });
    }
    Ok(set)
}

fn dataset(config: &DataConfig, format: Format, [x, y]: [&PathBuf; 2], task: Task, names: Option<&[String]>) -> Result<Dataset> {
    let rows = format.open(config, x)?;
    let targets = match task {
        Task::Regression => Targets::Values(format.open(config, y)?),
        Task::Classification => {
            let (y, place) = (format.read(y)?, y.display().to_string());
            y.check_finite(&place)?;
            labels(y, names, &place)?
        }
    };
    Dataset::new(rows, targets, &format!("{} and {}", x.display(), y.display()))
}

/// An array with a row shape, be it one of single numbers.
fn row_array(mut array: Array) -> Array {
    if array.shape.len() == 1 {
        array.shape.push(1);
    }
    array
}

fn row_shape(shape: Vec<usize>) -> Vec<usize> {
    if shape.is_empty() { vec![1] } else { shape }
}

/// Labels as classes; without names the greatest label tells how many there are.
fn labels(y: Array, names: Option<&[String]>, place: &str) -> Result<Targets> {
    if y.row_len() != 1 {
        return Err(DataError::Shape { place: place.into(), expected: vec![1], found: y.row_shape().to_vec() });
    }
    let classes = names.map_or(MAX_CLASSES, <[String]>::len);
    if let Some(row) = y.data.iter().position(|&l| l < 0.0 || l >= classes as f32 || l.fract() != 0.0) {
        return Err(DataError::Label { place: place.into(), row, label: y.data[row].into(), classes });
    }
    let labels: Vec<i32> = y.data.iter().map(|&l| l as i32).collect();
    let count = labels.iter().max().map_or(0, |&l| l + 1);
    let names = names.map_or_else(|| (0..count).map(|i| i.to_string()).collect(), <[String]>::to_vec);
    Ok(Targets::Classes { labels, names })
}

/// Whole numbers by type, one a row, are labels; fractions by type are numbers to predict.
fn infer(y: &Path, named: bool) -> Result<Task> {
    if named {
        return Ok(Task::Classification);
    }
    match (npy::is_integer(y)?, npy::row_len(y)?) {
        (false, _) => Ok(Task::Regression),
        (true, 1) => Ok(Task::Classification),
        (true, n) => {
            let why = format!(
                "{} has {n} whole numbers a row; set task = \"regression\" to predict them, or give labels, one a row",
                y.display()
            );
            Err(DataError::Setting { key: "task", why })
        }
    }
}
