//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::Path;

/// Writes a file beside its place, and renames it once the disk has it: an interruption leaves the old one whole.
///
/// # Errors
/// Those of the file system; what was written is removed.
///
/// ```
/// let path = std::env::temp_dir().join(format!("neurona-example-{}", std::process::id()));
/// neurona::write_whole(&path, b"whole")?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |beside| {
        let mut file = File::create(beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    })
}

/// The same for what `write` writes to the path that it is given.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    write(&beside).and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        fs::remove_file(&beside).ok(); // it may not be there
    })
}
