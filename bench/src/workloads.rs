//! The networks of the reference workloads, as the formulas they are: parameters in the order and
//! layouts of `reference/README.md`, so that its numbers can be compared, and the same networks as in
//! `peers/`, so that times can.

use crate::Error;
use neurona::ops::{Compare, Conv, Op};
use neurona::{Arg, Context, DType, Init, Tensor, diff};

/// How many rows the data have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Examples; of a differential equation, points inside.
    pub rows: usize,
    /// Points on each of the two boundaries of a differential equation; otherwise unused.
    pub boundary: usize,
}

/// A reference workload.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What `neurona bench --workload` calls it.
    pub name: &'static str,
    /// Batch of the speed comparison.
    pub batch: Batch,
    /// Batch of `reference/steps.json`.
    pub reference: Batch,
    loss: fn(&mut Net) -> Tensor,
    /// Of a classifier, its network alone: the logits of its first data array.
    logits: Option<fn(&mut Net) -> Tensor>,
}

const fn spec(name: &'static str, rows: [usize; 2], boundary: [usize; 2], loss: fn(&mut Net) -> Tensor) -> Spec {
    let (batch, reference) = (Batch { rows: rows[0], boundary: boundary[0] }, Batch { rows: rows[1], boundary: boundary[1] });
    Spec { name, batch, reference, loss, logits: None }
}

const fn classifier(name: &'static str, rows: [usize; 2], loss: fn(&mut Net) -> Tensor, logits: fn(&mut Net) -> Tensor) -> Spec {
    Spec { logits: Some(logits), ..spec(name, rows, [0, 0], loss) }
}

/// All workloads, from the smallest network to the largest.
pub const WORKLOADS: [Spec; 8] = [
    spec("tiny", [32, 32], [0, 0], tiny),
    classifier("mlp", [32, 32], |net| cross_entropies(net, mlp, 10), mlp),
    spec("pinn", [10_000, 1000], [500, 100], |net| pinn(net, &[20; 8])),
    spec("pinn_wide", [10_000, 1000], [500, 100], |net| pinn(net, &[64; 4])),
    classifier("connect4", [64, 16], |net| cross_entropies(net, connect4, 7), connect4),
    classifier("doodle", [64, 8], |net| cross_entropies(net, doodle, 32), doodle),
    spec("stego", [64, 2], [0, 0], stego),
    spec("stego_conv", [16, 4], [0, 0], stego_conv),
];

impl Spec {
    /// The workload of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<Spec, Error> {
        WORKLOADS.into_iter().find(|w| w.name == name).ok_or_else(|| Error::Unknown { name: name.into() })
    }

    /// Traces the network and its loss. `dropout` switches the dropout of `doodle`, which no other has.
    pub fn trace(&self, batch: Batch, dropout: bool) -> Trace {
        let mut net = Net { cx: Context::new(DType::F32, dropout), batch, draws: vec![] };
        let loss = (self.loss)(&mut net);
        Trace { cx: net.cx, output: loss, draws: net.draws }
    }

    /// Traces the network of a classifier for use: its logits of this many rows, without target, loss and dropout.
    /// The other workloads have none.
    pub fn network(&self, rows: usize) -> Option<Trace> {
        let mut net = Net { cx: Context::new(DType::F32, false), batch: Batch { rows, boundary: 0 }, draws: vec![] };
        let output = self.logits?(&mut net);
        Some(Trace { cx: net.cx, output, draws: net.draws })
    }
}

/// How the elements of a data array come from random numbers u in [0, 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Draw {
    /// u itself.
    Real,
    /// A class, ⌊u·n⌋, as an integer.
    Class(usize),
    /// A whole number as a float: `lowest` + ⌊u·count⌋.
    Level {
        /// The smallest number.
        lowest: i32,
        /// How many numbers there are.
        count: usize,
    },
}

/// A data array.
#[derive(Clone, PartialEq, Debug)]
pub enum Array {
    /// Single precision.
    F32(Vec<f32>),
    /// Integers.
    I32(Vec<i32>),
}

impl Array {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        match self {
            Array::F32(x) => x.len(),
            Array::I32(x) => x.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The array as an argument of a compiled step.
    pub fn arg(&self) -> Arg<'_> {
        match self {
            Array::F32(x) => Arg::F32(x),
            Array::I32(x) => Arg::I32(x),
        }
    }
}

