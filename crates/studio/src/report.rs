//! Errors as people read them: what happened, why, and what to do; and the exit code that scripts read.

use crate::Texts;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ends, when not well. The numbers are part of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It could not be done.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A configuration file or setting is wrong.
    Config = 3,
    /// Data are missing or damaged.
    Data = 4,
    /// Training diverged.
    Diverged = 5,
    /// Interrupted, and saved.
    Interrupted = 130,
}

impl Exit {
    /// The name printed in `error[…]` and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::Config => "config",
            Exit::Data => "data",
            Exit::Diverged => "diverged",
            Exit::Interrupted => "interrupted",
        }
    }
}

/// An error, in the user's language. `why` and `fix` may be empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How the command ends.
    pub exit: Exit,
    /// What happened.
    pub what: String,
    /// Why, or where: may have several lines.
    pub why: String,
    /// What to do about it.
    pub fix: String,
    /// Whether there is nobody left to read output or error (a closed pipe): nothing is printed then.
    silent: bool,
}

impl Report {
    /// An error of the kind `exit`.
    pub fn new(exit: Exit, what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Report {
        Report { exit, what: what.into(), why: why.into(), fix: fix.into(), silent: false }
    }

    /// The exit code of the process. A reader that closed the pipe (`… | head`) has what it wanted: 0.
    pub fn exit_code(&self) -> ExitCode {
        if self.silent { ExitCode::SUCCESS } else { ExitCode::from(self.exit as u8) }
    }

    /// Prints the error, as JSON if `json`. There is nowhere to report that printing failed.
    pub fn print(&self, texts: &Texts, json: bool, to: &mut dyn Write) {
        if self.silent {
            return;
        }
        let text = if json {
            let fields = serde_json::json!({ "kind": self.exit.name(), "what": self.what, "why": self.why, "fix": self.fix });
            serde_json::json!({ "error": fields }).to_string()
        } else {
            self.text(texts)
        };
        let _ = writeln!(to, "{text}");
    }

    fn text(&self, texts: &Texts) -> String {
        let mut text = format!("{}[{}]: {}", texts.get("error"), self.exit.name(), self.what);
        for line in self.why.lines() {
            text.push_str(format!("\n  {line}").trim_end());
        }
        if !self.fix.is_empty() {
            text.push_str(&format!("\n  {}: {}", texts.get("fix"), self.fix));
        }
        text
    }
}

impl From<io::Error> for Report {
    /// An error of writing results.
    fn from(e: io::Error) -> Report {
        Report { silent: e.kind() == io::ErrorKind::BrokenPipe, ..Report::new(Exit::Failed, e.to_string(), "", "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    #[test]
    fn reports_have_all_their_parts_or_leave_them_out() {
        let print = |r: &Report, lang, json| {
            let mut out = vec![];
            r.print(&Texts::new(lang), json, &mut out);
            String::from_utf8(out).unwrap()
        };
        let r = Report::new(Exit::Data, "no file", "line one\nline two", "make one");
        assert_eq!(print(&r, Lang::En, false), "error[data]: no file\n  line one\n  line two\n  fix: make one\n");
        assert_eq!(print(&r, Lang::Es, false), "error[data]: no file\n  line one\n  line two\n  solución: make one\n");
        assert!(print(&r, Lang::Es, true).contains(r#""fix":"make one","kind":"data""#));
        assert_eq!(print(&Report::new(Exit::Failed, "w", "", ""), Lang::En, false), "error[failed]: w\n");
        assert_eq!(print(&io::Error::from(io::ErrorKind::BrokenPipe).into(), Lang::En, false), "");
    }
}
