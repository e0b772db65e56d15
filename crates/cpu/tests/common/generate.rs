//! Random graphs from lists of numbers. Each number (gene) adds something to the graph, whatever the
//! other genes are, so that lists can be shortened freely while a failure is narrowed down.

use super::case::Case;
use super::pool::{Entry, Pool, values};
use super::rng::Rng;
use graph::{DType, Tensor, diff};

/// What kind of graphs to make.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub dtype: DType,
    /// Orders of derivatives that follow.
    pub gradients: usize,
    /// Whether inputs hold NaN and infinities.
    pub special: bool,
}

/// The graph that `header` and `genes` describe.
pub fn generate(kind: Kind, header: u64, genes: &[u64]) -> Case {
    let mut rng = Rng::new(header);
    let extents = [1, 2, 3, 5, 7, 11, 13, 17, 19, 33, 67, 130, 257];
    let rows = if rng.chance(2) {
        [0, 3]
    } else if rng.chance(8) {
        [1025, 2]
    } else {
        [rng.pick(&extents), rng.pick(&extents)]
    };
    let mut pool = Pool::new(rng.clone(), kind.dtype, rows);
    first_inputs(&mut pool);
    for &gene in genes {
        pool.rng = Rng::new(gene);
        pool.gene();
    }
    pool.rng = Rng::new(header ^ 0x5EED);
    let mut outputs = choose_outputs(&mut pool);
    if kind.gradients > 0 {
        let wrt = parameters(&mut pool);
        let mut loss = scalar(&pool, &outputs);
        outputs.push(loss.clone());
        for order in 0..kind.gradients {
            let gradients = diff::grad(&loss, &wrt.iter().collect::<Vec<_>>());
            let size = pool.cx.finish().map_or(0, |g| g.nodes().len());
            if order + 1 < kind.gradients {
                loss = scalar(&pool, &gradients);
            }
            outputs.extend(gradients);
            if size > 1500 {
                break;
            }
        }
    }
    finish(kind, header, genes, pool, &outputs)
}

fn finish(kind: Kind, header: u64, genes: &[u64], pool: Pool, outputs: &[Tensor]) -> Case {
    let mut rng = Rng::new(header ^ 0xDA7A);
    let numbers: Vec<String> = std::iter::once(&header).chain(genes).map(|n| format!("{n:#x}")).collect();
    let name = format!("{kind:?}, GENES={}", numbers.join(","));
    let graph = pool.cx.finish().unwrap_or_else(|e| panic!("{name}: {e}"));
    let inputs = pool.inputs.iter().map(|(e, fill)| values(e, *fill, &mut rng, kind.special && e.len() < 100)).collect();
    let mut batched: Vec<bool> = pool
        .inputs
        .iter()
        .map(|(e, _)| {
            e.t.shape().first().is_some_and(|n| {
                let percent = if pool.rows.contains(n) { 80 } else { 10 };
                rng.chance(percent)
            })
        })
        .collect();
    if rng.chance(10) {
        batched.truncate(rng.below(batched.len())); // missing entries mean no
    }
    Case { name, graph, outputs: outputs.iter().map(Tensor::id).collect(), inputs, batched, salt: rng.next() }
}

/// Two or three inputs whose first axis is a batch.
fn first_inputs(pool: &mut Pool) {
    for k in 0..2 + pool.rng.below(2) {
        let n = pool.rows[usize::from(k == 2)];
        let thin = n > 100;
        let shape = match pool.rng.below(7) {
            _ if thin => vec![n, pool.rng.pick(&[1, 2, 3])],
            0 => vec![n],
            1..=3 => vec![n, pool.extent()],
            4 => vec![n, pool.extent(), pool.extent()],
            5 if n <= 13 => {
                let [h, w, c] = [pool.rng.between(3, 7), pool.rng.between(3, 6), pool.rng.between(1, 3)].map(|x| x as usize);
                vec![n, h, w, c]
            }
            _ => vec![n, 5],
        };
        pool.floats(pool.dtype, &shape);
    }
}

/// The latest tensor, some others, and now and then an input, a constant or the same one twice.
fn choose_outputs(pool: &mut Pool) -> Vec<Tensor> {
    let mut outputs: Vec<Tensor> = pool.entries.last().map(|e| e.t.clone()).into_iter().collect();
    for _ in 0..1 + pool.rng.below(4) {
        let e = pool.choose();
        outputs.push(e.t);
    }
    if pool.rng.chance(15) {
        let (e, _) = pool.rng.pick(&pool.inputs);
        outputs.push(e.t);
    }
    if pool.rng.chance(10) {
        outputs.push(pool.cx.full(pool.dtype, &[3], 0.5));
    }
    if pool.rng.chance(15) {
        outputs.push(pool.rng.pick(&outputs));
    }
    outputs
}

/// One to three inputs to differentiate with respect to.
fn parameters(pool: &mut Pool) -> Vec<Tensor> {
    let mut floats: Vec<Entry> = pool.inputs.iter().map(|(e, _)| e.clone()).filter(|e| e.t.dtype().is_float()).collect();
    pool.rng.shuffle(&mut floats);
    floats.truncate(1 + pool.rng.below(3));
    floats.into_iter().map(|e| e.t).collect()
}

/// A scalar that every float tensor of `parts` contributes to: mean squares.
fn scalar(pool: &Pool, parts: &[Tensor]) -> Tensor {
    let mut total = pool.cx.full(pool.dtype, &[], 0.0);
    for t in parts.iter().filter(|t| t.dtype().is_float()) {
        let n: usize = t.shape().iter().product();
        let mean = t.square().sum_all() * (1.0 / n.max(1) as f64);
        total = total + mean.cast(pool.dtype);
    }
    total
}
