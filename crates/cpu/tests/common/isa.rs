//! The same tests on a lesser processor.

use std::process::Command;

/// Runs the tests of this binary again, in processes that may use only AVX2, or nothing beyond the build target.
///
/// # Panics
/// If one of them fails, with what it printed.
pub fn again() {
    if std::env::var_os("NEURONA_ISA").is_some() {
        return; // this is such a process
    }
    let binary = std::env::current_exe().expect("a test is a program");
    for isa in ["avx2", "portable"] {
        let run = Command::new(&binary).env("NEURONA_ISA", isa).output().expect("a program that runs can be started");
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "NEURONA_ISA={isa}\n{out}{err}");
    }
}
