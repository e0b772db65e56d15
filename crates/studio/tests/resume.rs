//! `resume` of the real binary: after Ctrl-C or a kill, the bytes are those of a training without interruption; and
//! nothing is lost where it cannot go on.
#![cfg(unix)]

mod common;

use common::{command, empty, npy, run, stderr};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An empty folder to run in, with the training file net.toml and its data: rows on two rings, 11 batches an epoch.
fn folder(name: &str, epochs: usize) -> PathBuf {
    let path = empty("resume", name);
    let row = |i: i32| {
        let (angle, radius) = (f64::from(i * 37 % 360).to_radians(), if i % 3 == 0 { 1.0 } else { 2.0 });
        format!("{:.4},{:.4},{}\n", radius * angle.cos(), radius * angle.sin(), if i % 3 == 0 { "in" } else { "out" })
    };
    fs::write(path.join("rings.csv"), format!("x,y,ring\n{}", (0..400).map(row).collect::<String>())).unwrap();
    let net = format!(
        "epochs = {epochs}\nbatch = 30\nseed = 3\nlearning_rate = 0.003\nschedule = \"cosine\"\ncheckpoint_seconds = 0.02\n\
        [data]\nkind = \"csv\"\nfile = \"rings.csv\"\ntarget = \"ring\"\nvalidation = 0.1\ntest = 0.1\n\
        [[layers]]\ntype = \"dense\"\nunits = 48\nactivation = \"relu\"\n[[layers]]\ntype = \"dropout\"\nrate = 0.1\n\
        [[layers]]\ntype = \"dense\"\nunits = 2\n"
    );
    fs::write(path.join("net.toml"), net).unwrap();
    path
}

