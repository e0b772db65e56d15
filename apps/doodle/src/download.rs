//! Large files over HTTP: what came before a connection broke is kept in a file beside and not asked for again; a file has its
//! name only once its size (and its checksum, where the server tells one) is right.

use crate::checksum::{crc32c, told};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

/// What happens in the meantime.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event<'a> {
    /// So many bytes of all are there.
    At(u64, u64),
    /// The server is asked again after a pause.
    Again(&'a str, Duration),
    /// A part of the pause is over.
    Waiting,
}

/// A file that is whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: u64,
    /// Whether it was there before.
    pub before: bool,
}

/// Why a file is not there.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server does not give it.
    #[error("the server answers {0}")]
    Refused(u16),
    /// No connection lasted.
    #[error("{why}; {tries} attempts in a row brought nothing more")]
    Broken {
        /// What the last attempt ended with.
        why: String,
        /// Attempts.
        tries: u32,
    },
    /// What came cannot be used.
    #[error("{0}")]
    Wrong(String),
    /// Another file has its name.
    #[error("it has {bytes} bytes, the server's has {of}")]
    Taken {
        /// Bytes that it has.
        bytes: u64,
        /// Bytes of the server's file.
        of: u64,
    },
    /// Another process is at it.
    #[error("another process is downloading it")]
    InUse,
    /// A file cannot be written.
    #[error("{0}")]
    File(#[from] io::Error),
    /// An end was asked for.
    #[error("interrupted")]
    Interrupted,
}

/// An attempt that failed: for good, or to be repeated.
enum Trouble {
    Final(Failure),
    Passing(String, Option<Duration>),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Final(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(e: io::Error) -> Trouble {
        Trouble::Final(e.into())
    }
}

/// Failures in a row without a new byte, and connections for a file, at most.
const TRIES: u32 = 6;
const CONNECTIONS: u32 = 200;

/// The longest pause, whatever the server asks for.
const LONGEST: Duration = Duration::from_secs(60);

/// Who is told how far it is; `false` ends it.
type Watcher<'a> = &'a mut dyn FnMut(Event) -> bool;

/// Downloads files.
pub struct Client {
    agent: Agent,
    pause: Duration,
}

impl Client {
    /// A client that waits `pause` before it asks again, then twice as long, and so on. With `secure`, nothing goes over plain
    /// HTTP, redirections included.
    pub fn new(secure: bool, pause: Duration) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(secure)
            .user_agent(concat!("neurona/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(Duration::from_secs(20)))
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(30)))
            .build();
        Client { agent: config.new_agent(), pause }
    }

    /// Gets a file, or what is missing of it. It is called `NAME.part` until `check` agrees with it; what is left of it after a
    /// failure is gone on with the next time. A file that is there already and has the size of the server's stays as it is.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn fetch(
        &self,
        address: &str,
        to: &Path,
        check: impl FnOnce(&Path) -> Result<(), String>,
        watch: Watcher,
    ) -> Result<Fetched, Failure> {
        if let Ok(there) = fs::metadata(to) {
            let of = self.again(watch, &mut |_| self.size(address))?;
            let taken = Failure::Taken { bytes: there.len(), of };
            return if there.len() == of { Ok(Fetched { bytes: of, before: true }) } else { Err(taken) };
        }
        let path = part(to);
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        match file.try_lock() {
            // Where a file system knows no locks, it goes on without.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::InUse),
        }
        let mut partial = Partial { file, have: 0, of: None, tag: None, checksum: None };
        partial.have = partial.file.metadata()?.len();
        let bytes = self.again(watch, &mut |watch| partial.go_on(&self.agent, address, watch))?;
        drop(partial); // on some systems nobody else can read it before
        if let Err(why) = check(&path) {
            fs::remove_file(&path)?;
            return Err(Failure::Wrong(why));
        }
        fs::rename(&path, to)?;
        Ok(Fetched { bytes, before: false })
    }

    /// The size of the server's file.
    fn size(&self, address: &str) -> Result<u64, Trouble> {
        let response = self.agent.head(address).call().map_err(|e| Trouble::Passing(e.to_string(), None))?;
        judge(&response)?;
        length(response.headers()).ok_or_else(|| Failure::Wrong("the server does not say how large it is".into()).into())
    }

    /// Repeats `step`, which gives a number of bytes, while it fails for reasons that may pass.
    fn again(&self, watch: Watcher, step: &mut dyn FnMut(Watcher) -> Result<u64, Trouble>) -> Result<u64, Failure> {
        let (mut most, mut fruitless) = (0, 0);
        for tries in 1.. {
            let mut reached = 0;
            let result = step(&mut |event| {
                if let Event::At(bytes, _) = event {
                    reached = bytes;
                }
                watch(event)
            });
            let (why, asked) = match result {
                Ok(bytes) => return Ok(bytes),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing(why, asked)) => (why, asked),
            };
            fruitless = if reached > most { 1 } else { fruitless + 1 };
            most = most.max(reached);
            if fruitless >= TRIES || tries >= CONNECTIONS {
                return Err(Failure::Broken { why, tries: fruitless });
            }
            let pause = asked.unwrap_or(self.pause * (1 << (fruitless - 1))).min(LONGEST);
            if !watch(Event::Again(&why, pause)) || !wait(pause, watch) {
                break;
            }
        }
        Err(Failure::Interrupted)
    }
}

