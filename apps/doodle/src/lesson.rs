//! What a network learns from: drawings of any files as arrays of pixels and classes, and the presets.

use crate::raster::PIXELS;
use crate::read::{Art, BadData, Reader};
use crate::strokes::{Stroke, bounds};
use crate::{SIZE, bitmap, made};
use neurona::Random;
use neurona::layers::Layer;
use neurona::{Error, Sequential};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A tried training: its name and its settings as a training file, whose data are the arrays of [`Lesson`] in the folder `data`
/// beside it. The last layer has a unit for each class.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// The training file.
    pub file: &'static str,
}

impl Preset {
    /// The network of the first course.
    pub const DECK: Preset = Preset { name: "deck", file: include_str!("../presets/deck.toml") };
    /// The best that ten minutes on two cores give.
    pub const BEST: Preset = Preset { name: "best", file: include_str!("../presets/best.toml") };
    /// The network of the built-in model.
    pub const SMALL: Preset = Preset { name: "small", file: include_str!("../presets/small.toml") };

    /// The preset of this name.
    pub fn of(name: &str) -> Option<Preset> {
        [Preset::DECK, Preset::BEST, Preset::SMALL].into_iter().find(|p| p.name == name)
    }

    /// Its training file for these classes.
    ///
    /// # Errors
    /// None, if its file is right.
    pub fn settings(&self, classes: &[String]) -> neurona::Result<String> {
        let wrong = |why: String| Error::Config { what: self.name.into(), why, fix: "reinstall the program".into() };
        let mut file: toml::Table = toml::from_str(self.file).map_err(|e| wrong(e.to_string()))?;
        if let Some(data) = file.get_mut("data").and_then(toml::Value::as_table_mut) {
            data.insert("classes".into(), classes.to_vec().into());
        }
        let last = file.get_mut("layers").and_then(toml::Value::as_array_mut).and_then(|l| l.last_mut());
        if let Some(last) = last.and_then(toml::Value::as_table_mut) {
            last.insert("units".into(), toml::Value::Integer(classes.len() as i64));
        }
        toml::to_string(&file).map_err(|e| wrong(e.to_string()))
    }

    /// Its network for so many classes, without weights.
    ///
    /// # Errors
    /// None, if its file is right.
    pub fn model(&self, classes: usize) -> neurona::Result<Sequential> {
        #[derive(Deserialize)]
        struct Layers {
            layers: Vec<Layer>,
        }
        let wrong = |e: toml::de::Error| Error::Config { what: self.name.into(), why: e.to_string(), fix: "reinstall the program".into() };
        let mut layers = toml::from_str::<Layers>(self.file).map_err(wrong)?.layers;
        if let Some(Layer::Dense(last)) = layers.last_mut() {
            last.units = classes;
        }
        Ok(Sequential { input: vec![SIZE, SIZE, 1], layers })
    }
}

/// What a drawing is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose the best epoch and the temperature: an eightieth of the drawings.
    Validation,
    /// To judge by: every fifth drawing of a class.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// Its name in file names.
    pub fn name(self) -> &'static str {
        ["train", "validation", "test"][self as usize]
    }

    /// What drawing `index` of its class is for.
    pub fn of(index: usize) -> Split {
        match index % 80 {
            3 => Split::Validation,
            i if i % 5 == 4 => Split::Test,
            _ => Split::Train,
        }
    }
}

/// Which drawings are taken, and in how many forms.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// The first so many of each class.
    pub per_class: usize,
    /// Further forms of each drawing to learn from that is known by its strokes: see [`vary`].
    pub forms: usize,
    /// Whether only drawings count that the game recognized, where the file says so.
    pub recognized: bool,
    /// Decides the forms.
    pub seed: u64,
}

/// What was taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    /// The classes, by name.
    pub classes: Vec<String>,
    /// Rows for each of [`Split::ALL`].
    pub rows: [usize; 3],
    /// Drawings read.
    pub drawings: usize,
}

/// Arrays under construction: pixels go to their files at once, so that memory holds two bytes a row.
pub struct Lesson {
    folder: PathBuf,
    files: Vec<BufWriter<File>>,
    labels: [Vec<u16>; 3],
    /// The classes as they came, and how many drawings of each.
    classes: Vec<(String, usize)>,
    numbers: HashMap<String, usize>,
    drawings: usize,
    selection: Selection,
}

