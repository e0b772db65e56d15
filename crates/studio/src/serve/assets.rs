//! The files of the page, embedded in the program, so that nothing is to be installed beside it.

use std::borrow::Cow;
use std::path::PathBuf;

/// A file of the folder `web`.
pub struct File {
    /// Its path in the folder.
    pub path: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal,)*) => { &[$(File { path: $path, bytes: include_bytes!(concat!("../../web/", $path)) }),*] };
}

/// Every file; a test compares the list with the folder.
pub const FILES: &[File] = files![
    "app.css",
    "icon.svg",
    "layout.html",
    "lib/cells.js",
    "lib/chart.js",
    "lib/figure.js",
    "lib/heat.js",
    "lib/layout.js",
    "lib/live.js",
    "lib/plane.js",
    "lib/share.js",
    "lib/state.js",
    "lib/stepper.js",
    "lib/theme.js",
    "lib/training.js",
    "lib/ui.js",
    "pages/backprop.css",
    "pages/backprop.html",
    "pages/backprop.js",
    "pages/connect4.css",
    "pages/connect4.html",
    "pages/connect4.js",
    "pages/descent.css",
    "pages/descent.html",
    "pages/descent.js",
    "pages/doodle.css",
    "pages/doodle.html",
    "pages/doodle.js",
    "pages/equations.css",
    "pages/equations.html",
    "pages/equations.js",
    "pages/glossary.html",
    "pages/hide.css",
    "pages/hide.html",
    "pages/hide.js",
    "pages/home.html",
    "pages/losses.css",
    "pages/losses.html",
    "pages/losses.js",
    "pages/model.css",
    "pages/model.html",
    "pages/model.js",
    "pages/neuron.css",
    "pages/neuron.html",
    "pages/neuron.js",
    "pages/runs.css",
    "pages/runs.html",
    "pages/runs.js",
    "pages/train.css",
    "pages/train.html",
    "pages/train.js",
    "pages/transport.css",
    "pages/transport.html",
    "pages/transport.js",
];

/// Where the files come from.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// A folder to read them from at each request, to see changes without compiling.
    pub folder: Option<PathBuf>,
}

impl Assets {
    /// The file of that path; only listed ones exist, so no path leads out of the folder.
    pub fn file(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        let file = FILES.iter().find(|f| f.path == path)?;
        match &self.folder {
            Some(folder) => std::fs::read(folder.join(file.path)).ok().map(Cow::Owned),
            None => Some(Cow::Borrowed(file.bytes)),
        }
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<String> {
        self.file(path).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok())
    }
}

/// A word that changes with the files: part of their address, so that browsers may keep them (64-bit FNV-1a).
pub fn version() -> String {
    let bytes = FILES.iter().flat_map(|f| f.path.bytes().chain(f.bytes.iter().copied()));
    format!("{:016x}", bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
}

/// The media type of a file name.
pub fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("toml" | "jsonl" | "csv" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What browsers get: everything but texts for people who write pages.
    const LIMIT: usize = 300_000;

    fn list(folder: &Path, below: &str, all: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => list(&entry.path(), &format!("{name}/"), all),
                false if name.ends_with(".md") => {}
                false => all.push(name),
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_and_together_they_are_small() {
        let (mut there, mut listed) = (vec![], FILES.iter().map(|f| f.path.to_string()).collect::<Vec<_>>());
        list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web"), "", &mut there);
        there.sort();
        listed.sort();
        assert_eq!(there, listed);
        let size: usize = FILES.iter().map(|f| f.bytes.len()).sum();
        assert!(size <= LIMIT, "{size} bytes");
    }

    #[test]
    fn files_need_no_other_host_and_no_markup_from_data() {
        for f in FILES.iter().filter(|f| !f.path.ends_with(".svg")) {
            let text = std::str::from_utf8(f.bytes).unwrap();
            let elsewhere = [
                "src=\"http",
                "src=\"//",
                "url(http",
                "url(//",
                "@import",
                "from 'http",
                "import('http",
                "<link rel=\"stylesheet\" href=\"http",
            ];
            let unsafe_ =
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " style=\"", " onclick="];
            for word in elsewhere.iter().chain(&unsafe_) {
                assert!(!text.contains(word), "{}: {word}", f.path);
            }
        }
    }

    #[test]
    fn only_listed_files_exist() {
        let assets = Assets { folder: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("web")) };
        assert!(assets.file("app.css").is_some() && assets.file("../Cargo.toml").is_none() && assets.file("README.md").is_none());
    }
}
