//! Trains a preset from seeds 1, 2 and 3 and fails if one of them misses the error it is made for:
//! `cargo run --release -p neurona-pinn --example acceptance -- [deck|accurate]`.

use pinn::{Error, Preset, Settings, train};
use std::ops::ControlFlow;
use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or("deck".into());
    match run(&name) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str) -> Result<bool, Error> {
    let preset: Preset = name.parse()?;
    let bound = match preset {
        Preset::Deck => 1e-2,
        Preset::Accurate => 1e-3,
    };
    let mut good = true;
    for seed in 1..=3 {
        let settings = Settings { seed, ..preset.settings() };
        let outcome = train(&settings, &mut |r| {
            if let Some(error) = r.relative_l2.filter(|_| r.step % (settings.steps / 10) == 0) {
                eprintln!("{name}, seed {seed}, step {:>6}: relative L2 {error:.2e}; {}", r.step, r.losses);
            }
            ControlFlow::Continue(())
        })?;
        let (l2, max, seconds) = (outcome.relative_l2, outcome.max_error, outcome.seconds);
        println!("{name}, seed {seed}: relative L2 {l2:.2e} (at most {bound:.0e}), largest error {max:.2e}, {seconds:.1} s");
        good &= l2 <= bound;
    }
    Ok(good)
}
