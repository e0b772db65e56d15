//! Event files that TensorBoard reads: numbers and histograms over the steps of a training.
//!
//! A file is a list of records (length, its checksum, data, its checksum), each an `Event` of TensorFlow's
//! `event.proto`, encoded by hand: it takes three kinds of fields.

use crate::{EpochReport, Error, Observer, Param, Result, Scores, State};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The table of CRC-32C (Castagnoli, polynomial 0x1EDC6F41, here reflected).
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut c, mut k) = (i as u32, 0);
        while k < 8 {
            c = if c & 1 == 1 { (c >> 1) ^ 0x82F6_3B78 } else { c >> 1 };
            k += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
};

fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |c, &b| (c >> 8) ^ TABLE[((c ^ u32::from(b)) & 0xFF) as usize])
}

/// The checksum of a record: rotated and shifted, so that data which hold checksums stay checkable.
fn masked(data: &[u8]) -> [u8; 4] {
    crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// A message of protocol buffers under construction: fields are (number << 3 | kind), then the value.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    fn integer(mut self, field: u64, x: u64) -> Message {
        self.varint(field << 3);
        self.varint(x);
        self
    }

    fn double(mut self, field: u64, x: f64) -> Message {
        self.varint(field << 3 | 1);
        self.0.extend(x.to_le_bytes());
        self
    }

    fn float(mut self, field: u64, x: f32) -> Message {
        self.varint(field << 3 | 5);
        self.0.extend(x.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, x: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(x.len() as u64);
        self.0.extend(x);
        self
    }

    fn doubles(self, field: u64, x: &[f64]) -> Message {
        self.bytes(field, &x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
    }
}

/// Intervals of a histogram.
const BINS: usize = 30;

/// A `HistogramProto`; numbers that are not finite are left out.
fn histogram(values: &[f32]) -> Message {
    let finite = || values.iter().map(|&x| f64::from(x)).filter(|x| x.is_finite());
    let (min, max) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (lo.min(x), hi.max(x)));
    let (limits, counts): (Vec<f64>, Vec<f64>) = if min < max {
        let width = (max - min) / BINS as f64;
        let limits = (1..BINS).map(|i| min + i as f64 * width).chain([max]).collect();
        let mut counts = vec![0.0; BINS];
        finite().for_each(|x| counts[(((x - min) / width) as usize).min(BINS - 1)] += 1.0);
        (limits, counts)
    } else {
        (finite().take(1).collect(), finite().take(1).map(|_| finite().count() as f64).collect())
    };
    let (min, max) = if min <= max { (min, max) } else { (0.0, 0.0) };
    let (count, sum, squares) = (finite().count() as f64, finite().sum(), finite().map(|x| x * x).sum());
    let head = Message::default().double(1, min).double(2, max).double(3, count).double(4, sum).double(5, squares);
    head.doubles(6, &limits).doubles(7, &counts)
}

/// How names of event files begin: TensorBoard looks for "tfevents".
const PREFIX: &str = "events.out.tfevents.";

/// The whole records of a file, up to the first that is not.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let end = usize::try_from(u64::from_le_bytes(*length)).ok()?.checked_add(16)?;
        let record = bytes.get(..end).filter(|_| rest.starts_with(&masked(length)))?;
        (record[end - 4..] == masked(&record[12..end - 4])).then(|| bytes = &bytes[end..])?;
        Some(record)
    })
}

/// The step of an event that this module wrote: field 2, after the time.
fn step_of(event: &[u8]) -> Option<u64> {
    let varint = event.get(9..)?.strip_prefix(&[2 << 3])?;
    let end = varint.iter().position(|b| b & 0x80 == 0).filter(|&i| i < 10)?;
    Some(varint[..=end].iter().enumerate().fold(0, |n, (i, b)| n | u64::from(b & 0x7F) << (7 * i)))
}

/// Writes an event file.
///
/// ```
/// use neurona::tensorboard::EventWriter;
/// let folder = std::env::temp_dir().join(format!("neurona-events-{}", std::process::id()));
/// let mut events = EventWriter::create(&folder)?;
/// events.scalar("loss/train", 1, 0.5)?;
/// events.histogram("dense_1/weight", 1, &[0.1, -0.2, 0.3])?;
/// events.flush()?;
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok::<(), neurona::Error>(())
/// ```
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

