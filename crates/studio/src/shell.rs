//! What a command works with: messages, the output format, and stdout.

use crate::{Report, Texts};
use serde::Serialize;
use std::io::Write;

/// The surroundings of a running command.
pub struct Shell {
    /// Messages in the user's language.
    pub texts: Texts,
    /// Whether results are printed as JSON.
    pub json: bool,
    out: Box<dyn Write>,
}

impl Shell {
    /// A shell whose results go to `out`.
    pub fn new(texts: Texts, json: bool, out: Box<dyn Write>) -> Shell {
        Shell { texts, json, out }
    }

    /// Prints results: text, with a line break at the end.
    ///
    /// # Errors
    /// A closed or failing output.
    pub fn print(&mut self, text: &str) -> Result<(), Report> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Prints results as JSON.
    ///
    /// # Errors
    /// A closed or failing output.
    pub fn print_json(&mut self, value: &impl Serialize) -> Result<(), Report> {
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
        self.print(&text)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// A closed or failing output.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Report> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Prints help to stdout if it was `asked` for; else it is an error of usage.
    pub(crate) fn help(&mut self, text: &str, asked: bool) -> Result<(), Report> {
        if asked {
            self.print(text.trim_end())
        } else {
            Err(Report::new(crate::Exit::Usage, self.texts.get("no_command"), text.trim_end(), ""))
        }
    }

    /// Makes sure that everything has been written.
    ///
    /// # Errors
    /// A closed or failing output.
    pub fn flush(&mut self) -> Result<(), Report> {
        Ok(self.out.flush()?)
    }
}
