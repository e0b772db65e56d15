//! The gallery: differential equations that are part of the program, for the command `solve` and for the page of equations.

use crate::Texts;

/// An equation of the gallery.
pub struct Example {
    /// What `neurona solve` calls it.
    pub name: &'static str,
    /// The message that says what it is.
    pub title: &'static str,
    /// The file.
    pub text: &'static str,
}

/// Where the files lie in the sources; files that they name are looked for from there.
pub const FOLDER: &str = "examples/equations";

macro_rules! gallery {
    ($($name:literal $title:literal,)*) => {
        &[$(Example { name: $name, title: $title, text: include_str!(concat!("../../../examples/equations/", $name, ".toml")) }),*]
    };
}

/// Every equation, the easy ones first; a test compares the list with the folder.
pub const GALLERY: &[Example] = gallery![
    "poisson" "equation.poisson",
    "helmholtz" "equation.helmholtz",
    "heat" "equation.heat",
    "wave" "equation.wave",
    "transport" "equation.transport",
    "advection" "equation.advection",
    "front" "equation.front",
    "parametric" "equation.parametric",
    "burgers" "equation.burgers",
    "allen_cahn" "equation.allen_cahn",
    "kdv" "equation.kdv",
    "schroedinger" "equation.schroedinger",
    "lorenz" "equation.lorenz",
    "cavity" "equation.cavity",
    "inverse" "equation.inverse",
    "holes" "equation.holes",
];

impl Example {
    /// The equation of that name.
    pub fn of(name: &str) -> Option<&'static Example> {
        GALLERY.iter().find(|e| e.name == name)
    }

    /// What it is, in the user's language.
    pub fn title(&self, texts: &Texts) -> String {
        texts.get(self.title)
    }
}

/// All names, with commas between them.
pub fn names() -> String {
    GALLERY.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    #[test]
    fn every_file_of_the_folder_is_in_the_gallery_with_a_title() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER);
        let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        let mut there: Vec<String> = files.map(|p| p.file_stem().unwrap().to_str().unwrap().to_string()).collect();
        let mut listed: Vec<String> = GALLERY.iter().map(|e| e.name.to_string()).collect();
        there.sort();
        listed.sort();
        assert_eq!(there, listed);
        for lang in Lang::ALL {
            assert!(GALLERY.iter().all(|e| Texts::new(lang).has(e.title) && Example::of(e.name).is_some()));
        }
    }
}