/// Waits; false if an end was asked for.
fn wait(pause: Duration, watch: Watcher) -> bool {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
        if !watch(Event::Waiting) {
            return false;
        }
    }
}

/// The file beside, as long as a download is not whole.
pub fn part(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// A file that is not whole.
struct Partial {
    file: File,
    have: u64,
    /// What the server has told: bytes, version, checksum.
    of: Option<u64>,
    tag: Option<String>,
    checksum: Option<u32>,
}

impl Partial {
    /// One connection: what is missing, or as much of it as comes.
    fn go_on(&mut self, agent: &Agent, address: &str, watch: Watcher) -> Result<u64, Trouble> {
        let mut request = agent.get(address);
        if self.have > 0 {
            request = request.header("Range", format!("bytes={}-", self.have));
        }
        let response = request.call().map_err(|e| Trouble::Passing(e.to_string(), None))?;
        let (status, head) = (response.status().as_u16(), response.headers());
        let of = match status {
            206 => match range(head) {
                Some((Some(from), of)) if from == self.have && of >= from => of,
                _ => return Err(self.anew("the server goes on at another place")?),
            },
            416 if range(head).is_some_and(|(_, of)| of == self.have) => self.have,
            416 => return Err(self.anew("the server's file has another size")?),
            _ => {
                judge(&response)?;
                // All of it, although a part was asked for.
                self.cut()?;
                length(head).ok_or_else(|| Failure::Wrong("the server does not say how large it is".into()))?
            }
        };
        let tag = head.get("etag").and_then(|t| t.to_str().ok()).map(String::from);
        let (changed, checksum) = (self.of.is_some_and(|o| o != of) || self.of.is_some() && self.tag != tag, told(head));
        (self.of, self.tag, self.checksum) = (Some(of), tag, checksum);
        if changed && self.have > 0 {
            return Err(self.anew("the server's file has changed")?);
        }
        if status != 416 {
            self.receive(response, of, watch)?;
        }
        self.whole(of)
    }

    /// Writes what comes until there are `of` bytes.
    fn receive(&mut self, response: Response<Body>, of: u64, watch: Watcher) -> Result<(), Trouble> {
        self.file.seek(SeekFrom::Start(self.have))?;
        let (mut body, mut block) = (response.into_body().into_reader(), vec![0; 1 << 16]);
        while self.have < of {
            let room = (of - self.have).min(block.len() as u64) as usize;
            let why = match body.read(&mut block[..room]) {
                Ok(0) => "the server ended it".into(),
                Ok(n) => {
                    self.file.write_all(&block[..n])?;
                    self.have += n as u64;
                    if !watch(Event::At(self.have, of)) {
                        return Err(Failure::Interrupted.into());
                    }
                    continue;
                }
                Err(e) => e.to_string(),
            };
            return Err(Trouble::Passing(format!("the connection broke after {} of {of} bytes: {why}", self.have), None));
        }
        Ok(())
    }

    /// Whether what is there is what the server has.
    fn whole(&mut self, of: u64) -> Result<u64, Trouble> {
        let bytes = self.file.metadata()?.len();
        if bytes != of {
            return Err(self.anew(&format!("{bytes} bytes are there instead of {of}"))?);
        }
        if let Some(told) = self.checksum {
            self.file.seek(SeekFrom::Start(0))?;
            if crc32c(&mut self.file)? != told {
                return Err(self.anew("the checksum is not what the server tells")?);
            }
        }
        self.file.sync_all()?;
        Ok(of)
    }

    /// Gives up what is there: the next connection begins anew.
    fn anew(&mut self, why: &str) -> io::Result<Trouble> {
        self.cut()?;
        Ok(Trouble::Passing(why.into(), None))
    }

    fn cut(&mut self) -> io::Result<()> {
        self.have = 0;
        self.file.set_len(0)
    }
}

/// Whether a server gives what it was asked for, may do so later, or never.
fn judge(response: &Response<Body>) -> Result<(), Trouble> {
    match response.status().as_u16() {
        200 => Ok(()),
        status @ (408 | 425 | 429 | 500..=599) => {
            let asked = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.trim().parse().ok());
            Err(Trouble::Passing(format!("the server answers {status}"), asked.map(Duration::from_secs)))
        }
        status => Err(Failure::Refused(status).into()),
    }
}

/// Content-Length.
fn length(head: &HeaderMap) -> Option<u64> {
    head.get("content-length")?.to_str().ok()?.trim().parse().ok()
}

/// Content-Range, `bytes 10-99/100` or `bytes */100`: the first byte, and how many there are.
fn range(head: &HeaderMap) -> Option<(Option<u64>, u64)> {
    let (range, of) = head.get("content-range")?.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-').and_then(|(from, _)| from.parse().ok()), of.parse().ok()?))
}
