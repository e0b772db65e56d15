use connect4::{Solver, book::Draft};
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|s| s.parse().unwrap()).collect();
    let file = format!("/tmp/wt/c4book{}", a[0]);
    let mut d = match std::fs::read(&file) { Ok(b) => Draft::from_bytes(&b).unwrap(), _ => Draft::new(a[0]).unwrap() };
    let s = Solver::new(a[1]);
    let mut solvers: Vec<_> = (0..a[2]).map(|_| s.clone()).collect();
    let t = std::time::Instant::now();
    while d.advance(&mut solvers, a[3]) > 0 {
        std::fs::write(&file, d.to_bytes()).unwrap();
        println!("{} of {}  {:.1} s  nodes {:?}", d.done(), d.len(), t.elapsed().as_secs_f64(), solvers.iter().map(|s| s.nodes()).sum::<u64>());
    }
}
