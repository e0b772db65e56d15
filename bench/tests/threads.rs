//! One seed, one result: three training steps on one, two and four threads end in the same bits, for every workload at
//! the batch of the speed comparison, dropout included.

use bench::Workload;

/// The losses of three steps, and the parameters and moments after them, as bits.
fn bits(name: &str, threads: usize) -> (Vec<u32>, Vec<Vec<u32>>) {
    let mut workload = Workload::new(name, threads).unwrap();
    let losses = (0..3).map(|_| workload.run().unwrap().to_bits()).collect();
    let state = workload.state.params.iter().chain(workload.state.slots.iter().flatten());
    (losses, state.map(|v| v.iter().map(|x| x.to_bits()).collect()).collect())
}

fn same(name: &str) {
    let (losses, state) = bits(name, 1);
    assert!(losses[2] != losses[0] && losses.iter().all(|&l| f32::from_bits(l).is_finite()), "{name} does not train");
    for threads in [2, 4] {
        let (l, s) = bits(name, threads);
        assert_eq!(l, losses, "{name}: losses with {threads} threads and with one");
        for (k, (a, b)) in state.iter().zip(&s).enumerate() {
            let apart = a.iter().zip(b).filter(|(a, b)| a != b).count();
            assert!(a.len() == b.len() && apart == 0, "{name}: {apart} of {} numbers of array {k} differ with {threads} threads", a.len());
        }
    }
}

macro_rules! workloads {
    ($($name:ident),*) => {
        $(#[test] fn $name() { same(stringify!($name)) })*

        #[test]
        fn no_workload_is_left_out() {
            assert_eq!(bench::NAMES, [$(stringify!($name)),*]);
        }
    };
}
workloads!(tiny, mlp, pinn, pinn_wide, connect4, doodle, stego, stego_conv);
