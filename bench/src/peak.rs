//! What the machine could do at best: the rate of one large matrix product through our own compiler.

use crate::{Error, check, repeat, workers};
use cpu::{Arg, Options, Out, Program};
use neurona::DType;

/// Rows and columns of both factors: three matrices of 4 MiB, larger than most second-level caches.
pub const SIZE: usize = 1024;

/// Floating-point operations a second, in 10⁹, of a product of two `SIZE`×`SIZE` matrices in single precision, the
/// fastest of those that fit in `seconds`. `threads` 0: as many as there are processors.
///
/// ```
/// assert!(bench::peak::gflops(1, 0.0)? > 0.1);
/// # Ok::<(), bench::Error>(())
/// ```
///
/// # Errors
/// A time that cannot be measured for; errors of the engine.
pub fn gflops(threads: usize, seconds: f64) -> Result<f64, Error> {
    check(seconds)?;
    let cx = graph::Tracer::new();
    let (a, b) = (cx.input("a", DType::F32, &[SIZE, SIZE]), cx.input("b", DType::F32, &[SIZE, SIZE]));
    let product = a.matmul(&b);
    let graph = cx.finish().map_err(neurona::CpuError::from)?;
    let options = Options { threads: workers(threads), batched: vec![true, false], donated: vec![] };
    let mut program = Program::compile(&graph, &[product.id()], &options)?;
    let factor: Vec<f32> = (0..SIZE * SIZE).map(|i| ((i % 31) as f32 - 15.0) / 16.0).collect();
    let mut result = vec![0.0f32; SIZE * SIZE];
    let run = || Ok(program.run(&[Arg::F32(&factor), Arg::F32(&factor)], &mut [Out::F32(&mut result)])?);
    let (times, ()) = repeat(seconds, 2, run)?;
    Ok(2.0 * (SIZE as f64).powi(3) / (times[0] * 1e6))
}
