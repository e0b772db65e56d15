//! Data sets larger than memory: the real binary trains on a file that it never holds whole.

mod common;

use common::{command, empty, json, run, stderr};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const WIDTH: usize = 1024;
const MIB: usize = 1 << 20;

/// Writes the header of an npy file.
fn header(file: &mut impl Write, descr: &str, shape: &str) {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(text.len() as u16).to_le_bytes()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// x.npy with rows of WIDTH numbers that tell two classes apart, and y.npy with the classes.
fn generate(folder: &Path, rows: usize) {
    let [mut x, mut y] = ["x.npy", "y.npy"].map(|name| BufWriter::with_capacity(MIB, File::create(folder.join(name)).unwrap()));
    header(&mut x, "<f4", &format!("({rows}, {WIDTH})"));
    header(&mut y, "|u1", &format!("({rows},)"));
    let mut state = 1u64;
    let mut row = vec![0u8; 4 * WIDTH];
    for _ in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let class = (state >> 63) as u8;
        for (i, x) in row.chunks_exact_mut(4).enumerate() {
            let noise = (state.rotate_left(i as u32) >> 40) as f32 / (1 << 24) as f32;
            let mean = if i % 2 == usize::from(class) { 3.0 } else { 2.0 };
            x.copy_from_slice(&(mean + noise).to_le_bytes());
        }
        x.write_all(&row).unwrap();
        y.write_all(&[class]).unwrap();
    }
}

const NET: &str = "epochs = 1\nbatch = 256\n[data]\nkind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nclasses = ['a', 'b']\nstandardize = true
validation = 0.05\ntest = 0.05\n[[layers]]\ntype = 'dense'\nunits = 16\nactivation = 'relu'\n[[layers]]\ntype = 'dense'\nunits = 2\n";

/// The most memory that a process has had, in bytes, as the system counts it; none if it is gone.
fn peak(id: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok().map(|k| k << 10)
}

/// Runs to the end, and gives the memory.
fn watched(folder: &Path, args: &[&str]) -> usize {
    let mut child = command(folder, args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut most = 0;
    loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    most
}

/// Trains on this file of a folder and checks memory; prints what it took.
fn trains(folder: &Path, file: &str, limit: usize) {
    let start = Instant::now();
    let most = watched(folder, &["train", "net.toml"]);
    let bytes = std::fs::metadata(folder.join(file)).unwrap().len() as usize;
    println!("{} MiB of data: {} MiB of memory, {:.1} s", bytes / MIB, most / MIB, start.elapsed().as_secs_f64());
    assert!(bytes > limit && most > 0 && most < limit, "{} MiB of memory for {} MiB of data", most / MIB, bytes / MIB);
    let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("runs/net-0001/meta.json")).unwrap()).unwrap();
    assert_eq!((&meta["state"], &meta["epochs"]), (&"done".into(), &1.into()));
    std::fs::remove_dir_all(folder).unwrap();
}

fn array(name: &str, rows: usize, limit: usize) {
    let folder = empty("large", name);
    generate(&folder, rows);
    std::fs::write(folder.join("net.toml"), NET).unwrap();
    trains(&folder, "x.npy", limit);
}

/// 600 MB. Read whole, they would be over the limit four times.
#[cfg(target_os = "linux")]
#[test]
fn a_file_is_not_held_in_memory() {
    array("medium", 150_000, 150 * MIB);
}

/// 4 GB, with `cargo test --release -p neurona-studio --test large -- --ignored --nocapture`.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "writes 4 GB"]
fn four_gigabytes_need_less_than_half_of_one() {
    array("large", 1_000_000, 500 * MIB);
}

/// 100 MB of text, which is 80 MB of numbers.
#[cfg(target_os = "linux")]
#[test]
fn a_table_is_not_held_in_memory() {
    let folder = empty("large", "table");
    let mut file = BufWriter::with_capacity(MIB, File::create(folder.join("t.csv")).unwrap());
    let names: Vec<String> = (0..200).map(|i| format!("x{i}")).collect();
    writeln!(file, "class,{}", names.join(",")).unwrap();
    for row in 0..100_000u32 {
        let random = row.wrapping_mul(2_654_435_761);
        let line: Vec<String> = (0..200).map(|i| format!("{:.3}", random.rotate_left(i) as f32 / 2f32.powi(32))).collect();
        writeln!(file, "{},{}", if random >> 31 == 1 { "high" } else { "low" }, line.join(",")).unwrap();
    }
    drop(file);
    let data = "kind = 'csv'\nfile = 't.csv'\ntarget = 'class'\nstandardize = true\nstream = true\nvalidation = 0.1\n";
    std::fs::write(folder.join("net.toml"), format!("epochs = 1\n[data]\n{data}[[layers]]\ntype = 'dense'\nunits = 2\n")).unwrap();
    trains(&folder, "t.csv", 60 * MIB);
}

/// The weights of a streamed training are those of one in memory, bit for bit.
#[test]
fn streaming_changes_no_bit() {
    let folder = empty("large", "bits");
    generate(&folder, 2000);
    std::fs::write(folder.join("net.toml"), NET).unwrap();
    let weights = |stream: &str| {
        let setting = format!("data.stream={stream}");
        let output = run(&folder, &["train", "net.toml", "--set", &setting, "--set", "batch=64", "--epochs", "3", "--out", stream]);
        assert!(output.status.success(), "{}", stderr(&output));
        ["best", "last"].map(|name| std::fs::read(folder.join(stream).join(name).with_extension("safetensors")).unwrap())
    };
    assert!(weights("true") == weights("false"));
    let eval = |name: &str| json(&run(&folder, &["eval", name, "--json"]));
    assert_eq!(eval("true"), eval("false"));
    assert!(eval("true")["accuracy"].as_f64().unwrap() > 0.95);
}

/// A file that shrinks while it is read ends the training with an error that names it; the last saved state stays.
#[test]
fn a_file_that_changes_is_an_error() {
    let folder = empty("large", "shrinks");
    generate(&folder, 20_000);
    std::fs::write(folder.join("net.toml"), NET).unwrap();
    let args = ["train", "net.toml", "--set", "data.stream=true", "--epochs", "100000", "--out", "run"];
    let child = command(&folder, &args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !folder.join("run/metrics.jsonl").is_file() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    File::options().write(true).open(folder.join("x.npy")).unwrap().set_len(1000).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("x.npy: row ") && text.contains("had 81920") && !text.contains("panicked"), "{text}");
    assert!(folder.join("run/state.safetensors").is_file(), "nothing to resume from");
}
