//! Downloads from servers that break connections, ignore what they are asked, fail for a while, or say what is not so.

use doodle::download::{Client, Event, Failure, Fetched, part};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes of the server's file.
const SIZE: usize = 300_000;

fn contents() -> Vec<u8> {
    (0..SIZE as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// What a request asked for: its method, and from which byte on.
type Asked = (String, Option<usize>);

/// A server on a free port that answers the k-th request by `answer(k, method, from)`: the bytes to send before it hangs up.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/numpy_bitmap/hot%20air%20balloon.npy", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let log = asked.clone();
        std::thread::spawn(move || {
            for (k, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                log.lock().unwrap().push(request.clone());
                stream.write_all(&answer(k, &request)).ok(); // the client may have hung up
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let (mut lines, mut from) = (BufReader::new(stream).lines(), None);
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains(" /numpy_bitmap/hot%20air%20balloon.npy "), "{first}");
    for line in lines.map_while(Result::ok).take_while(|l| !l.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    (first.split(' ').next().unwrap().into(), from)
}

fn plain(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n").as_bytes(), body].concat()
}

/// The file from `from` on as it should be sent, but the connection ends after `most` bytes of it.
fn served(from: Option<usize>, most: usize, headers: &str) -> Vec<u8> {
    let (bytes, begin) = (contents(), from.unwrap_or(0));
    let rest = &bytes[begin..];
    let range = from.map_or(String::new(), |f| format!("Content-Range: bytes {f}-{}/{SIZE}\r\n", SIZE - 1));
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    plain(status, &format!("Content-Length: {}\r\n{range}{headers}", rest.len()), &rest[..most.min(rest.len())])
}

/// The path of a file in a fresh folder.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("download").join(name);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("hot air balloon.npy")
}

/// A fresh folder's file, which an earlier process may have begun, and what became of it.
fn fetch(name: &str, server: &Server, begun: &[u8]) -> (PathBuf, Result<Fetched, Failure>, Vec<String>) {
    let to = fresh(name);
    if !begun.is_empty() {
        std::fs::write(part(&to), begun).unwrap();
    }
    let (result, said) = again(server, &to);
    (to, result, said)
}

fn again(server: &Server, to: &Path) -> (Result<Fetched, Failure>, Vec<String>) {
    let mut said = vec![];
    let result = Client::new(false, Duration::from_millis(1)).fetch(&server.address, to, |_| Ok(()), &mut |event| {
        if let Event::Again(why, _) = event {
            said.push(why.to_string());
        }
        true
    });
    (result, said)
}

fn whole(to: &Path) -> bool {
    std::fs::read(to).is_ok_and(|b| b == contents()) && !part(to).exists()
}

const WHOLE: Fetched = Fetched { bytes: SIZE as u64, before: false };

#[test]
fn broken_connections_are_gone_on_with() {
    let server = Server::start(|_, (_, from)| served(*from, 70_000, "ETag: \"a\"\r\n"));
    let (to, result, said) = fetch("broken", &server, &[]);
    assert_eq!(result.unwrap(), WHOLE, "{said:?}");
    assert!(whole(&to) && said.len() == 4 && said[0].contains("70000 of 300000"), "{said:?}");
    let from: Vec<_> = server.asked().into_iter().map(|(_, from)| from).collect();
    assert_eq!(from, [None, Some(70_000), Some(140_000), Some(210_000), Some(280_000)], "nothing is asked for twice");
    // Once it is there, its size is compared, and nothing is loaded.
    assert_eq!(again(&server, &to).0.unwrap(), Fetched { before: true, ..WHOLE });
    assert_eq!(server.asked().last().unwrap().0, "HEAD");
    std::fs::write(&to, "mine").unwrap();
    assert!(matches!(again(&server, &to).0, Err(Failure::Taken { bytes: 4, of: 300_000 })) && std::fs::read(&to).unwrap() == b"mine");
}

#[test]
fn what_an_earlier_process_left_is_used_if_it_fits() {
    let server = Server::start(|_, (_, from)| served(*from, SIZE, ""));
    let (to, result, _) = fetch("left", &server, &contents()[..123_456]);
    assert!(result.unwrap() == WHOLE && whole(&to) && server.asked() == [("GET".into(), Some(123_456))]);
    // All of it was there, but not its name: the server has nothing more.
    let beyond = |from: usize| plain("416 Range Not Satisfiable", &format!("Content-Range: bytes */{SIZE}\r\nX: {from}\r\n"), b"");
    let server = Server::start(move |_, (_, from)| from.filter(|&f| f >= SIZE).map_or_else(|| served(*from, SIZE, ""), beyond));
    let (to, result, said) = fetch("complete", &server, &contents());
    assert!(result.unwrap() == WHOLE && whole(&to) && said.is_empty(), "{said:?}");
    // More than the server has is of another file.
    let (to, result, said) = fetch("longer", &server, &[9; SIZE + 1]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said.len() == 1, "{said:?}");
}

#[test]
fn servers_that_ignore_ranges_begin_anew() {
    let server = Server::start(|k, _| served(None, if k < 2 { 100_000 } else { SIZE }, ""));
    let (to, result, said) = fetch("ignored", &server, &[1; 50_000]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said.len() == 2, "{said:?}");
    // One that goes on somewhere else than asked.
    let server = Server::start(|k, (_, from)| served(if k == 1 { Some(7) } else { *from }, 100_000, ""));
    let (to, result, said) = fetch("elsewhere", &server, &[]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said[1].contains("another place"), "{said:?}");
}

#[test]
fn passing_failures_are_waited_for_and_others_are_not() {
    let server = Server::start(|k, (_, from)| match k {
        0 => plain("503 Service Unavailable", "Retry-After: 0\r\nContent-Length: 4\r\n", b"busy"),
        1 => plain("429 Too Many Requests", "Content-Length: 0\r\n", b""),
        2 => b"HTTP/1.1 nonsense\r\n\r\n".to_vec(),
        3 => vec![],
        _ => served(*from, SIZE, ""),
    });
    let (to, result, said) = fetch("busy", &server, &[]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said.len() == 4 && said[0].contains("503"), "{said:?}");
    for (status, number) in [("404 Not Found", 404), ("403 Forbidden", 403)] {
        let server = Server::start(move |_, _| plain(status, "Content-Length: 5\r\n", b"<xml>"));
        let (to, result, said) = fetch("refused", &server, b"begun");
        assert!(matches!(result, Err(Failure::Refused(n)) if n == number) && said.is_empty() && !to.exists());
        assert_eq!(std::fs::read(part(&to)).unwrap(), b"begun", "what was there stays");
    }
    let server = Server::start(|_, _| plain("500 Internal Server Error", "Content-Length: 0\r\n", b""));
    let (_, result, said) = fetch("down", &server, &[]);
    assert!(matches!(result, Err(Failure::Broken { tries: 6, .. })) && said.len() == 5 && server.asked().len() == 6);
}

#[test]
fn sizes_and_checksums_that_are_not_true_are_noticed() {
    // 310,000 bytes are promised, and 300,000 come, however often one asks.
    let server = Server::start(|_, (_, from)| {
        let begin = from.unwrap_or(0);
        let range = format!("Content-Range: bytes {begin}-309999/310000\r\n");
        let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
        plain(status, &format!("Content-Length: {}\r\n{range}", 310_000 - begin), &contents()[begin..])
    });
    let (to, result, _) = fetch("less", &server, &[]);
    assert!(matches!(&result, Err(Failure::Broken { why, .. }) if why.contains("300000 of 310000")), "{result:?}");
    assert!(!to.exists());
    // Fewer are promised than come: what is promised counts, and the checksum does not agree with it (nor ever will).
    let hash = "x-goog-hash: crc32c=AAAAAA==,md5=AAAA\r\n";
    let server = Server::start(move |_, _| plain("200 OK", &format!("Content-Length: 1000\r\n{hash}"), &contents()));
    let (to, result, said) = fetch("more", &server, &[]);
    assert!(matches!(&result, Err(Failure::Broken { why, .. }) if why.contains("checksum")) && !to.exists(), "{result:?} {said:?}");
    let server = Server::start(|_, _| plain("200 OK", "", &contents()));
    assert!(matches!(fetch("unknown", &server, &[]).1, Err(Failure::Wrong(_))), "without a size nothing is sure");
    // What an earlier process left is of another file of the same size: the checksum says so.
    let mut all: &[u8] = &contents();
    let hash = format!("x-goog-hash: crc32c={}\r\n", base64(crc32c(&mut all)));
    let server = Server::start(move |_, (_, from)| served(*from, SIZE, &hash));
    let (to, result, said) = fetch("mixed", &server, &[7; 1000]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said.len() == 1 && said[0].contains("checksum"), "{said:?}");
    // The file changes between two connections.
    let server = Server::start(|k, (_, from)| served(*from, 200_000, if k == 0 { "ETag: \"a\"\r\n" } else { "ETag: \"b\"\r\n" }));
    let (to, result, said) = fetch("changed", &server, &[]);
    assert!(result.unwrap() == WHOLE && whole(&to) && said[1].contains("changed"), "{said:?}");
}

/// Bit by bit, as the standard defines it.
fn crc32c(bytes: &mut &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, &b| (0..8).fold(crc ^ u32::from(b), step))
}

fn base64(value: u32) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(value) << 4;
    (0..6).rev().map(|i| char::from(DIGITS[(bits >> (6 * i)) as usize & 63])).chain("==".chars()).collect()
}

#[test]
fn what_is_no_drawing_is_not_kept_and_an_end_keeps_what_came() {
    let server = Server::start(|_, (_, from)| served(*from, SIZE, ""));
    let to = fresh("checked");
    let client = Client::new(false, Duration::from_millis(1));
    let result = client.fetch(&server.address, &to, |_| Err("no drawings".into()), &mut |_| true);
    assert!(matches!(result, Err(Failure::Wrong(why)) if why == "no drawings") && !to.exists() && !part(&to).exists());
    let result = client.fetch(&server.address, &to, |_| Ok(()), &mut |event| !matches!(event, Event::At(n, _) if n > 100_000));
    assert!(matches!(result, Err(Failure::Interrupted)) && !to.exists());
    assert!(std::fs::metadata(part(&to)).unwrap().len() > 100_000);
    assert!(client.fetch(&server.address, &to, |_| Ok(()), &mut |_| true).unwrap() == WHOLE && whole(&to));
    // Nothing goes over plain HTTP where it must not.
    let plain = fresh("plain");
    let secure = Client::new(true, Duration::from_millis(1)).fetch(&server.address, &plain, |_| Ok(()), &mut |_| true);
    assert!(secure.is_err() && !plain.exists());
}
