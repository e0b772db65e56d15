//! What the studio's pages train, besides networks of files: equations, doodles, hidden messages, Connect Four.

mod common;

use common::server::Server;
use serde_json::{Value, json};

const DECAY: &str = r#"
domain = { t = [0, 1] }
form.u = "1 + t*N"
solution.u = "exp(-2*t)"
network.widths = [8]
stages = [{ method = "levenberg_marquardt", steps = 30 }]
equations = [{ name = "decay", formula = "d(u,t) = -2*u" }]
"#;

#[test]
fn equations_are_checked_solved_and_shown() {
    let server = Server::start("equations", &[]);
    let gallery = server.get("/api/equations?lang=es").json();
    let poisson = gallery.as_array().unwrap().iter().find(|e| e["name"] == "poisson").unwrap();
    assert_eq!(poisson["title"], "La ecuación de Poisson en un cuadrado");

    let check = |text: &str| server.ask("/api/equations/check", &json!({ "name": "heat", "text": text })).json();
    let right = check(DECAY);
    assert_eq!((&right["steps"], &right["graded"], &right["axes"][0]["name"]), (&json!(30), &json!(true), &json!("t")));
    let wrong = check(&DECAY.replace("d(u,t)", "d(u,t"));
    let what = wrong["mistake"]["what"].as_str().unwrap();
    assert!(what.contains("equations.0.formula, character") && what.contains("heat.toml:7:"), "{wrong}");
    assert!(wrong["mistake"]["why"].as_str().unwrap().contains('^'), "{wrong}");
    let named = |file: &str| check(&format!("{DECAY}\n[reference]\nunknown = \"u\"\naxes = [\"t\"]\nfile = \"{file}\"\n"));
    assert!(named("/etc/passwd")["mistake"]["what"].as_str().unwrap().contains("outside"));
    assert!(named("../../here.npy")["absent"] == "../../here.npy");

    let job = server.ask("/api/jobs", &json!({ "task": "solve", "name": "", "text": DECAY })).json();
    assert_eq!(job["run"], "equation-0001");
    assert_eq!(server.until("equation-0001", "done")["of"], 30);
    let found = server.get("/api/equations/runs/equation-0001").json();
    let u = &found["unknowns"][0];
    assert!(u["relative_l2"].as_f64().unwrap() < 1e-4, "{}", u["relative_l2"]);
    assert_eq!((u["values"].as_array().unwrap().len(), u["exact"].as_array().unwrap().len()), (1001, 1001));
    // Not the difference of rounded numbers.
    let largest = u["difference"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap().abs()).fold(0.0, f64::max);
    let max_error = u["max_error"].as_f64().unwrap();
    assert!((largest / max_error - 1.0).abs() < 1e-3, "{largest} {max_error}");
    assert_eq!((&found["text"], &found["losses"], &found["step"]), (&json!(DECAY), &json!(["decay"]), &json!(30)));
    assert_eq!(server.ask("/api/jobs", &json!({ "task": "solve", "name": "heat", "text": "domain = 1" })).status(), 422);
    assert_eq!(server.get("/api/equations/runs/nothing").status(), 422);
}

/// Trains, waits for the end, and gives the name of the run.
fn trained(server: &Server, task: &Value) -> String {
    let job = server.ask("/api/jobs", task);
    assert_eq!(job.status(), 200, "{}", job.0);
    let run = job.json()["run"].as_str().unwrap().to_string();
    server.until(&run, "done");
    run
}

#[test]
fn a_recogniser_is_trained_and_guesses() {
    let server = Server::start("train-doodle", &[]);
    let run = trained(&server, &json!({ "task": "doodle", "preset": "small", "made": 10, "epochs": 1, "seed": 1 }));
    assert_eq!((run.as_str(), server.get("/api/doodle/runs").json()), ("doodle-small-0001", json!([run])));
    let house = [[[25, 45], [25, 85], [75, 85], [75, 45], [25, 45]]];
    let guess =
        |run: &str| server.ask("/api/doodle", &json!({ "strokes": house, "run": run })).json()["guesses"][0]["probability"].as_f64();
    let (own, built_in) = (guess(&run), guess(""));
    assert!(own.is_some() && built_in.is_some() && own != built_in, "{own:?} {built_in:?}");
    assert_eq!(server.ask("/api/doodle", &json!({ "strokes": house, "run": "../x" })).status(), 422);
}

#[test]
fn a_player_learns_from_a_table_that_is_made_first_and_plays() {
    let server = Server::start("train-connect4", &[]);
    let run = trained(&server, &json!({ "task": "connect4", "preset": "deck", "rows": 200, "epochs": 1, "seed": 1 }));
    assert_eq!((run.as_str(), server.get("/api/connect4/runs").json()), ("connect4-deck-0001", json!([run])));
    let likes = |run: &str| {
        let said = server.ask("/api/connect4/position", &json!({ "moves": "44", "hints": "network", "run": run })).json();
        said["network"]["columns"].clone()
    };
    assert!(likes(&run).is_array() && likes(&run) != likes(""));
    let reply = server.ask("/api/connect4/reply", &json!({ "moves": "44", "level": "network", "run": run })).json();
    assert_eq!(reply["moves"].as_str().unwrap().len(), 3, "{reply}");
    // The table is there for the next one.
    let again = trained(&server, &json!({ "task": "connect4", "preset": "best", "rows": 200, "epochs": 1, "seed": 2 }));
    assert_eq!(again, "connect4-best-0001");
}

/// The phase of the only job, when it is one of these.
fn phase(server: &Server, wanted: &[&str]) -> String {
    for _ in 0..600 {
        let jobs = server.get("/api/jobs").json();
        let now = jobs["jobs"][0]["phase"].as_str().unwrap().to_string();
        if wanted.contains(&now.as_str()) {
            return now;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("never {wanted:?}: {}", server.get("/api/jobs").body());
}

#[test]
fn a_training_that_is_stopped_while_its_table_is_made_leaves_no_run() {
    let server = Server::start("stop-connect4", &[]);
    let job = server.ask("/api/jobs", &json!({ "task": "connect4", "preset": "deck", "rows": 5000, "epochs": 1, "seed": 1 })).json();
    phase(&server, &["running"]);
    assert_eq!(server.ask(&format!("/api/jobs/{}/stop", job["id"]), &json!({})).status(), 200);
    assert_eq!(phase(&server, &["stopped", "failed", "done"]), "stopped");
    assert_eq!(server.get("/api/runs").json(), json!([]));
    assert_eq!(server.get("/api/runs/connect4-deck-0001/events").status(), 422, "its folder is given back");
}

#[test]
fn networks_that_hide_are_trained_and_used() {
    let server = Server::start("train-hide", &[]);
    let run = trained(&server, &json!({ "task": "steganography", "preset": "photo", "steps": 5, "seed": 1 }));
    assert_eq!(server.get("/api/hide/runs").json(), json!([{ "run": run, "model": "photo" }]));
    let picture = server.ask("/api/hide/sample", &json!({})).json();
    let task =
        |picture: &Value, run: &str| json!({ "picture": picture, "model": "photo", "run": run, "text": "a", "password": "", "attack": "" });
    let hide = |run: &str| server.ask("/api/hide/hide", &task(&picture["id"], run)).json();
    let (own, built_in) = (hide(&run), hide(""));
    assert_ne!(own["psnr"], built_in["psnr"], "other weights write otherwise");
    assert_eq!(server.ask("/api/hide/reveal", &task(&own["id"], &run)).json()["text"], "a");
    assert_eq!(server.ask("/api/hide/hide", &task(&picture["id"], "nothing")).status(), 422);
}