/// Bytes before the numbers of our files.
const HEADER: usize = 128;

impl Lesson {
    /// Arrays in an existing folder.
    ///
    /// # Errors
    /// Files that cannot be made.
    pub fn begin(folder: &Path, selection: Selection) -> Result<Lesson, BadData> {
        let open = |split: Split| {
            let path = folder.join(format!("x_{}.npy", split.name()));
            let file = File::create(&path).and_then(|mut f| f.write_all(&[0; HEADER]).map(|()| f));
            file.map(|f| BufWriter::with_capacity(1 << 18, f)).map_err(|e| BadData::io(&path, &e))
        };
        let files = Split::ALL.into_iter().map(open).collect::<Result<_, _>>()?;
        let labels = Default::default();
        Ok(Lesson { folder: folder.into(), files, labels, classes: vec![], numbers: HashMap::new(), drawings: 0, selection })
    }

    /// Drawings taken so far.
    pub fn drawings(&self) -> usize {
        self.drawings
    }

    /// Adds the drawings of a file. `tick` is told the share of the file that is read, and may end it.
    ///
    /// # Errors
    /// A file that is none of drawings or is damaged, more than 65,536 classes, files that cannot be written.
    pub fn add(&mut self, path: &Path, mut tick: impl FnMut(f64) -> bool) -> Result<(), BadData> {
        let mut reader = Reader::open(path)?;
        let stem = reader.stem();
        for count in 0.. {
            let Some(sample) = reader.next() else { break };
            let sample = sample?;
            if count % 256 == 0 && !tick(reader.progress()) {
                break;
            }
            let named = sample.word.is_some();
            let full = sample.recognized == Some(false) && self.selection.recognized
                || !self.take(sample.word.as_deref().unwrap_or(&stem), &sample.art)?;
            if full && !named && sample.recognized.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Adds drawings that the program makes: `count` of each class.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn add_made(&mut self, count: usize, mut tick: impl FnMut(f64) -> bool) -> Result<(), BadData> {
        for number in 0..count {
            if !tick(number as f64 / count as f64) {
                break;
            }
            for (class, name) in made::CLASSES.iter().enumerate() {
                self.take(name, &Art::Strokes(made::drawing(class, self.selection.seed, number as u64)))?;
            }
        }
        Ok(())
    }

    /// Adds a drawing; false if there are enough of its class.
    fn take(&mut self, class: &str, art: &Art) -> Result<bool, BadData> {
        let number = match self.numbers.get(class) {
            Some(&number) => number,
            None => {
                self.classes.push((class.into(), 0));
                self.numbers.insert(class.into(), self.classes.len() - 1);
                self.classes.len() - 1
            }
        };
        let Ok(label) = u16::try_from(number) else { return Err(BadData::new(&self.folder, None, "more than 65536 classes")) };
        let index = self.classes[number].1;
        if index >= self.selection.per_class {
            return Ok(false);
        }
        self.classes[number].1 += 1;
        self.drawings += 1;
        let split = Split::of(index);
        self.write(split, label, &art.bitmap())?;
        if let (Split::Train, Art::Strokes(strokes)) = (split, art) {
            let mut random = Random::new(self.selection.seed, self.drawings as u64);
            for _ in 0..self.selection.forms {
                self.write(split, label, &bitmap(&vary(strokes, &mut random)))?;
            }
        }
        Ok(true)
    }

    fn write(&mut self, split: Split, label: u16, pixels: &[u8]) -> Result<(), BadData> {
        self.labels[split as usize].push(label);
        self.files[split as usize].write_all(pixels).map_err(|e| BadData::io(&self.folder, &e))
    }

    /// Completes the arrays: `x_train.npy` `[rows, 784]` of bytes, `y_train.npy` `[rows]` of classes in the order of their names,
    /// and so on.
    ///
    /// # Errors
    /// Fewer than two classes, a part without rows, files that cannot be written.
    pub fn finish(self) -> Result<Taken, BadData> {
        let Lesson { folder, files, labels, classes, drawings, .. } = self;
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by(|&a, &b| classes[a].0.cmp(&classes[b].0));
        let mut place = vec![0u16; classes.len()];
        order.iter().enumerate().for_each(|(i, &class)| place[class] = i as u16);
        let classes: Vec<String> = order.iter().map(|&i| classes[i].0.clone()).collect();
        if classes.len() < 2 {
            let why = format!("drawings of {} class; at least two are needed to tell apart", classes.len());
            return Err(BadData::new(&folder, None, why));
        }
        if let Some(split) = Split::ALL.into_iter().find(|&s| labels[s as usize].is_empty()) {
            let why = format!("no drawing is left for {}: use more of each class (at least five)", split.name());
            return Err(BadData::new(&folder, None, why));
        }
        let fail = |e: std::io::Error| BadData::io(&folder, &e);
        for ((split, file), labels) in Split::ALL.into_iter().zip(files).zip(&labels) {
            let mut file = file.into_inner().map_err(|e| fail(e.into_error()))?;
            file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&npy_header("|u1", &[labels.len(), PIXELS]))).map_err(fail)?;
            let bytes: Vec<u8> = labels.iter().flat_map(|&l| place[usize::from(l)].to_le_bytes()).collect();
            let path = folder.join(format!("y_{}.npy", split.name()));
            std::fs::write(path, [npy_header("<u2", &[labels.len()]), bytes].concat()).map_err(fail)?;
        }
        Ok(Taken { classes, rows: labels.map(|l| l.len()), drawings })
    }
}