impl Draw {
    /// `n` elements from the random numbers `u(0)`, `u(1)`, ….
    pub fn array(self, n: usize, u: impl Fn(usize) -> f32) -> Array {
        let whole = |i: usize, count: usize| (f64::from(u(i)) * count as f64).floor() as i32;
        match self {
            Draw::Real => Array::F32((0..n).map(u).collect()),
            Draw::Class(count) => Array::I32((0..n).map(|i| whole(i, count)).collect()),
            Draw::Level { lowest, count } => Array::F32((0..n).map(|i| (lowest + whole(i, count)) as f32).collect()),
        }
    }
}

/// A traced workload.
pub struct Trace {
    /// Its parameters and data, and the graph.
    pub cx: Context,
    /// The scalar to be minimised, or the logits.
    pub output: Tensor,
    /// Per data array, what it holds.
    pub draws: Vec<Draw>,
}

impl Trace {
    /// The data arrays, from random numbers `u(array, element)` in [0, 1).
    pub fn data(&self, u: impl Fn(usize, usize) -> f32) -> Vec<Array> {
        let arrays = self.cx.data().into_iter().zip(&self.draws).enumerate();
        arrays.map(|(k, (t, draw))| draw.array(t.shape().iter().product(), |i| u(k, i))).collect()
    }

    /// Multiply-adds of the products and convolutions that the output needs, and of those that its derivatives by the
    /// parameters need too: of each product one more for every factor that depends on a parameter.
    ///
    /// # Errors
    /// Errors of the trace.
    pub fn multiply_adds(&self) -> Result<Cost, Error> {
        let graph = self.cx.tracer().finish().map_err(neurona::CpuError::from)?;
        let live = graph.live(&[self.output.id()]);
        let mut trained = vec![false; live.len()];
        self.cx.params().iter().for_each(|(_, t)| trained[t.id().0 as usize] = true);
        let mut cost = Cost::default();
        for (i, node) in graph.nodes().iter().enumerate() {
            let factors = node.args.iter().filter(|a| trained[a.0 as usize]).count();
            trained[i] |= factors > 0;
            let operand = |k: usize| graph.ty(node.args[k]);
            let one = match &node.op {
                Op::Dot(dot) => node.ty.len() * dot.contracted(operand(0)),
                Op::Conv(_) => node.ty.len() * operand(1).shape[..3].iter().product::<usize>(),
                _ => 0,
            };
            if live[i] {
                cost.forward += one as u64;
                cost.step += (one * (1 + factors)) as u64;
            }
        }
        Ok(cost)
    }
}

/// Multiply-adds of a workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Of the forward pass (of a differential equation, with the tangents in it).
    pub forward: u64,
    /// Of a whole training step.
    pub step: u64,
}

/// A network under construction.
struct Net {
    cx: Context,
    batch: Batch,
    draws: Vec<Draw>,
}

impl Net {
    /// A data array of `n` rows of this shape; classes are integers, all else is a float.
    fn input(&mut self, name: &str, draw: Draw, n: usize, row: &[usize]) -> Tensor {
        self.draws.push(draw);
        let dtype = if matches!(draw, Draw::Class(_)) { DType::I32 } else { self.cx.dtype() };
        self.cx.input(name, dtype, &[&[n], row].concat())
    }

    /// Weight `shape` (inputs before outputs) and bias of a layer.
    fn layer(&self, shape: &[usize]) -> (Tensor, Tensor) {
        let bias = Init::Uniform { min: -0.1, max: 0.1 };
        let out = shape.last().copied().unwrap_or(0);
        (self.cx.param("weight", shape, Init::LecunUniform), self.cx.param("bias", &[out], bias))
    }

    fn dense(&self, name: &str, x: &Tensor, out: usize) -> Tensor {
        self.cx.layer(name, || {
            let (w, b) = self.layer(&[channels(x), out]);
            x.matmul(&w) + b
        })
    }

    /// Convolution with a `k`×`k` kernel and `pad` zeros on each side.
    fn conv(&self, name: &str, x: &Tensor, out: usize, k: usize, pad: i64) -> Tensor {
        self.cx.layer(name, || {
            let (w, b) = self.layer(&[k, k, channels(x), out]);
            x.conv(&w, Conv { padding: [(pad, pad); 2], ..Conv::default() }) + b
        })
    }

