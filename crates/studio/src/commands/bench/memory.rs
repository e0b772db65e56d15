//! `neurona bench --memory`: the most memory that a training needs, over batches.

use super::{Args, columns, digits};
use crate::progress::Progress;
use crate::report::{Exit, Report};
use crate::{Shell, Texts};
use serde_json::Value;
use std::process::Command;

/// Pictures in a step.
const BATCHES: [usize; 4] = [8, 16, 32, 64];

/// Trains each batch for some steps in a process of its own, whose peak the system reports.
///
/// # Errors
/// A process that fails (1), or mistakes of usage (2): what it says.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let names: Vec<&str> = if args.workload.is_empty() { vec!["stego"] } else { args.workload.iter().map(String::as_str).collect() };
    let keys = ["bench.workload", "bench.batch", "bench.data", "bench.state", "bench.program", "bench.process", "bench.rest"];
    let (mut table, mut progress) = (columns(&texts, &keys), Progress::stderr(texts));
    for name in names {
        for batch in args.batches(&BATCHES) {
            progress.status(&texts.fill("bench.memory_running", &[("name", &name), ("batch", &batch)]));
            let line = child(args, name, batch, &texts)?;
            progress.clear();
            if shell.json {
                shell.print(&line.to_string())?;
            }
            let bytes = |key: &str| line[key].as_f64();
            let rest = bytes("peak_bytes").zip(bytes("data_bytes")).map(|(peak, data)| peak - data);
            let cell = |x: Option<f64>| x.map_or("—".into(), |x| digits(x / 1e6, 2));
            let [data, state, program, process] = ["data_bytes", "state_bytes", "program_bytes", "peak_bytes"].map(|key| cell(bytes(key)));
            table.row([name.to_string(), batch.to_string(), data, state, program, process, cell(rest)]);
        }
    }
    if shell.json { Ok(()) } else { shell.print(&format!("{table}\n\n{}", texts.get("bench.memory_note"))) }
}

/// The line that `neurona bench --json` prints of one workload and batch.
fn child(args: &Args, name: &str, batch: usize, texts: &Texts) -> Result<Value, Report> {
    let failed = |why: String| Report::new(Exit::Failed, texts.fill("bench.child", &[("name", &name), ("batch", &batch)]), why, "");
    let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let (threads, seconds) = (args.threads.unwrap_or(0), args.seconds.unwrap_or(0.0));
    let options =
        [format!("--workload={name}"), format!("--batch={batch}"), format!("--threads={threads}"), format!("--seconds={seconds}")];
    let output = Command::new(program).args(["bench", "--json"]).args(options).output().map_err(|e| failed(e.to_string()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match serde_json::from_slice(&output.stdout) {
        Ok(line) if output.status.success() => Ok(line),
        // Mistakes of usage come as they are; whatever else went wrong has its own words too.
        _ => Err(match serde_json::from_str::<Value>(&said).ok().and_then(|v| v.get("error").cloned()) {
            Some(e) if output.status.code() == Some(Exit::Usage as i32) => {
                let part = |key: &str| e[key].as_str().unwrap_or_default().to_string();
                Report::new(Exit::Usage, part("what"), part("why"), part("fix"))
            }
            _ => failed(if said.is_empty() { output.status.to_string() } else { said.into_owned() }),
        }),
    }
}