/// Weights and everything else that must not depend on interruptions. Times do.
fn results(run: &Path) -> (Vec<u8>, Vec<u8>, Vec<Value>) {
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let line = |l: &str| {
        let mut v: Value = serde_json::from_str(l).unwrap();
        v.as_object_mut().unwrap().remove("seconds");
        v
    };
    let read = |name: &str| fs::read(run.join(name)).unwrap();
    (read("last.safetensors"), read("best.safetensors"), metrics.lines().map(line).collect())
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Starts a command in the background and ends it with the signal after `wait` and once the run has its state.
fn ended_by(dir: &Path, args: &[&str], run: &str, name: &str, wait: Duration) -> Option<i32> {
    let mut child = command(dir, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.join(run).join("meta.json").exists() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not begin");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(wait);
    if child.try_wait().unwrap().is_none() {
        signal(&child, name);
    }
    child.wait().unwrap().code()
}

/// Whether the run says that it is finished: a signal may come after its last file is written, while the process ends.
fn is_done(run: &Path) -> bool {
    fs::read_to_string(run.join("meta.json")).unwrap().contains("\"done\"")
}

#[test]
fn interrupted_and_killed_trainings_end_with_the_same_bytes() {
    let dir = folder("bytes", 400);
    let o = run(&dir, &["train", "net.toml", "--out", "whole", "--threads", "1"]);
    assert!(o.status.success(), "{}", stderr(&o));
    let whole = results(&dir.join("whole"));
    assert_eq!(whole.2.len(), 400);
    for (name, expected) in [("-INT", Some(130)), ("-TERM", Some(130)), ("-KILL", None)] {
        for (threads, first) in [("1", 1), ("2", 60)] {
            let out = format!("run{name}-{threads}");
            let mut args = vec!["train", "net.toml", "--out", &out, "--threads", threads];
            let (mut wait, mut interruptions) = (Duration::from_millis(first), 0);
            loop {
                let code = ended_by(&dir, &args, &out, name, wait);
                if code == Some(0) || is_done(&dir.join(&out)) {
                    break;
                }
                // A signal that comes before training goes on ends the process as a kill does.
                assert!(code == expected || code.is_none() && args[0] == "resume", "{args:?}: {code:?}");
                interruptions += 1;
                args = vec!["resume", &out, "--threads", threads];
                wait = Duration::from_millis(40 * (interruptions % 4) + 7);
                if interruptions == 6 {
                    let o = run(&dir, &args);
                    assert!(o.status.success(), "{}", stderr(&o));
                    break;
                }
            }
            assert!(interruptions > 0, "{out} was never interrupted");
            assert!(results(&dir.join(&out)) == whole, "{out} differs after {interruptions} interruptions");
        }
    }
}

/// Every option that a training can have, at once: images of two classes of unequal size.
fn all_options(name: &str) -> PathBuf {
    let path = empty("resume", name);
    let pixel =
        |i: usize| ((i * 7919 % 97) as f64 / 97.0 - 0.5) * if (i / 36).is_multiple_of(4) { 2.0 } else { 1.0 } + (i % 6) as f64 / 6.0;
    npy(&path.join("x.npy"), "(300, 6, 6, 1)", &(0..300 * 36).map(pixel).collect::<Vec<_>>(), false);
    npy(&path.join("y.npy"), "(300,)", &(0..300).map(|i| f64::from(u8::from(i % 4 == 0))).collect::<Vec<_>>(), true);
    let net = "epochs = 60\nbatch = 32\nseed = 5\nlearning_rate = 0.004\nschedule = 'one_cycle'\nwarmup = 2.5\ncheckpoint_seconds = 0.02\n\
        optimizer = { kind = 'momentum', momentum = 0.8 }\nclip = { norm = 0.5 }\nweight_decay = 0.001\naverage = 0.95\n\
        class_weights = 'balanced'\nlabel_smoothing = 0.1\ntensorboard = true\n\
        [augment]\nshift = 0.2\nrotate = 10\nnoise = 0.05\nflip_horizontal = true\ncutout = 0.2\n\
        [reduce_on_plateau]\npatience = 2\nfactor = 0.7\nmin_delta = 0.01\ncooldown = 1\n[early_stopping]\npatience = 50\n\
        [data]\nkind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nvalidation = 0.2\n\
        [[layers]]\ntype = 'conv2d'\nfilters = 4\nkernel = 3\nactivation = 'relu'\n[[layers]]\ntype = 'batch_norm'\n\
        [[layers]]\ntype = 'flatten'\n[[layers]]\ntype = 'dropout'\nrate = 0.1\n[[layers]]\ntype = 'dense'\nunits = 2\n";
    fs::write(path.join("net.toml"), net).unwrap();
    path
}

#[test]
fn every_option_goes_on_with_the_same_bytes() {
    let dir = all_options("options");
    let o = run(&dir, &["train", "net.toml", "--out", "whole", "--threads", "1"]);
    assert!(o.status.success(), "{}", stderr(&o));
    let whole = results(&dir.join("whole"));
    assert!(whole.0 != whole.1, "the average is the best, not the last weights");
    let last = |run: &str| results(&dir.join(run)).2.last().unwrap()["lr"].as_f64().unwrap();
    assert!(run(&dir, &["train", "net.toml", "--out", "patient", "--set", "reduce_on_plateau.patience=1000"]).status.success());
    assert!(last("whole") < 0.75 * last("patient"), "the plateau lowered the rate");
    let events = |run: &str| -> Vec<u64> {
        let file = fs::read_dir(dir.join(run)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.to_string_lossy().contains("tfevents"));
        file.map(|p| fs::metadata(p).unwrap().len()).collect()
    };
    assert_eq!(events("whole").len(), 1);
    for (name, expected) in [("-INT", Some(130)), ("-KILL", None)] {
        let out = format!("run{name}");
        let mut args = vec!["train", "net.toml", "--out", &out, "--threads", "2"];
        let mut interruptions = 0;
        for wait in [5, 60, 33] {
            let code = ended_by(&dir, &args, &out, name, Duration::from_millis(wait));
            let early = code.is_none() && args[0] == "resume";
            args = vec!["resume", &out];
            if code == Some(0) || is_done(&dir.join(&out)) {
                break;
            }
            assert!(code == expected || early, "{args:?}: {code:?}");
            interruptions += 1;
        }
        if !is_done(&dir.join(&out)) {
            let o = run(&dir, &args);
            assert!(o.status.success(), "{}", stderr(&o));
        }
        assert!(interruptions > 0, "{out} was never interrupted");
        assert!(results(&dir.join(&out)) == whole, "{out} differs after {interruptions} interruptions");
        assert_eq!(events(&out), events("whole"), "no event is lost or written twice");
    }
    // The average is what was saved as the best, what is evaluated and what predicts.
    let o = run(&dir, &["eval", "whole", "--json"]);
    let v: Value = serde_json::from_slice(&o.stdout).unwrap_or_else(|_| panic!("{}", stderr(&o)));
    let line = whole.2.iter().min_by(|a, b| a["val_loss"].as_f64().unwrap().total_cmp(&b["val_loss"].as_f64().unwrap())).unwrap();
    assert!((v["loss"].as_f64().unwrap() - line["val_loss"].as_f64().unwrap()).abs() < 1e-6, "{v} {line}");
}

#[test]
fn ctrl_c_says_how_to_go_on_and_a_finished_run_can_be_trained_further() {
    let dir = folder("hint", 100_000_000);
    let mut child = command(&dir, &["train", "net.toml"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    while !dir.join("runs/net-0001/metrics.jsonl").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nobody else may write there meanwhile.
    let o = run(&dir, &["resume", "net-0001"]);
    assert_eq!(o.status.code(), Some(1), "{}", stderr(&o));
    assert!(stderr(&o).contains("runs/net-0001 is in use"), "{}", stderr(&o));
    signal(&child, "-INT");
    let o = child.wait_with_output().unwrap();
    assert_eq!(o.status.code(), Some(130));
    assert!(stderr(&o).contains("fix: go on with: neurona resume net-0001"), "{}", stderr(&o));
    let done = fs::read_to_string(dir.join("runs/net-0001/metrics.jsonl")).unwrap().lines().count();
    let o = run(&dir, &["resume", "net-0001", "--epochs", &(done + 2).to_string(), "--json"]);
    let v: Value = serde_json::from_slice(&o.stdout).unwrap_or_else(|_| panic!("{}", stderr(&o)));
    assert_eq!(v["epochs"].as_u64(), Some(done as u64 + 2));
    let o = run(&dir, &["resume", "net-0001"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("is finished"), "{}", stderr(&o));
    let o = run(&dir, &["resume", "net-0001", "--epochs", "1", "--lang", "es"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("ha terminado"), "{}", stderr(&o));
    let o = run(&dir, &["resume", "net-0001", "--epochs", &(done + 3).to_string()]);
    assert!(o.status.success(), "{}", stderr(&o));
    assert_eq!(fs::read_to_string(dir.join("runs/net-0001/metrics.jsonl")).unwrap().lines().count(), done + 3);
}

/// A run that was killed.
fn killed(dir: &Path, out: &str) {
    let code = ended_by(dir, &["train", "net.toml", "--out", out], out, "-KILL", Duration::from_millis(150));
    assert_eq!(code, None);
}

#[test]
fn what_cannot_go_on_is_explained_and_stays_as_it_is() {
    let dir = folder("refused", 100_000_000);
    killed(&dir, "a");
    let state = dir.join("a/state.safetensors");
    let (whole, config) = (fs::read(&state).unwrap(), fs::read_to_string(dir.join("a/config.toml")).unwrap());
    let metrics = fs::read(dir.join("a/metrics.jsonl")).unwrap_or_default();
    let refused = |code: i32, what: &str, fix: &str| {
        let o = run(&dir, &["resume", "a"]);
        assert_eq!((o.stdout.len(), o.status.code()), (0, Some(code)), "{}", stderr(&o));
        assert!(stderr(&o).contains(what) && stderr(&o).contains(fix), "{what}: {}", stderr(&o));
        assert!(metrics == fs::read(dir.join("a/metrics.jsonl")).unwrap_or_default(), "{what}: metrics are kept");
    };
    for n in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&state, &whole[..n]).unwrap();
        refused(4, "a/state.safetensors", "train again: neurona train a/config.toml");
    }
    fs::remove_file(&state).unwrap();
    refused(4, "there is no a/state.safetensors", "restore the file");
    // A state of another network.
    let other = fs::read_to_string(dir.join("net.toml")).unwrap().replace("units = 48", "units = 7");
    fs::write(dir.join("net.toml"), other).unwrap();
    killed(&dir, "b");
    fs::copy(dir.join("b/state.safetensors"), &state).unwrap();
    refused(4, "are not those of this network", "dense_1");
    // A state of another version.
    let text = String::from_utf8_lossy(&whole).into_owned();
    assert!(text.contains("\"format\":\"1\""));
    let at = whole.windows(12).position(|w| w == b"\"format\":\"1\"").unwrap();
    let mut version = whole.clone();
    version[at + 10] = b'9';
    fs::write(&state, version).unwrap();
    refused(4, "of another kind or version (kind network, format 9", "train again");
    fs::write(&state, &whole).unwrap();
    // Changed settings, and changed data.
    fs::write(dir.join("a/config.toml"), config.replace("learning_rate = 0.003", "learning_rate = 0.004")).unwrap();
    refused(3, "learning_rate: 0.003 → 0.004", "change it back");
    fs::write(dir.join("a/config.toml"), &config).unwrap();
    let csv = fs::read_to_string(dir.join("rings.csv")).unwrap();
    fs::write(dir.join("rings.csv"), csv.replacen("out", "in", 3)).unwrap();
    refused(4, "the data are not those", "restore the files");
    fs::write(dir.join("rings.csv"), csv).unwrap();
    // Restored, it goes on, and what the killed process left half-written goes.
    fs::write(dir.join("a/.state.safetensors.1.partial"), "half").unwrap();
    assert_eq!(ended_by(&dir, &["resume", "a"], "a", "-INT", Duration::from_millis(300)), Some(130));
    assert!(!dir.join("a/.state.safetensors.1.partial").exists());
}

#[test]
fn a_place_where_nothing_can_be_written() {
    let dir = folder("unwritable", 3);
    let o = run(&dir, &["train", "net.toml", "--out", "net.toml/run"]);
    assert_eq!(o.status.code(), Some(1), "{}", stderr(&o));
    assert!(stderr(&o).contains("cannot write net.toml/run"), "{}", stderr(&o));
    // Every line of metrics meets a full disk.
    let out = dir.join("full");
    let mut child = command(&dir, &["train", "net.toml", "--out", "full", "--epochs", "100000000"]).stderr(Stdio::piped()).spawn().unwrap();
    while !out.join("metrics.jsonl").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    // In one move: a line that is written in between would make the file anew.
    std::os::unix::fs::symlink("/dev/full", dir.join("full-disk")).unwrap();
    fs::rename(dir.join("full-disk"), out.join("metrics.jsonl")).unwrap();
    let begun = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if !Path::new("/dev/full").exists() {
        return eprintln!("skipped: there is no /dev/full here");
    }
    let o = child.wait_with_output().unwrap();
    let last = stderr(&o).lines().filter(|l| !l.starts_with("epoch=")).collect::<Vec<_>>().join("\n");
    assert_eq!(code, Some(1), "{last}");
    assert!(last.contains("cannot write full/metrics.jsonl") && last.contains("make room"), "{last}");
}

/// A disk of 1 MiB, where mounting one is allowed.
#[test]
fn a_full_disk_leaves_the_old_state_whole() {
    let dir = folder("disk", 100_000_000);
    let disk = dir.join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&disk).stderr(Stdio::null()).status();
    if !mounted.is_ok_and(|s| s.success()) {
        return eprintln!("skipped: a small disk cannot be mounted here, so a full one is not tested");
    }
    struct Unmount(PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            Command::new("umount").arg("-l").arg(&self.0).status().ok();
        }
    }
    let _unmount = Unmount(disk.clone());
    let mut child =
        command(&dir, &["train", "net.toml", "--out", "disk/run"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    while !disk.join("run/last.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    let filler = fs::write(disk.join("filler"), vec![1; 1 << 20]);
    assert!(filler.is_err(), "the disk is full now");
    let o = child.wait_with_output().unwrap();
    let last = stderr(&o).lines().filter(|l| !l.starts_with("epoch=")).collect::<Vec<_>>().join("\n");
    assert_eq!(o.status.code(), Some(1), "{last}");
    assert!(last.contains("cannot write disk/run/"), "{last}");
    fs::remove_file(disk.join("filler")).unwrap();
    assert!(fs::read_dir(disk.join("run")).unwrap().all(|e| !e.unwrap().file_name().to_string_lossy().ends_with(".partial")));
    assert_eq!(ended_by(&dir, &["resume", "disk/run"], "disk/run", "-INT", Duration::from_millis(300)), Some(130));
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let dir = folder("early", 2000);
    let text = fs::read_to_string(dir.join("net.toml")).unwrap();
    let text = text.replace("[data]", "[early_stopping]\npatience = 3\nmin_delta = 0.01\nmonitor = \"val_accuracy\"\n[data]");
    fs::write(dir.join("net.toml"), &text).unwrap();
    let o = run(&dir, &["train", "net.toml", "--json"]);
    let v: Value = serde_json::from_slice(&o.stdout).unwrap_or_else(|_| panic!("{}", stderr(&o)));
    let (_, _, lines) = results(&dir.join("runs/net-0001"));
    let accuracy: Vec<f64> = lines.iter().map(|l| l["val_accuracy"].as_f64().unwrap()).collect();
    let best = (0..accuracy.len()).fold(0, |b, i| if accuracy[i] > accuracy[b] { i } else { b });
    assert!(v["stopped_early"] == true && lines.len() < 2000, "{v}");
    assert_eq!((v["best_epoch"].as_u64(), v["epochs"].as_u64()), (Some(best as u64 + 1), Some(lines.len() as u64)));
    assert!(accuracy[lines.len() - 3..].iter().all(|a| *a <= accuracy[lines.len() - 4] + 0.01), "{accuracy:?}");
    let o = run(&dir, &["train", "net.toml", "--lang", "es"]);
    assert!(String::from_utf8_lossy(&o.stdout).contains("parada temprana: val_accuracy no mejora desde hace 3 épocas"), "{o:?}");
    fs::write(dir.join("net.toml"), text.replace("val_accuracy", "val_acuracy")).unwrap();
    let o = run(&dir, &["train", "net.toml"]);
    assert!(o.status.code() == Some(3) && stderr(&o).contains("`early_stopping.monitor` cannot be \"val_acuracy\""), "{}", stderr(&o));
}

#[test]
fn an_equation_goes_on_too() {
    let dir = folder("pinn", 1);
    let args = |out: &'static str, threads: &'static str| {
        let mut list = vec!["train", "pinn", "--steps", "3000", "--out", out, "--threads", threads];
        for small in ["network.widths=[8, 8]", "points={ interior = 40, boundary = 10, initial = 10 }", "report={ every = 50, side = 7 }"] {
            list.extend(["--set", small]);
        }
        list
    };
    assert!(run(&dir, &args("whole", "1")).status.success());
    let weights = |run: &str| fs::read(dir.join(run).join("last.safetensors")).unwrap();
    for (out, name, code) in [("interrupted", "-INT", Some(130)), ("killed", "-KILL", None)] {
        assert_eq!(ended_by(&dir, &args(out, "2"), out, name, Duration::from_millis(20)), code);
        let o = run(&dir, &["resume", out, "--json"]);
        assert!(o.status.success(), "{}", stderr(&o));
        assert!(weights(out) == weights("whole"), "{out}");
        let steps = |run: &str| fs::read_to_string(dir.join(run).join("metrics.jsonl")).unwrap().lines().count();
        assert_eq!(steps(out), steps("whole"));
        let o = run(&dir, &["resume", out]);
        assert!(o.status.code() == Some(2) && stderr(&o).contains("is finished"), "{}", stderr(&o));
    }
}

/// Ctrl-C within any stage of a solution loses nothing: what is left gives the same bytes.
#[test]
fn a_solution_goes_on_within_a_stage_of_every_method() {
    let dir = folder("solve", 1);
    let methods =
        [("adam", 4000), ("lbfgs", 2000), ("bfgs", 2000), ("ssbroyden", 2000), ("levenberg_marquardt", 800), ("least_squares", 20)];
    for (method, steps) in methods {
        let network = if method == "least_squares" { "{ widths = [200], spread = 2.0 }" } else { "{ widths = [10, 10] }" };
        let text = format!(
            r#"
domain = {{ x = [0, 1], t = [0, 1] }}
form.u = "sin(2*pi*x) + t*N"
network = {network}
sampling = {{ points = 600, adaptive = true }}
balance = {{ method = "gradient_norm", every = 50 }}
grid = {{ x = 11, t = 11 }}
equations = [{{ name = "burgers", formula = "d(u,t) + u*d(u,x) = 0.05*d(u,x,x)" }}]
conditions = [{{ name = "ends", periodic = "x", points = 20 }}]
stages = [{{ method = "{method}", steps = {steps}, resample = 100 }}]
"#
        );
        fs::write(dir.join("burgers.toml"), text).unwrap();
        let [whole, part] = ["whole", "part"].map(|name| format!("{method}-{name}"));
        let o = run(&dir, &["solve", "burgers.toml", "--out", &whole, "--threads", "1"]);
        assert!(o.status.success(), "{method}: {}", stderr(&o));
        let args = ["solve", "burgers.toml", "--out", &part, "--threads", "2"];
        assert_eq!(ended_by(&dir, &args, &part, "-INT", Duration::from_millis(150)), Some(130), "{method}");
        let o = run(&dir, &["resume", &part]);
        assert!(o.status.success(), "{method}: {}", stderr(&o));
        let solution = |run: &str| fs::read(dir.join(run).join("u.npy")).unwrap();
        assert!(solution(&part) == solution(&whole), "{method}");
    }
}
