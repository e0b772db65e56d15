//! Ctrl-C: the first one asks for an end that loses nothing, the second one ends at once.

use crate::Texts;
use crate::report::{Exit, Report};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C (and a request to terminate) is noted instead of ending the process.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let note = || {
            if REQUESTED.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        };
        // Where no handler can be set, Ctrl-C ends the process as usual; what was saved before stays whole.
        let _ = ctrlc::set_handler(note);
    });
}

/// Whether an end was asked for.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Ends what keeps nothing to go on from.
///
/// # Errors
/// An end was asked for (130).
pub fn check(texts: &Texts) -> Result<(), Report> {
    if requested() { Err(Report::new(Exit::Interrupted, texts.get("interrupted"), "", "")) } else { Ok(()) }
}
