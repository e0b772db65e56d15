use connect4::{Position, Solver};
fn cpu() -> f64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9 }
fn main() {
    let mb: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut s = Solver::new(mb);
    for m in std::env::args().skip(2) {
        let p = Position::parse(&m).unwrap();
        let (n, t) = (s.nodes(), cpu());
        let v = s.solve(&p);
        println!("{m}: {v} nodes {} cpu {:.2} s", s.nodes() - n, cpu() - t);
    }
}
