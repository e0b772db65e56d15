//! `neurona serve`: the studio in a browser.

use crate::report::{Exit, Report};
use crate::serve::assets::Assets;
use crate::serve::{Studio, listen};
use crate::{Shell, interrupt};
use serde_json::json;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `neurona serve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The port, or the first that is tried
    #[arg(long, value_name = "N", default_value_t = 8080, hide_default_value = true)]
    port: u16,
    /// The address
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", hide_default_value = true)]
    host: IpAddr,
    /// Opens a browser
    #[arg(long)]
    open: bool,
    /// Folder of the page's files
    #[arg(long, value_name = "DIR")]
    web_dir: Option<PathBuf>,
}

/// Serves this machine until Ctrl-C, on the usual port or the next free one.
///
/// # Errors
/// No free port (1).
pub(super) fn here(shell: &mut Shell) -> Result<(), Report> {
    run(&Args { port: 8080, host: IpAddr::from([127, 0, 0, 1]), open: false, web_dir: None }, shell)
}

/// Serves until Ctrl-C.
///
/// # Errors
/// No free port, an address that is not this machine's (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let token = match args.host.is_loopback() {
        true => None,
        false => Some(crate::serve::secret().map_err(|e| Report::new(Exit::Failed, texts.get("serve.no_secret"), e.to_string(), ""))?),
    };
    let studio = Studio::new(texts.lang(), Assets { folder: args.web_dir.clone() }, token.clone())?;
    let failed = |e: std::io::Error| {
        let what = texts.fill("serve.no_port", &[("host", &args.host), ("port", &args.port)]);
        Report::new(Exit::Failed, what, e.to_string(), texts.get("serve.no_port.fix"))
    };
    let listening = listen(args.host, args.port).map_err(failed)?;
    let address = listening.address().map_err(failed)?;
    let query = token.map_or(String::new(), |t| format!("?token={t}"));
    let url = format!("http://{address}/{query}");
    if shell.json {
        shell.print_json(&json!({ "url": url }))?;
    } else {
        if args.port != 0 && address.port() != args.port {
            shell.print(&texts.fill("serve.other_port", &[("port", &args.port)]))?;
        }
        shell.print(&texts.fill("serve.listening", &[("url", &url)]))?;
        if !args.host.is_loopback() {
            shell.print(&texts.get("serve.exposed"))?;
        }
    }
    shell.flush()?;
    if args.open {
        open(&url);
    }
    interrupt::watch();
    listening.serve(Arc::new(studio)).map_err(failed)
}

/// Opens the system's browser; where there is none, the address has been printed.
fn open(url: &str) {
    let (program, args): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let quiet = std::process::Stdio::null;
    std::process::Command::new(program).args(args).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().ok();
}