impl EventWriter {
    /// Starts a new file in `folder`, which is made if need be.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn create(folder: &Path) -> Result<EventWriter> {
        let fail = |path: &Path, e: std::io::Error| Error::Io { verb: "write", path: path.into(), why: format!("{e}; check the folder") };
        std::fs::create_dir_all(folder).map_err(|e| fail(folder, e))?;
        // The time in the name sorts files. Two files of one second differ by number.
        for number in 0.. {
            let path = folder.join(format!("{PREFIX}{:010}.neurona.{}.{number}", now() as u64, std::process::id()));
            match File::create_new(&path) {
                Ok(file) => {
                    let mut events = EventWriter { path, file: BufWriter::new(file) };
                    events.write(Message::default().double(1, now()).bytes(3, b"brain.Event:2"))?;
                    return Ok(events);
                }
                Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(fail(&path, e)),
                Err(_) => {}
            }
        }
        Err(fail(folder, std::io::ErrorKind::AlreadyExists.into()))
    }

    /// Goes on with the last file in `folder` after `step`: what was written of later steps, or only in part, is
    /// removed. Starts a new file if there is none.
    ///
    /// # Errors
    /// A folder or file that cannot be read or written.
    pub fn resume(folder: &Path, step: u64) -> Result<EventWriter> {
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
        let events = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(PREFIX));
        let Some(path) = names.filter(events).max() else { return EventWriter::create(folder) };
        let fail = |e: std::io::Error| Error::Io { verb: "write", path: path.clone(), why: format!("{e}; check the file") };
        let bytes = std::fs::read(&path).map_err(fail)?;
        let kept: Vec<&[u8]> = records(&bytes).filter(|r| step_of(&r[12..r.len() - 4]).is_none_or(|s| s <= step)).collect();
        if kept.is_empty() {
            // Its process was killed before anything reached the disk.
            std::fs::remove_file(&path).map_err(fail)?;
            return EventWriter::create(folder);
        }
        std::fs::write(&path, kept.concat()).map_err(fail)?;
        let file = File::options().append(true).open(&path).map_err(fail)?;
        Ok(EventWriter { path, file: BufWriter::new(file) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, done: std::io::Result<()>) -> Result<()> {
        done.map_err(|e| Error::Io { verb: "write", path: self.path.clone(), why: format!("{e}; check the disk") })
    }

    fn write(&mut self, event: Message) -> Result<()> {
        let done = self.file.write_all(&record(&event.0));
        self.check(done)
    }

    fn event(&mut self, tag: &str, step: u64, value: impl Fn(Message) -> Message) -> Result<()> {
        let summary = Message::default().bytes(1, &value(Message::default().bytes(1, tag.as_bytes())).0);
        self.write(Message::default().double(1, now()).integer(2, step).bytes(5, &summary.0))
    }

    /// A number at this step (an epoch, for example). A slash in the tag groups charts.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn scalar(&mut self, tag: &str, step: u64, x: f64) -> Result<()> {
        self.event(tag, step, |m| m.float(2, x as f32))
    }

    /// How `values` are distributed at this step, in 30 intervals of equal width; values that are not
    /// finite are left out.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn histogram(&mut self, tag: &str, step: u64, values: &[f32]) -> Result<()> {
        let h = histogram(values);
        self.event(tag, step, |m| m.bytes(5, &h.0))
    }

    /// Hands everything to the operating system, so that a reader sees it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        let done = self.file.flush();
        self.check(done)
    }
}

/// An observer that writes losses, metrics, the learning rate and, if asked for, histograms of the weights
/// after each epoch. A file that cannot be written does not stop the training: [`TensorBoard::finish`]
/// tells.
pub struct TensorBoard {
    events: EventWriter,
    histograms: bool,
    failed: Option<Error>,
}

impl TensorBoard {
    /// Starts a new file in `folder`, with histograms of all weights if `histograms`.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn create(folder: &Path, histograms: bool) -> Result<TensorBoard> {
        Ok(TensorBoard { events: EventWriter::create(folder)?, histograms, failed: None })
    }

    /// Goes on after `epoch`, as [`EventWriter::resume`] does.
    ///
    /// # Errors
    /// A folder or file that cannot be read or written.
    pub fn resume(folder: &Path, histograms: bool, epoch: usize) -> Result<TensorBoard> {
        Ok(TensorBoard { events: EventWriter::resume(folder, epoch as u64)?, histograms, failed: None })
    }

    fn scores(&mut self, set: &str, step: u64, scores: &Scores) -> Result<()> {
        self.events.scalar(&format!("loss/{set}"), step, scores.loss)?;
        scores.metrics.iter().try_for_each(|(m, x)| self.events.scalar(&format!("{}/{set}", m.name()), step, *x))
    }

    fn epoch(&mut self, report: &EpochReport, params: &[Param], state: &State) -> Result<()> {
        let step = report.epoch as u64;
        self.scores("train", step, &report.train)?;
        report.validation.iter().try_for_each(|v| self.scores("validation", step, v))?;
        self.events.scalar("learning_rate", step, report.learning_rate)?;
        self.events.scalar("seconds", step, report.seconds)?;
        if self.histograms {
            params.iter().zip(&state.params).try_for_each(|(p, v)| self.events.histogram(&p.name, step, v))?;
        }
        self.events.flush()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The first error of writing, now or during the training.
    pub fn finish(mut self) -> Result<()> {
        self.failed.take().map_or_else(|| self.events.flush(), Err)
    }
}