    /// Dense layers with ReLU between them.
    fn head(&self, x: Tensor, widths: &[usize]) -> Tensor {
        let layer = |x: Tensor, k: usize| self.dense(&format!("dense{}", k + 1), &x, widths[k]);
        (1..widths.len()).fold(layer(x, 0), |x, k| layer(x.relu(), k))
    }
}

/// The loss of a classifier of so many classes.
fn cross_entropies(net: &mut Net, logits: fn(&mut Net) -> Tensor, classes: usize) -> Tensor {
    let z = logits(net);
    let y = net.input("class", Draw::Class(classes), net.batch.rows, &[]);
    cross_entropy(&z, &y)
}

fn tiny(net: &mut Net) -> Tensor {
    let n = net.batch.rows;
    let (x, y) = (net.input("x", Draw::Real, n, &[3]), net.input("y", Draw::Real, n, &[2]));
    let hidden = net.dense("1", &x, 4).sigmoid();
    let hidden = net.dense("2", &hidden, 3).sigmoid();
    (net.dense("3", &hidden, 2) - y).square().mean_all()
}

fn mlp(net: &mut Net) -> Tensor {
    let x = net.input("x", Draw::Real, net.batch.rows, &[784]);
    let hidden = net.dense("1", &x, 128).relu();
    net.dense("2", &hidden, 10)
}

/// Three dense layers as wide as their input, with ReLU between them, and the mean square error.
pub(crate) fn multilayer(width: usize, rows: usize) -> Trace {
    let mut net = Net { cx: Context::new(DType::F32, true), batch: Batch { rows, boundary: 0 }, draws: vec![] };
    let (x, y) = (net.input("x", Draw::Real, rows, &[width]), net.input("y", Draw::Real, rows, &[width]));
    let output = (net.head(x, &[width; 3]) - y).square().mean_all();
    Trace { cx: net.cx, output, draws: net.draws }
}

/// The transport equation φ_t + φ_x = 0 with period 1 in x and φ(0, x) = sin 2πx. As t and x move
/// together, the residual is one directional derivative.
fn pinn(net: &mut Net, widths: &[usize]) -> Tensor {
    let Batch { rows, boundary } = net.batch;
    let inside = net.input("points", Draw::Real, rows, &[2]);
    let (t, x) = (net.input("edge", Draw::Real, boundary, &[1]), net.input("start", Draw::Real, boundary, &[1]));
    let phi = |points: &Tensor| {
        let last = widths.len() + 1;
        let hidden = (1..last).fold(points * 2.0 - 1.0, |h, k| net.dense(&k.to_string(), &h, widths[k - 1]).tanh());
        net.dense(&last.to_string(), &hidden, 1)
    };
    let at = |t: &Tensor, x: &Tensor| phi(&Tensor::concat(&[t, x], 1));
    let residual = diff::jvp(&phi(&inside), &[(&inside, &inside.full_like(1.0))]);
    let edges = at(&t, &t.full_like(0.0)) - at(&t, &t.full_like(1.0));
    let start = at(&x.full_like(0.0), &x) - (&x * std::f64::consts::TAU).sin();
    [residual, edges, start].map(|e| e.square().mean_all()).into_iter().reduce(|a, b| a + b).unwrap_or(inside)
}

fn connect4(net: &mut Net) -> Tensor {
    let board = net.input("board", Draw::Level { lowest: -1, count: 3 }, net.batch.rows, &[6, 7, 1]);
    let x = net.conv("conv1", &board, 64, 2, 0).relu();
    let x = net.conv("conv2", &x, 128, 2, 0).relu();
    let x = net.conv("conv3", &x, 32, 2, 0).relu();
    net.head(flat(&x), &[128, 64, 7])
}

/// Share of the features that `doodle` keeps where it drops some.
const KEEP: f64 = 0.7;

