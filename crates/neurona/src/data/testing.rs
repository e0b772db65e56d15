//! Temporary files and the shared genuine data, for the tests of this folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A new folder that is removed at the end of the test.
pub struct TempDir {
    pub path: PathBuf,
}

impl TempDir {
    pub fn new() -> TempDir {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("neurona-data-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        TempDir { path }
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A path with no file.
pub fn missing() -> PathBuf {
    std::env::temp_dir().join("neurona-no-such-folder").join("x.npy")
}

/// The folder of genuine data, which a checkout without it lacks; `NEURONA_SHARED` names it elsewhere.
pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let found =
        [Some(beside.to_path_buf()), std::env::var_os("NEURONA_SHARED").map(PathBuf::from)].into_iter().flatten().find(|p| p.is_dir());
    if found.is_none() {
        eprintln!("skipped: no shared/data beside the checkout, and NEURONA_SHARED does not name it");
    }
    found
}
