//! `neurona serve` as browsers and others find it: pages, files, errors, and who is refused.

mod common;

use common::server::{Answer, Server};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn pages_and_files_are_served_with_what_browsers_must_forbid() {
    let server = Server::start("pages", &[]);
    let first = server.send("GET", "/", "Accept-Language: fr, es-MX;q=0.9\r\n", "");
    assert_eq!((first.status(), first.header("location")), (303, Some("/es/")));
    assert_eq!(server.get("/").header("location"), Some("/en/"));
    for path in ["/en/", "/es/connect4"] {
        let page = server.get(path);
        assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"));
        assert_eq!((page.header("x-content-type-options"), page.header("referrer-policy")), (Some("nosniff"), Some("no-referrer")));
        let html = page.body().to_string();
        // What stands inside of the page is allowed by a word of this answer alone.
        let word = |page: &Answer| page.header("content-security-policy").unwrap().split("'nonce-").nth(1).unwrap()[..32].to_string();
        let nonce = word(&page);
        assert_eq!(html.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
        assert_ne!(word(&server.get(path)), nonce);
        for link in html.split("\"/assets/").skip(1).map(|rest| format!("/assets/{}", rest.split('"').next().unwrap())) {
            let file = server.get(&link);
            assert_eq!(file.status(), 200, "{link}");
            assert!(file.header("cache-control").unwrap().contains("immutable"), "{link}");
        }
    }
    for path in ["/en", "/fr/", "/en/nothing", "/assets/x/nothing.js", "/assets/x/layout.html", "/api/nothing"] {
        let answer = server.get(path);
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.header("content-security-policy").is_some(), "{path}");
    }
    assert_eq!(server.send("DELETE", "/en/", "", "").status(), 405);
}

#[test]
fn no_path_leads_out_of_the_files() {
    let server = Server::start("paths", &["--web-dir", concat!(env!("CARGO_MANIFEST_DIR"), "/web")]);
    assert_eq!(server.get("/assets/x/app.css").status(), 200);
    for path in [
        "/assets/x/../Cargo.toml",
        "/assets/x/..%2fCargo.toml",
        "/assets/x/%2e%2e/Cargo.toml",
        "/assets/x//etc/passwd",
        "/assets/x/..%5cCargo.toml",
        "/assets/x/README.md",
        "/assets/x/lib/../../Cargo.toml",
        "/en/..%2f..%2fCargo",
        "/../../etc/passwd",
    ] {
        let answer = server.get(path);
        assert!([400, 404].contains(&answer.status()), "{path}: {}", answer.0);
    }
}

