//! Solves the equation of a file and prints its course: `cargo run --release -p neurona-pinn --example equation FILE.toml [SEED]`.

use pinn::solve::{File, Problem, Reference, Solver};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("which file?")?;
    let mut file: File = toml::from_str(&std::fs::read_to_string(&path)?)?;
    if let Some(seed) = args.next() {
        file.seed = seed.parse()?;
    }
    let folder = Path::new(&path).parent().unwrap_or(Path::new("."));
    let problem = Problem::new(&file, folder)?;
    let reference = Reference::read(&problem, folder)?;
    let mut solver = Solver::new(&problem, reference.as_ref())?;
    println!("{} weights; losses: {}", solver.parameters(), solver.names().join(", "));
    while !solver.is_done() {
        if let Some(r) = solver.advance()?.cloned() {
            let error = r.relative_l2.map_or(String::new(), |e| format!("  error {e:.2e}"));
            println!("stage {} step {:5}  loss {:.3e}{error}  {:.1} s", r.stage + 1, r.step, r.loss, r.seconds);
        }
    }
    let solved = solver.solved()?;
    println!("{:?}\n{:?} {:?}", solver.progress().ends, solved.distances, solved.fitted);
    println!("residual {:.2e}, elsewhere {:.2e}", solved.residuals[0], solved.residuals[1]);
    Ok(())
}
