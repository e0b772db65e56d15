//! The source of text: a CSV file, whose columns' meaning is learnt from the training rows.

use std::path::Path;

use super::{Parts, split};
use crate::data::csv::{self, Cells, Column, Encoding, Field, MAX_CATEGORIES, Records, Rows, Seen, Table, Want};
use crate::data::{DataConfig, DataError, Dataset, MAX_CLASSES, Result, Source, Stored, Targets, Task, raw};

pub fn read(config: &DataConfig, base: &Path) -> Result<Parts> {
    let Source::Csv { file, test_file, target, format, ignore, categorical, unknown } = &config.source else {
        return Err(DataError::Setting { key: "kind", why: "an array is no table; use npy or idx".into() });
    };
    let path = base.join(file);
    let mut targets = vec![];
    let want = |names: &[String], targets: &mut Vec<usize>| {
        let find = |columns: &[Column]| columns.iter().map(|c| csv::find(&path, format.header, names, c)).collect::<Result<Vec<_>>>();
        *targets = find(target)?;
        wants(names, config.task, targets, &find(ignore)?, &find(categorical)?)
    };
    let (table, seen) = if config.streams(raw::open(&path)?.len) {
        let indexed = csv::index(&path, *format, |names| Ok((want(names, &mut targets)?, targets.clone())))?;
        (indexed.0, Some(indexed.1))
    } else {
        (csv::read(&path, *format, |names| want(names, &mut targets))?, None)
    };
    let task = task(config.task, &table, &targets)?;
    let place = path.display().to_string();
    let chosen = split::split(config, table.rows(), None, &place)?;
    let all: Vec<usize> = (0..table.rows()).collect();
    let features: Vec<usize> = (0..table.names.len()).filter(|c| !targets.contains(c) && table.cells[*c] != Cells::Nothing).collect();
    // Of rows that stay in the file the categories are not in memory.
    let sets: Vec<&[usize]> =
        [Some(&chosen.train), chosen.validation.as_ref(), chosen.test.as_ref()].into_iter().flatten().map(|v| &v[..]).collect();
    let found = seen.as_ref().map(|_| survey(&table, &features, &sets)).transpose()?;
    let encoding = Encoding {
        format: *format,
        width: table.names.len(),
        features: match &found {
            None => features.iter().map(|&c| Encoding::field(&table, c, &chosen.train, MAX_CATEGORIES)).collect::<Result<_>>()?,
            Some(found) => learnt(&table, &features, found)?,
        },
        // Which classes exist is part of the question, not of the training rows.
        targets: targets.iter().map(|&c| Encoding::field(&table, c, &all, MAX_CLASSES)).collect::<Result<_>>()?,
        unknown: *unknown,
    };
    if task == Task::Classification {
        check_classes(&encoding.targets[0], &place)?;
    }
    let columns = encoding.features.iter().chain(&encoding.targets).map(|f| f.index).collect();
    let rows = Rows { table, columns };
    let stored = seen.map(|seen| stored(&encoding, &rows, seen)).transpose()?;
    let mut parts = vec![];
    for (set, chosen) in sets.iter().enumerate() {
        if let Some(found) = &found {
            encoding.check_found(&rows, set, found)?;
        }
        parts.push(dataset(&encoding, task, (&rows, stored.as_ref()), chosen)?);
    }
    let mut parts = parts.into_iter();
    let Some(train) = parts.next() else { return Err(DataError::ZeroRows { place }) };
    let validation = if chosen.validation.is_some() { parts.next() } else { None };
    let test = match test_file {
        None => parts.next(),
        Some(file) => Some(test_set(config, &encoding, task, &base.join(file))?),
    };
    Ok(Parts { train, validation, test, encoding: Some(encoding), place })
}

/// The rows of a test file.
fn test_set(config: &DataConfig, encoding: &Encoding, task: Task, path: &Path) -> Result<Dataset> {
    let choose = |rows: &Rows| split::limit(config, (0..rows.table.rows()).collect());
    if config.streams(raw::open(path)?.len) {
        let (rows, seen) = encoding.index(path, true)?;
        let chosen = choose(&rows);
        encoding.check(&rows, &[&chosen])?;
        return dataset(encoding, task, (&rows, Some(&stored(encoding, &rows, seen)?)), &chosen);
    }
    let rows = encoding.read(path, true)?;
    dataset(encoding, task, (&rows, None), &choose(&rows))
}

/// The features of rows that stay in their file.
fn stored(encoding: &Encoding, rows: &Rows, seen: Seen) -> Result<Stored> {
    Stored::new(Records::new(encoding, rows, seen), &[encoding.features_width()])
}

/// For each column of categories, each set and each category the first row with it.
type Found = Vec<Vec<Vec<Option<usize>>>>;