impl Observer for TensorBoard {
    fn on_epoch(&mut self, report: &EpochReport, params: &[Param], state: &State) -> ControlFlow<()> {
        if self.failed.is_none() {
            self.failed = self.epoch(report, params, state).err();
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the algorithm (the catalogue of parametrised CRC algorithms: CRC-32/ISCSI).
    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA); // RFC 3720, B.4
        assert_eq!(crc32c(&[]), 0);
    }

    /// The first record of every file, as TensorFlow writes it but for the time (here 1.0).
    #[test]
    fn records_have_the_known_bytes() {
        let event = Message::default().double(1, 1.0).bytes(3, b"brain.Event:2");
        assert_eq!(event.0, b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2");
        let bytes = record(&event.0);
        assert_eq!(bytes[..8], 24u64.to_le_bytes());
        // Known from files of TensorFlow: the masked checksum of the length 24.
        assert_eq!(bytes[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(bytes.len(), 8 + 4 + 24 + 4);
    }

    #[test]
    fn numbers_are_encoded_as_the_format_says() {
        // The example of the format's documentation: 150 is 96 01.
        assert_eq!(Message::default().integer(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().float(2, 0.5).0, [0x15, 0, 0, 0, 0x3f]);
        assert_eq!(Message::default().doubles(7, &[]).0, [0x3a, 0]);
    }

    #[test]
    fn a_resumed_file_has_no_step_twice() {
        let folder = std::env::temp_dir().join(format!("neurona-events-resumed-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        let write = |events: &mut EventWriter, steps: std::ops::RangeInclusive<u64>| {
            steps.for_each(|s| events.scalar("loss", s, 0.5).unwrap());
            events.flush().unwrap();
        };
        let mut events = EventWriter::create(&folder).unwrap();
        let path = events.path().to_path_buf();
        write(&mut events, 1..=300);
        drop(events);
        // A process that was killed in the middle of a record.
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let mut events = EventWriter::resume(&folder, 200).unwrap();
        assert_eq!(events.path(), path);
        write(&mut events, 201..=203);
        let bytes = std::fs::read(&path).unwrap();
        let steps: Vec<Option<u64>> = records(&bytes).map(|r| step_of(&r[12..r.len() - 4])).collect();
        assert_eq!(steps, std::iter::once(None).chain((1..=203).map(Some)).collect::<Vec<_>>());
        assert_eq!(records(&bytes).map(<[u8]>::len).sum::<usize>(), bytes.len());
        std::fs::write(&path, b"").unwrap();
        drop(EventWriter::resume(&folder, 3).unwrap());
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.len() == 1 && records(&std::fs::read(&files[0]).unwrap()).count() == 1, "an empty file begins anew");
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(EventWriter::resume(&folder, 3).is_ok(), "without a file a new one begins");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn histograms_count_everything_finite() {
        let fields = |values: &[f32]| histogram(values).0;
        let doubles = |bytes: &[u8]| bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect::<Vec<_>>();
        let bytes = fields(&[0.0, 3.0, 1.5, f32::NAN, 3.0]);
        let head: Vec<f64> = (0..5).map(|i| doubles(&bytes[9 * i + 1..9 * i + 9])[0]).collect();
        assert_eq!(head, [0.0, 3.0, 4.0, 7.5, 20.25]);
        let lists = &bytes[45..];
        assert_eq!(lists.len(), 2 * (3 + 8 * BINS)); // a key, a length of two bytes, the numbers
        let (limits, counts) = (doubles(&lists[3..3 + 8 * BINS]), doubles(&lists[6 + 8 * BINS..]));
        assert_eq!((limits[0], limits[BINS - 1]), (0.1, 3.0));
        assert_eq!((counts[0], counts[15], counts[BINS - 1], counts.iter().sum::<f64>()), (1.0, 1.0, 2.0, 4.0));
        assert!(fields(&[2.0, 2.0]).len() > fields(&[]).len());
    }
}