fn doodle(net: &mut Net) -> Tensor {
    let image = net.input("image", Draw::Real, net.batch.rows, &[28, 28, 1]);
    let layers = [(32, true), (64, true), (128, false), (128, true), (128, false), (128, true)];
    let x = layers.iter().enumerate().fold(image, |x, (k, &(out, pooled))| {
        let x = net.conv(&format!("conv{}", k + 1), &x, out, 3, 1).relu();
        if pooled { x.unfold([2, 2], [2, 2]).max(&[3, 4]) } else { x }
    });
    let mut features = flat(&x);
    if net.cx.training() {
        let kept = net.cx.uniform(features.shape()).compare(Compare::Lt, &features.full_like(KEEP));
        features = features * kept * (1.0 / KEEP);
    }
    net.head(features, &[128, 64, 32, 32])
}

/// Text hidden in a picture by products alone: 128 characters become 512 numbers each, together one
/// plane that is mixed into the colours.
fn stego(net: &mut Net) -> Tensor {
    let n = net.batch.rows;
    let (image, text) = (net.input("image", Draw::Real, n, &[256, 256, 3]), net.input("text", Draw::Class(256), n, &[128]));
    let table = net.cx.param("embedding", &[256, 512], Init::Uniform { min: -1.0, max: 1.0 });
    let plane = table.gather(&text).reshape(&[n, 256, 256, 1]);
    let hidden = net.conv("image", &image, 16, 1, 0).relu();
    let stego = net.conv("out", &Tensor::concat(&[&hidden, &plane], 3), 3, 1, 0).relu();
    let seen = net.conv("plane", &stego, 1, 1, 0).reshape(&[n, 128, 512]);
    (&stego - image).square().mean_all() + cross_entropy(&net.dense("read", &seen, 256), &text)
}

/// Bits hidden in a picture by convolutions over its 4×4 cells.
fn stego_conv(net: &mut Net) -> Tensor {
    let n = net.batch.rows;
    let image = net.input("image", Draw::Real, n, &[64, 64, 3]);
    let bits = net.input("bits", Draw::Level { lowest: 0, count: 2 }, n, &[16, 16, 4]);
    // Channels of a cell: (row, column, colour).
    let down = |x: &Tensor| x.reshape(&[n, 16, 4, 16, 4, 3]).transpose(&[0, 1, 3, 2, 4, 5]).reshape(&[n, 16, 16, 48]);
    let up = |x: &Tensor| x.reshape(&[n, 16, 16, 4, 4, 3]).transpose(&[0, 1, 3, 2, 4, 5]).reshape(&[n, 64, 64, 3]);
    let body = |name: &str, x: &Tensor, out: usize| {
        let hidden = (1..4).fold(x.clone(), |x, k| net.conv(&format!("{name}{k}"), &x, 64, 3, 1).relu());
        net.conv(&format!("{name}4"), &hidden, out, 1, 0)
    };
    let code = body("enc", &Tensor::concat(&[&down(&image), &(&bits * 2.0 - 1.0)], 3), 48).tanh();
    let stego = &image + up(&code) * (12.0 / 255.0);
    (&stego - &image).square().mean_all() + binary_cross_entropy(&body("dec", &down(&stego), 4), &bits)
}

/// Mean over all targets of −log softmax(logits)[class]; `logits` `[…, classes]`, `classes` `[…]`.
fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Tensor {
    let axis = logits.rank().saturating_sub(1);
    let column = [&logits.shape()[..axis], &[1]].concat();
    // The largest logit only keeps the exponentials finite: it cancels, and so does its derivative.
    let z = logits - logits.max(&[axis]).stop_gradient().reshape(&column);
    let class = logits.tracer().iota(logits.dtype(), &[channels(logits)], 0);
    let hot = class.compare(Compare::Eq, &classes.cast(logits.dtype()).reshape(&column));
    (z.exp().sum(&[axis]).log() - (z * hot).sum(&[axis])).mean_all()
}

/// Mean of −log p(y) where p(1) = sigmoid(logits), without overflow for logits of either sign.
fn binary_cross_entropy(logits: &Tensor, y: &Tensor) -> Tensor {
    (logits.relu() - logits * y + (-logits.abs()).exp().log1p()).mean_all()
}

/// Extent of the last axis.
fn channels(x: &Tensor) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

/// Each row as one vector.
fn flat(x: &Tensor) -> Tensor {
    let rows = x.shape().first().copied().unwrap_or(0);
    x.reshape(&[rows, x.shape().iter().skip(1).product()])
}
