//! The source of text: a CSV file, whose columns' meaning is learnt from the training rows.

use std::path::Path;

use super::{Parts, split};
use crate::data::csv::{self, Cells, Column, Encoding, Field, MAX_CATEGORIES, Rows, Table, Want};
use crate::data::{DataConfig, DataError, Dataset, MAX_CLASSES, Result, Source, Targets, Task};

pub fn read(config: &DataConfig, base: &Path) -> Result<Parts> {
    let Source::Csv { file, test_file, target, format, ignore, categorical, unknown } = &config.source else {
        return Err(DataError::Setting { key: "kind", why: "an array is no table; use npy or idx".into() });
    };
    let path = base.join(file);
    let mut targets = vec![];
    let table = csv::read(&path, *format, |names| {
        let find = |columns: &[Column]| columns.iter().map(|c| csv::find(&path, format.header, names, c)).collect::<Result<Vec<_>>>();
        targets = find(target)?;
        wants(names, config.task, &targets, &find(ignore)?, &find(categorical)?)
    })?;
    let task = task(config.task, &table, &targets)?;
    let place = path.display().to_string();
    let chosen = split::split(config, table.rows(), None, &place)?;
    let all: Vec<usize> = (0..table.rows()).collect();
    let features = (0..table.names.len()).filter(|c| !targets.contains(c) && table.cells[*c] != Cells::Nothing);
    let encoding = Encoding {
        format: *format,
        width: table.names.len(),
        features: features.map(|c| Encoding::field(&table, c, &chosen.train, MAX_CATEGORIES)).collect::<Result<_>>()?,
        // Which classes exist is part of the question, not of the training rows.
        targets: targets.iter().map(|&c| Encoding::field(&table, c, &all, MAX_CLASSES)).collect::<Result<_>>()?,
        unknown: *unknown,
    };
    if task == Task::Classification {
        check_classes(&encoding.targets[0], &place)?;
    }
    let columns = encoding.features.iter().chain(&encoding.targets).map(|f| f.index).collect();
    let rows = Rows { table, columns };
    let set = |rows: &Rows, chosen: &[usize]| dataset(&encoding, task, rows, chosen);
    let train = set(&rows, &chosen.train)?;
    let validation = chosen.validation.as_ref().map(|v| set(&rows, v)).transpose()?;
    let test = match test_file {
        None => chosen.test.as_ref().map(|t| set(&rows, t)).transpose()?,
        Some(file) => {
            let rows = encoding.read(&base.join(file), true)?;
            let chosen = split::limit(config, (0..rows.table.rows()).collect());
            Some(set(&rows, &chosen)?)
        }
    };
    Ok(Parts { train, validation, test, encoding: Some(encoding), place })
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

fn dataset(encoding: &Encoding, task: Task, rows: &Rows, chosen: &[usize]) -> Result<Dataset> {
    let x = encoding.features(rows, chosen)?;
    let targets = match task {
        Task::Classification => {
            let names = encoding.targets[0].categories.clone().unwrap_or_default();
            Targets::Classes { labels: encoding.labels(rows, chosen)?, names }
        }
        Task::Regression => Targets::Values(encoding.values(rows, chosen)?.into()),
    };
    Dataset::new(x.into(), targets, &rows.table.path.display().to_string())
}
