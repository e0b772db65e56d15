fn cpu() -> f64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9 }
use connect4::{Position, Solver};
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mb: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let limit: usize = std::env::args().nth(3).map_or(1000, |s| s.parse().unwrap());
    let mut solver = Solver::new(mb);
    for set in ["Test_L2_R1", "Test_L2_R2", "Test_L1_R1", "Test_L1_R2"] {
        let text = std::fs::read_to_string(format!("{dir}/{set}")).unwrap();
        let limit = if set == "Test_L1_R2" { limit } else { 1000 };
        let before = solver.nodes();
        let mut errors = 0;
        let (mut time, mut n) = (0.0, 0);
        for line in text.lines().take(limit) {
            let (m, s) = line.split_once(' ').unwrap();
            let p = Position::parse(m).unwrap();
            solver.clear();
            let t = cpu();
            let got = solver.solve(&p);
            time += cpu() - t;
            errors += (got != s.parse::<i32>().unwrap()) as u32;
            n += 1;
        }
        let nodes = (solver.nodes() - before) as f64;
        println!("{set} n {n} nodes {:.1} time {:.4} ms  {:.2} M/s errors {errors}", nodes / n as f64, time / n as f64 * 1e3, nodes / time / 1e6);
    }
}
