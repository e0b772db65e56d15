//! `hide`, `reveal`, `capacity` and the training behind them with the real binary.

mod common;

use common::{command, empty, json, run, stderr, stdout};
use neurona::Random;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use steganography::Picture;
use steganography::covers::cover;

fn photo(dir: &Path, name: &str, side: usize) -> Picture {
    let picture = Picture { width: side, height: side, rgb: cover(&mut Random::new(4, 1), side), alpha: None, icc: None };
    let bytes = if name.ends_with("png") { picture.png() } else { picture.jpeg(90) };
    fs::write(dir.join(name), bytes.unwrap()).unwrap();
    picture
}

#[test]
fn a_text_and_a_file_come_back() {
    let dir = empty("steganography", "back");
    photo(&dir, "a.png", 160);
    let v = json(&run(&dir, &["hide", "a.png", "--out", "b.png", "--text", "meet at nine 🦤", "--difference", "d.png", "--json"]));
    assert!(v["psnr"].as_f64().unwrap() > 40.0 && v["ssim"].as_f64().unwrap() > 0.98 && v["wrong_bits"].as_f64().unwrap() < 0.02, "{v}");
    let o = run(&dir, &["reveal", "b.png"]);
    assert_eq!((stdout(&o), o.status.code()), ("meet at nine 🦤\n", Some(0)));
    assert_eq!(Picture::open(&dir.join("d.png")).unwrap().width, 160);
    // A file, locked; the picture it is in comes from a pipe of commands that use a password file.
    fs::write(dir.join("secret"), "open sesame\n").unwrap();
    fs::write(dir.join("data.bin"), [0u8, 255, 10, 13]).unwrap();
    let o = run(&dir, &["hide", "a.png", "--out", "c.png", "--file", "data.bin", "--password-file", "secret"]);
    assert!(o.status.success() && stdout(&o).contains("Locked"), "{}", stderr(&o));
    let o = run(&dir, &["reveal", "c.png", "--password-file", "secret"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("data.bin") && stderr(&o).contains("--out"), "{}", stderr(&o));
    let o = command(&dir, &["reveal", "c.png", "--out", "back.bin"]).env("NEURONA_PASSWORD", "open sesame").output().unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    assert_eq!(fs::read(dir.join("back.bin")).unwrap(), [0, 255, 10, 13]);
    let o = run(&dir, &["reveal", "c.png"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("locked"), "{}", stderr(&o));
    let o = command(&dir, &["reveal", "c.png", "--lang", "es"]).env("NEURONA_PASSWORD", "x").output().unwrap();
    assert!(o.status.code() == Some(2) && stderr(&o).contains("incorrecta"), "{}", stderr(&o));
    // What is piped in.
    let mut child = command(&dir, &["hide", "a.png", "--out", "e.png"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("piped".as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(stdout(&run(&dir, &["reveal", "e.png"])), "piped\n");
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let dir = empty("steganography", "refused");
    photo(&dir, "a.png", 96);
    photo(&dir, "a.jpg", 96);
    photo(&dir, "small.png", 16);
    fs::copy(dir.join("a.jpg"), dir.join("wrong.png")).unwrap();
    fs::write(dir.join("text.png"), "hello").unwrap();
    let mut random = Random::new(1, 1);
    fs::write(dir.join("long"), (0..5000).map(|_| random.below(256) as u8).collect::<Vec<_>>()).unwrap();
    for (args, code, words) in [
        (&["hide", "a.png", "--out", "x.jpg", "--text", "a"][..], 2, "would not keep"),
        (&["hide", "a.png", "--out", "x", "--text", "a"], 2, "would not keep"),
        (&["hide", "none.png", "--out", "x.png", "--text", "a"], 4, "cannot be read"),
        (&["hide", "wrong.png", "--out", "x.png", "--text", "a"], 4, "JPEG file under another name"),
        (&["hide", "text.png", "--out", "x.png", "--text", "a"], 4, "neither"),
        (&["hide", "small.png", "--out", "x.png", "--text", "a"], 2, "holds no message"),
        (&["hide", "a.png", "--out", "x.png", "--file", "long"], 2, "there is room for"),
        (&["hide", "a.png", "--out", "no/folder/x.png", "--text", "a"], 1, "cannot be written"),
        (&["reveal", "a.png"], 1, "no message"),
        (&["reveal", "a.jpg"], 1, "no message"),
        (&["reveal", "a.png", "--model", "other"], 2, "photo, robust"),
    ] {
        let o = run(&dir, args);
        assert!(o.status.code() == Some(code) && stderr(&o).contains(words), "{args:?}: {:?} {}", o.status, stderr(&o));
        assert!(!dir.join("x.png").exists() && !dir.join("x.jpg").exists());
    }
    let v = json(&run(&dir, &["capacity", "a.jpg", "--json"]));
    assert!(v["models"][0]["bytes"].as_u64().unwrap() > 150 && v["models"][1]["model"] == "robust", "{v}");
}

#[test]
fn an_evaluation_writes_a_report_beside_plain_bits() {
    let dir = empty("steganography", "eval");
    fs::create_dir(dir.join("photos")).unwrap();
    photo(&dir, "photos/a.png", 240);
    photo(&dir, "photos/b.jpg", 256);
    let v = json(&run(&dir, &["eval", "steganography", "--photos", "photos", "--out", "report", "--bytes", "20", "--json"]));
    let rows = v["rows"].as_array().unwrap();
    assert_eq!((rows.len(), v["photos"][1].as_str()), (5, Some("b.jpg")));
    for row in rows {
        let cases = row["cases"].as_array().unwrap();
        let lsb = row["name"].as_str().unwrap().starts_with("LSB");
        for case in cases {
            assert!(case["harms"][0]["exact"] == true && case["psnr"].as_f64().unwrap() > 30.0, "{row:#}");
            assert!(!lsb || case["harms"][1]["wrong_bits"].as_f64().unwrap() > 0.2, "{row:#}");
        }
        assert!(lsb == row["area"].is_null() && cases.len() == 2);
    }
    assert!((0.17..0.2).contains(&rows[0]["cases"][0]["bits_per_pixel"].as_f64().unwrap()), "{:#}", rows[0]);
    let page = fs::read_to_string(dir.join("report/report.html")).unwrap();
    assert!(page.matches("<svg").count() == 2 && page.contains("robust, 20 B") && !dir.join("report/hidden.png").exists());
    let o = run(&dir, &["eval", "steganography", "--photos", "report", "--out", "other"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("no photographs"), "{}", stderr(&o));
    // A full picture is conspicuous to who has the model.
    let mut random = Random::new(2, 1);
    fs::write(dir.join("long"), (0..1200).map(|_| random.below(256) as u8).collect::<Vec<_>>()).unwrap();
    assert!(run(&dir, &["hide", "photos/a.png", "--out", "c.png", "--file", "long"]).status.success());
    let share = |file: &str| json(&run(&dir, &["detect", file, "--json"]))["models"][0]["share"].as_f64().unwrap();
    assert!(share("c.png") > share("photos/a.png") + 0.2);
}

/// A short training, whole and interrupted: the same weights; they hide and reveal.
#[cfg(unix)]
#[test]
fn a_training_goes_on_with_the_same_bits() {
    let dir = empty("steganography", "train");
    let train = ["train", "steganography", "--steps", "41", "--seed", "3", "--threads"];
    let v = json(&run(&dir, &[&train[..], &["1", "--out", "whole", "--json"]].concat()));
    assert_eq!((v["steps"].as_u64(), v["files"].as_array().map(Vec::len)), (Some(41), Some(4)));
    let mut child =
        command(&dir, &[&train[..], &["2", "--out", "cut"]].concat()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = || fs::read_to_string(dir.join("cut/meta.json")).is_ok();
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let code = child.wait().unwrap().code();
    if code == Some(130) {
        let o = run(&dir, &["resume", "cut", "--threads", "1"]);
        assert!(o.status.success(), "{}", stderr(&o));
    }
    assert_eq!(fs::read(dir.join("whole/last.safetensors")).unwrap(), fs::read(dir.join("cut/last.safetensors")).unwrap());
    let lines = |run: &str| fs::read_to_string(dir.join(run).join("metrics.jsonl")).unwrap();
    assert_eq!((lines("whole"), lines("whole").lines().count()), (lines("cut"), 3));
    photo(&dir, "a.png", 128);
    let o = run(&dir, &["hide", "a.png", "--out", "b.png", "--text", "short", "--run", "whole"]);
    assert!(o.status.success(), "{}", stderr(&o));
    assert_eq!(stdout(&run(&dir, &["reveal", "b.png", "--run", "whole"])), "short\n");
    let o = run(&dir, &["resume", "whole"]);
    assert_eq!(o.status.code(), Some(2), "{}", stderr(&o));
}

#[test]
fn the_slides_autoencoder_is_trained_and_hides_texts() {
    let dir = empty("steganography", "deck");
    photo(&dir, "a.png", 300);
    let v = json(&run(&dir, &["train", "steganography", "--preset", "deck", "--steps", "40", "--out", "r", "--json"]));
    assert!(v["wrong_bits"].as_f64().unwrap() < 0.05, "{v}");
    let hide = ["hide", "a.png", "--model", "deck", "--run", "r", "--out", "b.png", "--text", "meet at nine 🦤", "--difference", "d.png"];
    let v = json(&run(&dir, &[&hide[..], &["--json"]].concat()));
    assert!(v["psnr"].as_f64().unwrap() > 20.0, "{v}");
    assert_eq!(stdout(&run(&dir, &["reveal", "b.png", "--model", "deck", "--run", "r"])), "meet at nine 🦤\n");
    assert!(dir.join("d.png").exists());
    fs::write(dir.join("secret"), "open sesame").unwrap();
    let long = "x".repeat(124);
    for (args, code, words) in [
        (&["hide", "a.png", "--model", "deck", "--out", "x.png", "--text", "a"][..], 2, "train it in a minute"),
        (&["hide", "a.png", "--model", "deck", "--run", "r", "--out", "x.png", "--text", &long], 2, "room for 123"),
        (
            &["hide", "a.png", "--model", "deck", "--run", "r", "--out", "x.png", "--text", "a", "--password-file", "secret"],
            2,
            "without password",
        ),
        (&["hide", "a.png", "--model", "deck", "--run", "r", "--out", "x.png", "--file", "a.png"], 2, "texts only"),
        (&["hide", "a.png", "--model", "photo", "--run", "r", "--out", "x.png", "--text", "a"], 3, "epochs"),
        (&["reveal", "a.png", "--model", "deck", "--run", "r"], 1, "no message"),
        (&["resume", "r"], 2, "finished"),
    ] {
        let o = run(&dir, args);
        assert!(o.status.code() == Some(code) && stderr(&o).contains(words), "{args:?}: {:?} {}", o.status, stderr(&o));
        assert!(!dir.join("x.png").exists());
    }
}
