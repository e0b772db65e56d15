//! What Google publishes of Quick, Draw!: 345 classes in four formats, and where they are.
//! (<https://github.com/googlecreativelab/quickdraw-dataset>; the names of the classes are those of its `categories.txt`.)

use crate::read::Format;

/// Where the folders of the formats are.
pub const SOURCE: &str = "https://storage.googleapis.com/quickdraw_dataset/full";

/// What has to be said wherever the data or what is made of them is passed on.
pub const CREDIT: &str = "The Quick, Draw! Dataset (https://github.com/googlecreativelab/quickdraw-dataset): drawings by the players of \
    Quick, Draw!, made available by Google, Inc. under the Creative Commons Attribution 4.0 International licence \
    (https://creativecommons.org/licenses/by/4.0/)";

/// A format in which every class is published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// NumPy arrays of 28 × 28 bytes.
    Bitmap,
    /// Simplified strokes, a JSON object a line.
    Simplified,
    /// Strokes as they were drawn, with times.
    Raw,
    /// Simplified strokes, packed.
    Binary,
}

impl Published {
    /// All of them.
    pub const ALL: [Published; 4] = [Published::Bitmap, Published::Simplified, Published::Raw, Published::Binary];

    /// Its name here.
    pub fn name(self) -> &'static str {
        ["bitmap", "simplified", "raw", "binary"][self as usize]
    }

    /// The format of this name.
    pub fn of(name: &str) -> Option<Published> {
        Published::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Its folder.
    pub fn folder(self) -> &'static str {
        ["numpy_bitmap", "simplified", "raw", "binary"][self as usize]
    }

    /// The file of a class.
    pub fn file(self, class: &str) -> String {
        format!("{class}.{}", ["npy", "ndjson", "ndjson", "bin"][self as usize])
    }

    /// What its files are read as.
    pub fn format(self) -> Format {
        [Format::Npy, Format::Ndjson, Format::Ndjson, Format::Binary][self as usize]
    }

    /// The address of a class below `source`.
    ///
    /// ```
    /// use doodle::catalogue::{Published, SOURCE};
    /// let address = Published::Simplified.address(SOURCE, "hot air balloon");
    /// assert_eq!(address, "https://storage.googleapis.com/quickdraw_dataset/full/simplified/hot%20air%20balloon.ndjson");
    /// ```
    pub fn address(self, source: &str, class: &str) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let encoded = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
        let file: String = self.file(class).bytes().map(encoded).collect();
        format!("{}/{}/{file}", source.trim_end_matches('/'), self.folder())
    }
}

/// The classes, in Google's order.
pub fn classes() -> impl Iterator<Item = &'static str> {
    include_str!("../data/categories.txt").lines()
}

/// The class that is meant: capitals do not matter, and `_` is a blank.
///
/// ```
/// assert_eq!(doodle::catalogue::class("the_eiffel tower"), Some("The Eiffel Tower"));
/// assert_eq!(doodle::catalogue::class("unicorn"), None);
/// ```
pub fn class(name: &str) -> Option<&'static str> {
    let folded = |s: &str| s.trim().replace('_', " ").to_lowercase();
    classes().find(|c| folded(c) == folded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_345_classes_and_each_is_found_by_its_name() {
        assert_eq!(classes().count(), 345);
        assert!(classes().all(|c| class(c) == Some(c) && class(&c.replace(' ', "_").to_uppercase()) == Some(c)));
        assert!(Published::ALL.into_iter().all(|p| Published::of(p.name()) == Some(p)));
    }
}