#[test]
fn only_this_machine_s_own_pages_may_ask() {
    let server = Server::start("hosts", &[]);
    let port = server.address.rsplit(':').next().unwrap().to_string();
    let host = |name: &str| server.send("GET", "/en/", &format!("Host: {name}\r\n"), "").status();
    assert_eq!((host(&format!("localhost:{port}")), host(&format!("[::1]:{port}")), host("127.0.0.1")), (200, 200, 200));
    for other in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::1].evil", "192.168.1.7", ""] {
        assert_eq!(host(other), 421, "{other}");
    }
    assert_eq!(server.raw("GET http://evil.example/en/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status(), 421);
    let post = |headers: &str| {
        server.send("POST", "/api/connect4/position", &format!("Content-Type: application/json\r\n{headers}"), r#"{"moves":""}"#)
    };
    assert_eq!(post(&format!("Origin: http://{}\r\n", server.address)).status(), 200);
    assert_eq!(post("").status(), 200, "a program that is no browser");
    for elsewhere in
        ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"]
    {
        assert_eq!(post(elsewhere).status(), 403, "{elsewhere}");
    }
    // What a form of another site can send without asking is no JSON.
    assert_eq!(server.send("POST", "/api/connect4/position", "Content-Type: text/plain\r\n", r#"{"moves":""}"#).status(), 415);
}

#[test]
fn others_need_the_token() {
    let server = Server::start("token", &["--host", "0.0.0.0"]);
    let token = server.query.strip_prefix("?token=").unwrap();
    assert_eq!(token.len(), 32);
    assert_eq!((server.get("/en/").status(), server.get("/en/?token=").status()), (401, 401));
    assert_eq!(server.get(&format!("/en/?token={}", "0".repeat(32))).status(), 401);
    let welcome = server.get(&format!("/en/?token={token}"));
    assert_eq!((welcome.status(), welcome.header("location")), (303, Some("/en/")));
    let cookie = welcome.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(server.send("GET", "/en/", &format!("Host: teacher.example\r\nCookie: a=b; {cookie}\r\n"), "").status(), 200);
    assert_eq!(server.get(&format!("//evil.example/?token={token}")).header("location"), Some("/evil.example/"));
}

#[test]
fn errors_say_what_is_wrong_in_the_page_s_language() {
    let server = Server::start("errors", &[]);
    let full = server.ask("/api/connect4/position?lang=es", &json!({ "moves": "1111111" }));
    let error = &full.json()["error"];
    assert_eq!((full.status(), error["kind"].as_str()), (422, Some("usage")), "{}", full.0);
    assert!(error["what"].as_str().unwrap().contains("1111111") && !error["fix"].as_str().unwrap().is_empty(), "{error}");
    assert_eq!(server.ask("/api/connect4/position", &json!({ "moves": "", "colour": 1 })).status(), 422);
    assert_eq!(server.ask("/api/connect4/reply", &json!({ "moves": "", "level": "god" })).status(), 422);
    let json = "Content-Type: application/json\r\n";
    assert_eq!(server.send("POST", "/api/connect4/position", json, "{").status(), 400);
    assert_eq!(server.send("POST", "/api/connect4/position", json, &format!("{{\"moves\":\"{}\"}}", "4".repeat(300_000))).status(), 413);
    assert_eq!(server.ask("/api/connect4/position", &json!({ "moves": "4".repeat(200_000) })).status(), 422, "long but within the limit");
}

#[test]
fn the_network_and_the_levels_play() {
    let server = Server::start("levels", &[]);
    for level in ["random", "depth2", "depth6", "network", "search", "perfect"] {
        let answer = server.ask("/api/connect4/reply", &json!({ "moves": "4141", "level": level, "seed": 3, "hints": "network" })).json();
        let moves = answer["moves"].as_str().unwrap();
        assert!(moves.starts_with("4141") && moves.len() == 5, "{answer}");
        assert_eq!((answer["mover"].as_i64(), answer["network"]["columns"].as_array().unwrap().len()), (Some(2), 7), "{level}");
        if level != "random" {
            let won = server.ask("/api/connect4/reply", &json!({ "moves": "414141", "level": level })).json();
            assert_eq!((won["winner"].as_i64(), won["four"].as_array().unwrap().len()), (Some(1), 4), "{level} wins with the next stone");
        }
    }
    let exact = server.ask("/api/connect4/position", &json!({ "moves": "2252576253462244111563365343671351441", "hints": "exact" })).json();
    assert_eq!(exact["exact"].as_array().unwrap().iter().filter_map(Value::as_i64).max(), Some(-1), "{exact}");
}

#[test]
fn slow_clients_are_cut_off_and_harm_nobody() {
    let server = Server::start("slow", &[]);
    let mut slow: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    slow.iter_mut().for_each(|s| s.write_all(b"GET /en/ HTTP/1.1\r\nHost: loc").unwrap());
    let begin = Instant::now();
    assert_eq!(server.get("/en/").status(), 200);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    // Half a head is not waited for for ever.
    let mut first = slow.remove(0);
    first.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut rest = vec![];
    first.read_to_end(&mut rest).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(35) && !String::from_utf8_lossy(&rest).contains(" 200 "));
}

#[test]
fn lessons_answer_with_the_commands_numbers() {
    let s = Server::start("lessons", &[]);
    let value = |path: &str, body: &Value| -> Value {
        let a = s.ask(path, body);
        assert_eq!(a.status(), 200, "{}", a.0);
        serde_json::from_str(a.body()).unwrap()
    };
    let descent = json!({ "expression": "x^2+10*y^2", "from": "x=-4,y=2", "optimizers": ["sgd", "adam"], "learning_rate": 0.05, "momentum": 0.9, "steps": 3 });
    let d = value("/api/lessons/descent?lang=es", &descent);
    assert_eq!(d["descents"][0]["descent"]["steps"][1]["at"], json!([-3.6, 0.0]));
    assert_eq!((&d["descents"][1]["kind"], d["surface"]["values"].as_array().unwrap().len()), (&json!("aún en movimiento"), 61 * 61));
    let sentence = d["descents"][1]["end"].as_str().unwrap();
    assert!(sentence.contains("x = -3,85") && !sentence.contains('.'), "a decimal comma in Spanish: {sentence}");
    let b = value("/api/lessons/backprop", &json!({ "expression": "(x/y+5)^2+x", "at": "x=6,y=2" }));
    assert_eq!((&b["trace"]["gradient"], b["layout"]["rows"].as_array().unwrap().len()), (&json!({ "x": 9.0, "y": -24.0 }), 5));
    let n = value("/api/lessons/neuron", &json!({ "activation": "tanh", "inputs": [1, 2], "weights": [0.5, -1], "bias": 0.1 }));
    assert!((n["neuron"]["sum"].as_f64().unwrap() + 1.4).abs() < 1e-12);
    let l = value("/api/lessons/losses", &json!({ "points": "0,1;1,3;2,5", "slope": 2, "intercept": 1, "delta": 1 }));
    assert_eq!(l["line"]["residuals"], json!([0.0, 0.0, 0.0]));
    let e = value("/api/lessons/entropy", &json!({ "logits": "0,0", "class": 1 }));
    assert_eq!(e["entropy"]["gradient"], json!([0.5, -0.5]));
    for (path, body) in [
        ("descent", json!({ "expression": "2x", "from": "x=1", "optimizers": ["sgd"], "learning_rate": 0.1, "momentum": 0.9, "steps": 3 })),
        (
            "descent",
            json!({ "expression": "x^2", "from": "x=1", "optimizers": ["sdg"], "learning_rate": 0.1, "momentum": 0.9, "steps": 3 }),
        ),
        ("backprop", json!({ "expression": "x", "at": "y=1" })),
        ("neuron", json!({ "activation": "tahn", "inputs": [1, 2], "weights": [1, 1], "bias": 0 })),
        ("losses", json!({ "points": "1,2", "slope": 2, "intercept": 1, "delta": 1 })),
        ("entropy", json!({ "logits": "1,x", "class": 0 })),
    ] {
        let a = s.ask(&format!("/api/lessons/{path}"), &body);
        assert_eq!(a.status(), 422, "{path}: {}", a.0);
    }
}

/// A training goes on from any place with the same numbers, whether or not the server has kept the network.
#[test]
fn trainings_of_the_playground_go_on_anywhere() {
    let s = Server::start("playground", &[]);
    let network = |hidden: &[usize], points: usize| json!({ "data": "xor", "own": "", "points": points, "noise": 0.05, "test": 0.3, "features": ["x", "y"], "hidden": hidden, "activation": "tanh", "optimizer": "adam", "learning_rate": 0.03, "batch": 16, "seed": 1 });
    let go = |epoch: usize, more: usize| -> Value {
        let a = s.ask("/api/lessons/train", &json!({ "network": network(&[8], 200), "epoch": epoch, "more": more }));
        assert_eq!(a.status(), 200, "{}", a.0);
        serde_json::from_str(a.body()).unwrap()
    };
    let (first, second) = (go(0, 3), go(3, 2));
    assert_eq!((first["epochs"].as_array().unwrap().len(), &second["epoch"], &second["epochs"][0]["epoch"]), (3, &json!(5), &json!(4)));
    let again = go(3, 2); // the kept network has gone on, so this one is made anew
    assert_eq!((&again["epochs"], &again["parameters"]), (&second["epochs"], &second["parameters"]));
    assert_eq!((go(5, 0)["decision"][0].as_array().unwrap().len(), go(5, 0)["layers"][0].as_array().unwrap().len()), (48 * 48, 8));
    let runs = s.ask("/api/lessons/rates", &json!({ "network": network(&[4], 50), "rates": [0.01, 0.1], "batches": [5, 35], "epochs": 2 }));
    let runs: Value = serde_json::from_str(runs.body()).unwrap();
    assert_eq!(runs["runs"].as_array().unwrap().iter().map(|r| r["iterations"].as_u64().unwrap()).collect::<Vec<_>>(), [7, 7, 1, 1]);
    for (path, body) in [
        ("train", json!({ "network": network(&[99], 200), "epoch": 0, "more": 1 })),
        ("train", json!({ "network": network(&[8], 200), "epoch": 2990, "more": 100 })),
        ("rates", json!({ "network": network(&[8], 1000), "rates": [0.1, 0.2], "batches": [1], "epochs": 9000 })),
    ] {
        assert_eq!(s.ask(&format!("/api/lessons/{path}"), &body).status(), 422, "{path}");
    }
}

#[test]
fn trainings_run_one_after_the_other_stop_resume_and_are_followed() {
    let server = Server::start("jobs", &[]);
    let first = server.ask("/api/jobs", &json!({ "task": "spirals", "epochs": 100_000 })).json();
    let second = server.ask("/api/jobs", &json!({ "task": "spirals", "epochs": 2 })).json();
    assert_eq!((first["run"].as_str(), second["run"].as_str()), (Some("spirals-0001"), Some("spirals-0002")));
    server.until("spirals-0001", "running");
    assert_eq!(server.get("/api/jobs").json()["jobs"][1]["phase"], "queued");
    // Two readers of events; the one that has seen lines gets the rest.
    let events = |last: &str| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        write!(stream, "GET /api/runs/spirals-0001/events HTTP/1.1\r\nHost: {}\r\n{last}\r\n", server.address).unwrap();
        let data = BufReader::new(stream).lines().map_while(Result::ok).find_map(|l| l.strip_prefix("data: ").map(String::from)).unwrap();
        serde_json::from_str::<Value>(&data).unwrap()
    };
    while events("")["lines"].as_array().unwrap().len() < 3 {}
    assert_eq!((events("")["from"].as_u64(), events("Last-Event-ID: 2\r\n")["from"].as_u64()), (Some(0), Some(2)));
    let path = format!("/api/jobs/{}/stop", first["id"]);
    assert_eq!((server.ask(&path, &json!({})).status(), server.ask("/api/jobs/99/stop", &json!({})).status()), (200, 404));
    server.until("spirals-0001", "interrupted");
    server.until("spirals-0002", "done");
    let resumed = server.ask("/api/jobs", &json!({ "task": "resume", "run": "spirals-0001" })).json();
    server.until("spirals-0001", "running");
    server.ask(&format!("/api/jobs/{}/stop", resumed["id"]), &json!({}));
    server.until("spirals-0001", "interrupted");

    let confusion = server.get("/api/runs/spirals-0002/evaluation").json();
    assert_eq!(confusion["confusion"].as_array().unwrap().len(), 3);
    let weights = server.get("/api/runs/spirals-0002/weights").json();
    assert_eq!(weights["tensors"].as_array().unwrap().len(), 6);
    let both = server.get("/api/runs/compare?runs=spirals-0001,spirals-0002").json();
    assert!(both["settings"]["epochs"].is_array(), "{both}");
    let report = server.get("/api/runs/spirals-0002/files/report.html");
    assert!(report.status() == 200 && report.header("content-security-policy").unwrap().contains("sandbox"));
    for path in [
        "/api/runs/..%2f..%2fetc/files/passwd",
        "/api/runs/spirals-0002/files/..%2f..%2f..%2fCargo.toml",
        "/api/runs/spirals-0002/files/.lock",
        "/api/runs/samples/files/spirals.csv",
    ] {
        assert!([404, 422].contains(&server.get(path).status()), "{path}");
    }
    assert_eq!(server.ask("/api/jobs", &json!({ "task": "file", "file": "../../../etc/passwd" })).status(), 422);
    assert_eq!(server.send("DELETE", "/api/runs/spirals-0002", "", "").status(), 200);
    assert_eq!(server.get("/api/runs/spirals-0002").status(), 422);
}

#[test]
fn drawings_and_equations_are_answered() {
    let server = Server::start("answers", &[]);
    let empty = server.ask("/api/doodle", &json!({ "strokes": [] })).json();
    assert_eq!((empty["empty"].as_bool(), empty["pixels"].as_array().unwrap().len()), (Some(true), 784));
    let house = json!({ "strokes": [[[25, 45], [25, 85], [75, 85], [75, 45], [25, 45]], [[20, 46], [50, 15], [80, 46]]] });
    assert_eq!(server.ask("/api/doodle?lang=es", &house).json()["guesses"][0]["name"], "casa");
    let fields = server.ask("/api/transport", &json!({ "speed": 1.0, "length": 1.0, "run": null })).json();
    assert_eq!(fields["exact"].as_array().unwrap().len(), 65 * 65);
    assert_eq!(server.ask("/api/transport", &json!({ "speed": 1.0, "length": -1.0, "run": null })).status(), 422);
    assert_eq!(server.ask("/api/transport", &json!({ "speed": 1.0, "length": 1.0, "run": "../x" })).status(), 422);
}

#[test]
fn the_site_has_every_lesson_in_both_languages_and_no_dead_link() {
    let folder = common::empty("serve", "site");
    let done = common::json(&common::run(&folder, &["site", "pages", "--json"]));
    assert!(done["files"].as_array().unwrap().len() > 30, "{done}");
    for lang in ["en", "es"] {
        for entry in std::fs::read_dir(folder.join("pages").join(lang)).unwrap().map(|e| e.unwrap().path()) {
            let text = std::fs::read_to_string(&entry).unwrap();
            let links = text
                .split([' '])
                .filter_map(|w| w.strip_prefix("href=\"").or(w.strip_prefix("src=\"")))
                .filter_map(|w| w.split('"').next());
            for link in links.filter(|_| entry.extension().is_some_and(|e| e == "html")) {
                assert!(entry.parent().unwrap().join(link).is_file(), "{}: {link}", entry.display());
            }
        }
    }
}

#[test]
fn a_text_is_hidden_revealed_and_attacked() {
    let server = Server::start("hide", &[]);
    let picture = server.ask("/api/hide/sample", &json!({})).json();
    let task = |id: &Value, attack: &str| json!({ "picture": id, "model": "photo", "text": "¡piñata!", "password": "x", "attack": attack });
    let hidden = server.ask("/api/hide/hide", &task(&picture["id"], "")).json();
    assert!(hidden["psnr"].as_f64().unwrap() > 40.0, "{hidden}");
    assert_eq!(server.ask("/api/hide/reveal", &task(&hidden["id"], "")).json()["text"], "¡piñata!");
    assert_eq!(server.ask("/api/hide/attack", &task(&hidden["id"], "png0")).json()["exact"], true);
    assert_eq!(server.ask("/api/hide/attack", &task(&hidden["id"], "jpeg50")).json()["read"], false);
    assert_eq!(server.ask("/api/hide/reveal", &task(&picture["id"], "")).status(), 422, "there is nothing in the original");
    assert_eq!(server.ask("/api/hide/reveal", &task(&json!(99), "")).status(), 422);
    assert_eq!(server.ask("/api/hide/attack", &task(&hidden["id"], "bomb")).status(), 422);
    let name = hidden["id"].to_string();
    let (png, changes) = (format!("/api/hide/pictures/{name}"), format!("/api/hide/difference/{}/{name}?gain=9", picture["id"]));
    assert!([png, changes].iter().all(|path| server.get(path).header("content-type") == Some("image/png")));
    assert!([400, 422].contains(&server.send("POST", "/api/hide/pictures", "", "no picture").status()));
}