/// The header of a file of NumPy's, version 1.0, in C order, 128 bytes long
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
pub fn npy_header(kind: &str, shape: &[usize]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n},")).collect();
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    format!("{text:<width$}\n", width = HEADER - 11).bytes().fold(b"\x93NUMPY\x01\x00\x76\x00".to_vec(), |mut all, b| {
        all.push(b);
        all
    })
}

/// Another form of a drawing: turned by up to 10°, stretched, slanted, mirrored or not, every point moved a little; and in one of
/// three cases only its first 40 to 100 %, as one sees it while it is drawn.
pub fn vary(strokes: &[Stroke], random: &mut Random) -> Vec<Stroke> {
    let Some(b) = bounds(strokes) else { return strokes.to_vec() };
    let size = (b[2] - b[0]).max(b[3] - b[1]);
    let (turn, wide, slant) = (random.within(-0.17, 0.17), random.within(0.85, 1.18), random.within(-0.12, 0.12));
    let mirror = if random.chance(0.5) { -1.0 } else { 1.0 };
    let (sin, cos) = turn.sin_cos();
    let mut place = |p: &(f32, f32)| {
        let shake = 0.008 * size;
        let (x, y) = ((f64::from(p.0) - b[0]) * wide * mirror, f64::from(p.1) - b[1]);
        let x = x + slant * y + shake * random.within(-1.0, 1.0);
        let y = y + shake * random.within(-1.0, 1.0);
        ((cos * x - sin * y) as f32, (sin * x + cos * y) as f32)
    };
    let moved: Vec<Stroke> = strokes.iter().map(|s| s.iter().map(&mut place).collect()).collect();
    if random.chance(2.0 / 3.0) { moved } else { beginning(&moved, random.within(0.4, 1.0)) }
}

/// The first `share` of a drawing, by the length of its lines.
pub fn beginning(strokes: &[Stroke], share: f64) -> Vec<Stroke> {
    let length = |w: &[(f32, f32)]| f64::from((w[1].0 - w[0].0).hypot(w[1].1 - w[0].1));
    let total: f64 = strokes.iter().flat_map(|s| s.windows(2)).map(length).sum();
    let (mut left, mut first) = (share * total, vec![]);
    for stroke in strokes {
        let mut part: Stroke = stroke.first().copied().into_iter().collect();
        for w in stroke.windows(2) {
            let step = length(w);
            if step > left {
                let t = (left / step) as f32;
                part.push((w[0].0 + t * (w[1].0 - w[0].0), w[0].1 + t * (w[1].1 - w[0].1)));
                first.push(part);
                return first;
            }
            left -= step;
            part.push(w[1]);
        }
        first.push(part);
    }
    first
}
