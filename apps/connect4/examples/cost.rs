use connect4::{Solver};
fn cpu() -> f64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9 }
fn main() {
    let mb: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let budget: f64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let mut s = Solver::new(mb);
    let t = cpu();
    let all: Vec<_> = connect4::games::Games::new(1).take(30000).collect();
    println!("30000 positions {:.2} s", cpu() - t);
    let mut c = [(0, 0.0); 43];
    for p in all.iter().take(3000) { c[p.plies()].0 += 1; }
    for n in (3..36).rev() {
        let (t0, n0) = (cpu(), s.nodes());
        let mut k = 0;
        for p in all.iter().filter(|p| p.plies() == n) {
            s.scores(p); k += 1;
            if cpu() - t0 > budget { break; }
        }
        println!("ply {n} {k} rows: {:.2} ms  {:.0} nodes", (cpu() - t0) / k as f64 * 1e3, (s.nodes() - n0) as f64 / k as f64);
    }
}
