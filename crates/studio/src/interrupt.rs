//! Ctrl-C during training: the current step is finished and what has been reached is saved. A second
//! Ctrl-C ends the program at once.

use crate::Exit;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Takes over Ctrl-C (and the request to end of a system that shuts down) for the rest of the program.
pub fn watch() {
    // It fails if that was done before, or if the system refuses: then Ctrl-C ends the program as it always does.
    let _ = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
}

/// Whether Ctrl-C was pressed since [`watch`].
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