/// What there is to find of the features that are categories; nothing has to be read where there are none.
fn survey(table: &Table, features: &[usize], sets: &[&[usize]]) -> Result<Found> {
    let columns: Vec<usize> = features.iter().copied().filter(|&c| matches!(table.cells[c], Cells::Categories { .. })).collect();
    if columns.is_empty() { Ok(vec![]) } else { csv::survey(table, &columns, sets) }
}

/// The features, with the categories of the training rows, the first set.
fn learnt(table: &Table, features: &[usize], found: &Found) -> Result<Vec<Field>> {
    let mut found = found.iter();
    let field = |&c: &usize| {
        let first = if let Cells::Categories { .. } = table.cells[c] { found.next().map(|f| &f[0]) } else { None };
        let occurs: Vec<bool> = first.into_iter().flatten().map(Option::is_some).collect();
        Encoding::field_of(table, c, &occurs, MAX_CATEGORIES)
    };
    features.iter().map(field).collect()
}

/// What to make of each column.
fn wants(names: &[String], task: Option<Task>, targets: &[usize], ignore: &[usize], categorical: &[usize]) -> Result<Vec<Want>> {
    let conflict = |key, column: usize, other| {
        let why = format!("column {} is listed under `{other}` too, which contradicts it; remove it from one of them", names[column]);
        Err(DataError::Setting { key, why })
    };
    if let Some(&c) = targets.iter().find(|c| ignore.contains(c)) {
        return conflict("ignore", c, "target");
    }
    if let Some(&c) = categorical.iter().find(|c| ignore.contains(c)) {
        return conflict("ignore", c, "categorical");
    }
    if let Some((_, &c)) = targets.iter().enumerate().find(|(i, c)| targets[..*i].contains(c)) {
        return Err(DataError::Setting { key: "target", why: format!("column {} is listed twice; remove one", names[c]) });
    }
    if (0..names.len()).all(|c| targets.contains(&c) || ignore.contains(&c)) {
        let why = "no column is left to predict the target from; ignore fewer, or check `delimiter`";
        return Err(DataError::Setting { key: "file", why: why.into() });
    }
    if task == Some(Task::Classification) && targets.len() > 1 {
        return Err(DataError::Setting {
            key: "target",
            why: "classification has one target column; name one, or set task = \"regression\"".into(),
        });
    }
    if let Some(&c) = targets.iter().find(|c| categorical.contains(c))
        && (task == Some(Task::Regression) || targets.len() > 1)
    {
        return conflict("categorical", c, "target");
    }
    let target = match task {
        Some(Task::Classification) => Want::Categories,
        Some(Task::Regression) => Want::Numbers,
        None if targets.len() > 1 => Want::Numbers,
        None => Want::Either,
    };
    let want = |c: usize| match c {
        c if targets.contains(&c) && !categorical.contains(&c) => target,
        c if ignore.contains(&c) => Want::Nothing,
        c if categorical.contains(&c) => Want::Categories,
        _ => Want::Either,
    };
    Ok((0..names.len()).map(want).collect())
}

/// Texts are classes, fractions are numbers to predict; whole numbers may be either.
fn task(given: Option<Task>, table: &Table, targets: &[usize]) -> Result<Task> {
    let first = targets.first().map(|&c| (&table.cells[c], &table.names[c]));
    match (given, first) {
        (Some(task), _) => Ok(task),
        (None, Some((Cells::Numbers(values), name))) if targets.len() == 1 && values.iter().all(|v| v.fract() == 0.0) => {
            let why = format!(
                "column {name} of {} holds whole numbers, which may be classes or amounts; set task = \"classification\" or \"regression\"",
                table.path.display()
            );
            Err(DataError::Setting { key: "task", why })
        }
        (None, Some((Cells::Categories { .. }, _))) if targets.len() == 1 => Ok(Task::Classification),
        (None, _) => Ok(Task::Regression),
    }
}

fn check_classes(field: &Field, place: &str) -> Result<()> {
    match field.categories.as_deref() {
        Some([only]) => {
            let why = format!(
                "column {} of {place} holds nothing but {only:?}, so there is nothing to learn; name another column, or check `header` and `delimiter`",
                field.name
            );
            Err(DataError::Setting { key: "target", why })
        }
        _ => Ok(()),
    }
}

/// These rows, whose features stay in the file if they are stored.
fn dataset(encoding: &Encoding, task: Task, (rows, stored): (&Rows, Option<&Stored>), chosen: &[usize]) -> Result<Dataset> {
    let x = match stored {
        Some(stored) => stored.take(chosen)?.into(),
        None => encoding.features(rows, chosen)?.into(),
    };
    let targets = match task {
        Task::Classification => {
            let names = encoding.targets[0].categories.clone().unwrap_or_default();
            Targets::Classes { labels: encoding.labels(rows, chosen)?, names }
        }
        Task::Regression => Targets::Values(encoding.values(rows, chosen)?.into()),
    };
    Dataset::new(x, targets, &rows.table.path.display().to_string())
}
