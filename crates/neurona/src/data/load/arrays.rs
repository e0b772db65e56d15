//! Sources of numbers: npy files by class, npy pairs, IDX pairs.

use std::path::{Path, PathBuf};

use super::{Parts, concat, split};
use crate::data::array::check_size;
use crate::data::{Array, DataConfig, DataError, Dataset, MAX_CLASSES, Result, Source, Targets, Task, idx, npy};

pub fn read(config: &DataConfig, base: &Path) -> Result<Parts> {
    let (train, test, place) = match &config.source {
        Source::NpyClasses { folder, classes, train_rows, test_rows } => {
            let folder = base.join(folder);
            let (train, test) = by_class(&folder, classes, *train_rows, *test_rows)?;
            (train, test, folder)
        }
        Source::Npy { x, y, test, classes } => {
            let y = base.join(y);
            let task = match config.task {
                Some(task) => task,
                None => infer(&y, classes.is_some())?,
            };
            let pair = |x: &PathBuf, y: &PathBuf| Ok(Pair { x: npy::read(x)?, y: npy::read(y)?, paths: [x.clone(), y.clone()] });
            let (train, test) = pairs(pair, [&base.join(x), &y], base, test, task, classes)?;
            (train, test, base.join(x))
        }
        Source::Idx { images, labels, test, classes } => {
            let pair = |x: &PathBuf, y: &PathBuf| Ok(Pair { x: idx::read(x)?, y: idx::read(y)?, paths: [x.clone(), y.clone()] });
            let task = config.task.unwrap_or(Task::Classification);
            let (train, test) = pairs(pair, [&base.join(images), &base.join(labels)], base, test, task, classes)?;
            (train, test, base.join(images))
        }
        // `load` sends tables elsewhere.
        Source::Csv { .. } => return Err(DataError::Setting { key: "kind", why: "a table is no array; use csv".into() }),
    };
    let place = place.display().to_string();
    let rows = split::split(config, train.len(), test.as_ref().map(Dataset::len), &place)?;
    let validation = rows.validation.as_ref().map(|v| train.take(v)).transpose()?;
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

/// The first rows of each class's file, and those that follow.
fn by_class(folder: &Path, classes: &[String], train_rows: Option<usize>, test_rows: usize) -> Result<(Dataset, Option<Dataset>)> {
    let mut arrays = vec![];
    for class in classes {
        let path = folder.join(format!("{class}.npy"));
        let place = path.display().to_string();
        let available = npy::rows(&path)?;
        // A row at least is for training.
        let rows = train_rows.map_or(available.max(test_rows.saturating_add(1)), |n| n.saturating_add(test_rows));
        if rows > available {
            let fix = "lower `train_rows` or `test_rows`, or use a longer file";
            return Err(DataError::TooFewRows { place, needed: rows, available, fix });
        }
        let array = row_array(npy::read_rows(&path, 0, rows)?);
        array.check_finite(&place)?;
        arrays.push((array, place));
    }
    let row = arrays.first().map_or(vec![], |(a, _)| a.row_shape().to_vec());
    // Files that write the same rows in different shapes, such as (n, 784) and (n, 1, 784), have only their length in common.
    let row = if arrays.iter().all(|(a, _)| a.row_shape() == row) { row } else { vec![row.iter().product()] };
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
    let test = if test_rows == 0 { None } else { Some(Dataset::new(test, test_labels, &place)?) };
    Ok((Dataset::new(train, train_labels, &place)?, test))
}

/// Inputs and targets of a file each.
struct Pair {
    x: Array,
    y: Array,
    paths: [PathBuf; 2],
}

type Sets = (Dataset, Option<Dataset>);

fn pairs(
    read: impl Fn(&PathBuf, &PathBuf) -> Result<Pair>,
    [x, y]: [&PathBuf; 2],
    base: &Path,
    test: &Option<(PathBuf, PathBuf)>,
    task: Task,
    classes: &Option<Vec<String>>,
) -> Result<Sets> {
    let train = dataset(read(x, y)?, task, classes.as_deref())?;
    let Some((x, y)) = test else { return Ok((train, None)) };
    // The training labels say how many classes there are.
    let names = match &train.targets {
        Targets::Classes { names, .. } => Some(names.clone()),
        Targets::Values(_) => None,
    };
    let pair = read(&base.join(x), &base.join(y))?;
    let place = pair.paths[0].display().to_string();
    let test = dataset(pair, task, names.as_deref())?;
    let same = train.x.row_len() == test.x.row_len();
    let test = if same { test } else { Dataset { x: test.x.with_row_shape(train.x.row_shape(), &place)?, targets: test.targets } };
    if let (Targets::Values(a), Targets::Values(b)) = (&train.targets, &test.targets)
        && a.row_shape() != b.row_shape()
    {
        let (expected, found) = (a.row_shape().to_vec(), b.row_shape().to_vec());
        return Err(DataError::Shape { place: base.join(y).display().to_string(), expected, found });
    }
    Ok((train, Some(test)))
}

fn dataset(pair: Pair, task: Task, names: Option<&[String]>) -> Result<Dataset> {
    let [x, y] = pair.paths.each_ref().map(|p| p.display().to_string());
    let rows = row_array(pair.x);
    rows.check_finite(&x)?;
    pair.y.check_finite(&y)?;
    let targets = match task {
        Task::Regression => Targets::Values(row_array(pair.y)),
        Task::Classification => labels(pair.y, names, &y)?,
    };
    Dataset::new(rows, targets, &format!("{x} and {y}"))
}

/// An array with a row shape, be it one of single numbers.
fn row_array(mut array: Array) -> Array {
    if array.shape.len() == 1 {
        array.shape.push(1);
    }
    array
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
