//! The source of pictures: a folder of PNG and JPEG files for each class.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::raw::unreadable;
use crate::data::store::Images;
use crate::data::{DataConfig, DataError, Dataset, MAX_CLASSES, Numbers, Result, Stored, Targets};

/// Rows for training and for the test.
pub fn read(config: &DataConfig, folder: &Path, test: Option<&Path>) -> Result<(Dataset, Option<Dataset>)> {
    let names = classes(folder)?;
    let train = dataset(config, folder, &names)?;
    let Some(test) = test else { return Ok((train, None)) };
    let others = classes(test)?;
    if let Some(other) = others.iter().find(|c| !names.contains(c)) {
        let why = format!("{} has the class {other:?}, which {} has not; name the folders alike", test.display(), folder.display());
        return Err(DataError::Setting { key: "test_folder", why });
    }
    Ok((train, Some(dataset(config, test, &names)?)))
}

/// The files of all classes; those the folder lacks have none.
fn dataset(config: &DataConfig, folder: &Path, names: &[String]) -> Result<Dataset> {
    let Some(&[height, width, channels]) = config.shape.as_deref() else {
        return Err(DataError::Setting { key: "shape", why: "images need it; give [height, width, channels]".into() });
    };
    let (mut paths, mut labels) = (vec![], vec![]);
    for (label, name) in names.iter().enumerate() {
        let class = folder.join(name);
        let files = if class.is_dir() { entries(&class)? } else { vec![] };
        labels.extend(std::iter::repeat_n(label as i32, files.len()));
        paths.extend(files);
    }
    let shape = [height, width, channels];
    let images = Images::open(folder.into(), paths, shape)?;
    let bytes = (images.len() as u64).saturating_mul(4 * shape.iter().map(|&n| n as u64).fold(1, u64::saturating_mul));
    let stored = Stored::new(images, &shape)?;
    let x = if config.streams(bytes) { Numbers::Stored(stored) } else { stored.read_rows(0, stored.rows())?.into() };
    Dataset::new(x, Targets::Classes { labels, names: names.to_vec() }, &folder.display().to_string())
}

/// The names of the folders in a folder, sorted.
fn classes(folder: &Path) -> Result<Vec<String>> {
    let folders = entries(folder)?.into_iter().filter(|p| p.is_dir());
    let names: Vec<String> = folders.filter_map(|p| p.file_name().map(|n| n.to_string_lossy().into_owned())).collect();
    match names.len() {
        0 | 1 => {
            let why =
                format!("{} has {} folders with images; it needs one for each of at least two classes", folder.display(), names.len());
            Err(DataError::Setting { key: "folder", why })
        }
        n if n > MAX_CLASSES => {
            let (size, limit) = (n as u64, MAX_CLASSES as u64);
            let place = folder.display().to_string();
            Err(DataError::TooLarge { place, what: "folders of classes", size, limit, fix: "group them" })
        }
        _ => Ok(names),
    }
}

/// What is in a folder and not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |e| unreadable(folder, &e);
    let mut paths = vec![];
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
