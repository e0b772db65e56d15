//! Models that together use every layer, every operation of the graph and the workload networks. The
//! round-trip tests and the comparison with onnxruntime share them.

use bench::workloads::{Array, Batch, Draw, Spec, WORKLOADS};
use neurona::layers::*;
use neurona::ops::contract::Dot;
use neurona::ops::{Binary, Compare, Conv, Op, Unary};
use neurona::{Activation, Context, DType, Function, Init, Model, Param, Sequential, Tensor, diff};

/// A traced model with its outputs, for a number of rows.
pub type Trace = Box<dyn Fn(usize) -> (Context, Vec<Tensor>)>;

/// A model and how its data are drawn.
pub struct Case {
    /// Name of its file.
    pub name: String,
    /// The model.
    pub trace: Trace,
    /// Per data input, what it holds.
    pub draws: Vec<Draw>,
}

/// One batch of data, with what the model makes of it.
pub struct Sample {
    /// Name, shape and values of each input.
    pub inputs: Vec<(String, Vec<usize>, Array)>,
    /// Shape and values of each output.
    pub outputs: Vec<(Vec<usize>, Vec<f32>)>,
}

/// A number in [0, 1) that depends on all the arguments.
fn u(array: usize, i: usize) -> f32 {
    neurona::ops::source::uniform([array as u32, 7], 99, i as u64)
}

impl Case {
    /// Weights, none of them zero by chance of an initializer.
    pub fn params(&self) -> Vec<Vec<f32>> {
        let made = (self.trace)(2).0.params();
        let values = |(k, (p, _)): (usize, &(Param, Tensor))| {
            let noise = |i: usize| 0.1 * (u(1000 + k, i) - 0.5);
            p.init.values(&p.shape, 3, k as u32).iter().enumerate().map(|(i, w)| w + noise(i)).collect()
        };
        made.iter().enumerate().map(values).collect()
    }

    /// Data of a batch and the outputs that the compiled model has for them.
    pub fn sample(&self, rows: usize, params: &[Vec<f32>]) -> Result<Sample, neurona::CpuError> {
        let (cx, outputs) = (self.trace)(rows);
        let mut f = Function::compile(&cx, &outputs.iter().collect::<Vec<_>>(), 0)?;
        let graph = cx.tracer().finish()?;
        let name = |t: &Tensor| match &graph.node(t.id()).op {
            Op::Input { name, .. } => name.clone(),
            _ => String::new(),
        };
        let draw = |(k, t): (usize, &Tensor)| {
            let n = t.shape().iter().product();
            (name(t), t.shape().to_vec(), self.draws[k].array(n, |i| u(rows * 10 + k, i)))
        };
        let inputs: Vec<_> = cx.data().iter().enumerate().map(draw).collect();
        let values = f.run(params, &inputs.iter().map(|(_, _, a)| a.arg()).collect::<Vec<_>>())?;
        let outputs = outputs.iter().map(|t| t.shape().to_vec()).zip(values).collect();
        Ok(Sample { inputs, outputs })
    }
}

/// All models.
pub fn all() -> Vec<Case> {
    [layers(), operations(), WORKLOADS.into_iter().map(workload).collect(), gradients()].into_iter().flatten().collect()
}

fn sequential(name: &str, model: Sequential, draw: Draw) -> Case {
    let trace = move |rows: usize| {
        let cx = Context::new(DType::F32, false);
        let x = cx.input("input", DType::F32, &[&[rows], &model.input[..]].concat());
        let y = Model::forward(&model, &cx, &[x]);
        (cx, vec![y])
    };
    Case { name: name.into(), trace: Box::new(trace), draws: vec![draw] }
}

fn layers() -> Vec<Case> {
    use Activation::*;
    let activations = [
        ("linear", Linear),
        ("step", Step),
        ("sigmoid", Sigmoid),
        ("tanh", Tanh),
        ("relu", Relu),
        ("leaky_relu", LeakyRelu { slope: 0.2 }),
        ("elu", Elu { alpha: 0.7 }),
        ("gelu", Gelu),
        ("softmax", Softmax),
        ("softplus", Softplus),
        ("silu", Silu),
    ];
    let dense = |(name, a)| sequential(&format!("dense_{name}"), Sequential::new(&[5]).layer(Dense::new(6).activation(a)), Draw::Real);
    let mut all: Vec<Case> = activations.into_iter().map(dense).collect();
    let image = || Sequential::new(&[9, 10, 3]);
    let conv = |filters, size: usize| Conv2d::new(filters, size);
    all.extend([
        sequential("dense_wide", Sequential::new(&[4, 5]).layer(Dense::new(3).activation(Softmax)), Draw::Real),
        sequential("dense_without_bias", Sequential::new(&[4]).layer(Dense::new(3).without_bias()).layer(Dense::new(1)), Draw::Real),
        sequential("conv", image().layer(conv(4, 3).activation(Relu)).layer(conv(5, 2).activation(Tanh)), Draw::Real),
        sequential("conv_same", image().layer(conv(4, 3).same().stride(2)).layer(conv(2, 2).same().dilation(2)), Draw::Real),
        sequential("conv_kernel", image().layer(Conv2d::new(2, [3, 1]).stride([1, 2]).without_bias()), Draw::Real),
        sequential("max_pool", image().layer(MaxPool2d::new(2)).layer(MaxPool2d::new([3, 2]).stride(1)), Draw::Real),
        sequential("average_pool", image().layer(AveragePool2d::new([2, 3]).stride([2, 1])).layer(AveragePool2d::new(1)), Draw::Real),
        sequential("flatten_reshape", image().layer(Flatten::new()).layer(Reshape::new(&[6, 45])).layer(Dense::new(2)), Draw::Real),
        sequential("dropout", Sequential::new(&[3]).layer(Dropout::new(0.5)).layer(Dense::new(2)), Draw::Real),
        sequential("rescale", Sequential::new(&[3]).layer(neurona::layers::Rescale::new(0.5, -1.0)).layer(Relu), Draw::Real),
        sequential(
            "embedding",
            Sequential::new(&[6]).layer(Embedding::new(11, 4)).layer(Dense::new(3)),
            Draw::Level { lowest: 0, count: 11 },
        ),
        sequential(
            "cnn",
            image()
                .layer(conv(8, 3).same().activation(Relu))
                .layer(MaxPool2d::new(2))
                .layer(conv(6, 3).activation(Silu))
                .layer(AveragePool2d::new(2))
                .layer(Flatten::new())
                .layer(Dense::new(10).activation(Softmax)),
            Draw::Real,
        ),
    ]);
    all
}

/// A function of inputs `[rows, …]`, all of them real.
fn function(name: &str, rows: &'static [&'static [usize]], f: impl Fn(&Context, &[Tensor]) -> Vec<Tensor> + 'static) -> Case {
    let trace = move |batch: usize| {
        let cx = Context::new(DType::F32, false);
        let input = |(i, row): (usize, &&[usize])| cx.input(&format!("x{i}"), DType::F32, &[&[batch], *row].concat());
        let inputs: Vec<Tensor> = rows.iter().enumerate().map(input).collect();
        let outputs = f(&cx, &inputs);
        (cx, outputs)
    };
    Case { name: name.into(), trace: Box::new(trace), draws: vec![Draw::Real; rows.len()] }
}

fn operations() -> Vec<Case> {
    let mut all = vec![elementwise(), moves(), batch_moves(), counters(), products(), convolutions(), windows(), shared_names()];
    all.push(function("indices", &[&[3]], |cx, x| {
        let table = cx.param("table", &[5, 2], Init::GlorotUniform);
        let rows = (&x[0] * 5.0).cast(DType::I32);
        let picked = table.gather(&rows);
        vec![picked.scatter_add_of(&rows), table.gather(&(rows.full_like(4.0) - &rows))]
    }));
    all
}

trait ScatterInto {
    fn scatter_add_of(&self, rows: &Tensor) -> Tensor;
}

impl ScatterInto for Tensor {
    /// Adds these updates into 5 rows.
    fn scatter_add_of(&self, rows: &Tensor) -> Tensor {
        rows.scatter_add(self, 5)
    }
}

fn elementwise() -> Case {
    function("elementwise", &[&[4], &[4]], |_, x| {
        let (a, b) = (&x[0] * 1.6 + 0.1, &x[1] * 2.0 - 0.7);
        let mut out: Vec<Tensor> = Unary::ALL.iter().map(|&u| a.tracer().push(Op::Unary(u), &[&a])).collect();
        out.extend(Binary::ALL.iter().map(|&op| a.binary(op, &b)));
        out.extend(Compare::ALL.iter().map(|&c| a.compare(c, &b)));
        let whole = (&a * 3.0).cast(DType::I32);
        let odd = whole.compare(Compare::Ne, &whole.full_like(2.0));
        out.extend([odd.select(&whole, &-&whole).cast(DType::F32), b.select(&a, &b), odd.cast(DType::F32), whole.abs().sign()]);
        out.push((&b * 1e-4).expm1());
        out.push((&b * 1e-5).log1p());
        out
    })
}

fn moves() -> Case {
    function("moves", &[&[4, 6], &[3]], |cx, x| {
        let (a, n) = (&x[0], x[0].shape()[0]);
        let bias = cx.param("bias", &[4], Init::Ones);
        let column = bias.broadcast(&[n, 4, 6], &[1]);
        let turned = a.transpose(&[2, 0, 1]);
        vec![
            a.reshape(&[n, 3, 8]),
            a.reshape(&[n * 4, 6]).tanh(),
            a.reshape(&[n, 1, 24, 1]).exp(),
            turned.reshape(&[6, n, 4, 1]).sum(&[3]),
            (&turned + column.transpose(&[2, 0, 1])).max(&[0]),
            column.sum(&[1, 2]),
            column.max(&[0, 2]),
            column.sum(&[0]),
            a.reverse(&[1, 2]),
            column.reverse(&[1, 2]),
            a.slice(1, 1, 3).slice(2, 2, 6),
            cx.tracer()
                .push(Op::Slice { start: vec![0, 1, 0], limit: vec![n, 4, 5], stride: vec![1, 2, 3] }, &[&turned.transpose(&[1, 2, 0])]),
            a.pad(&[(0, 0), (1, 0), (2, 3)], -1.0),
            cx.tracer().push(
                Op::Pad { lo: vec![0, 1, 0], hi: vec![0, 0, 2], interior: vec![0, 2, 1], value: graph::Scalar::new(0.5) },
                &[&turned.transpose(&[1, 2, 0])],
            ),
            Tensor::concat(&[&a.sum(&[2]), &x[1], &bias.broadcast(&[n, 4], &[1])], 1),
            Tensor::concat(&[&column, a], 2),
        ]
    })
}

/// Moves along the batch axis, whose extents are formulas in N.
fn batch_moves() -> Case {
    function("batch_moves", &[&[3]], |_, x| {
        let (a, n) = (&x[0], x[0].shape()[0]);
        let twice = Tensor::concat(&[a, &(a + 1.0)], 0);
        vec![
            twice.slice(0, n, 2 * n),
            a.slice(0, 0, n - 1).tanh(),
            a.pad(&[(1, 2), (0, 0)], 3.0),
            a.reverse(&[0]),
            twice.reshape(&[2, n, 3]).transpose(&[1, 0, 2]),
            a.reshape(&[3 * n]).broadcast(&[3 * n, n], &[0]).reshape(&[n, 3, n]),
            a.mean_all(),
            a.sum(&[0]) * a.full_like(n as f64).slice(0, 0, 1).reshape(&[3]),
            a.full_like(0.5).sum(&[0, 1]) + a.max(&[0, 1]),
        ]
    })
}

fn counters() -> Case {
    function("counters", &[&[3]], |cx, x| {
        let n = x[0].shape()[0];
        let [rows, columns] = [0, 1].map(|axis| cx.tracer().iota(DType::F32, &[n, 3], axis));
        vec![&rows + &columns, rows, &columns + &x[0], cx.tracer().iota(DType::I32, &[2, 3], 1).cast(DType::F32)]
    })
}

fn products() -> Case {
    function("products", &[&[3, 4], &[4, 2], &[4]], |cx, x| {
        let (a, b, v) = (&x[0], &x[1], &x[2]);
        let w = cx.param("w", &[5, 4], Init::GlorotUniform);
        let pairs = Dot { lhs_contract: vec![2], rhs_contract: vec![1], lhs_batch: vec![0], rhs_batch: vec![0] };
        let rows = Dot { lhs_contract: vec![1, 2], rhs_contract: vec![1, 0], ..Dot::default() };
        let square = cx.param("square", &[4, 3], Init::GlorotUniform);
        let bias = cx.param("bias", &[5], Init::Ones);
        vec![
            a.dot(b, pairs),
            a.dot(v, Dot { lhs_contract: vec![2], rhs_contract: vec![1], lhs_batch: vec![0], rhs_batch: vec![0] }),
            a.dot(&square, rows),
            v.dot(&w, Dot::pair(1, 1)) + &bias,
            v.dot(v, Dot::pair(0, 0)),
            w.dot(v, Dot::pair(1, 1)),
            v.transpose(&[1, 0]).dot(v, Dot::pair(1, 0)),
            a.dot(&w, Dot::pair(2, 1)),
            w.dot(a, Dot::pair(1, 2)),
            v.matmul(&v.sum(&[0])),
            v.dot(b, Dot { lhs_batch: vec![0, 1], rhs_batch: vec![0, 1], ..Dot::default() }),
        ]
    })
}

fn convolutions() -> Case {
    function("convolutions", &[&[7, 8, 3]], |cx, x| {
        let x = &x[0];
        let w = cx.param("kernel", &[3, 2, 3, 4], Init::GlorotUniform);
        let bias = cx.param("bias", &[4], Init::Ones);
        let base = Conv::default();
        let conv = |c: Conv| x.conv(&w, c);
        let turned = x.conv(&w.reverse(&[0, 1]), Conv { lhs_dilation: [2, 3], padding: [(2, 1), (1, 2)], ..base });
        vec![
            conv(base) + &bias,
            conv(Conv { stride: [2, 1], padding: [(1, 2), (0, 3)], rhs_dilation: [1, 2], ..base }),
            conv(Conv { padding: [(-1, 1), (2, -2)], ..base }),
            conv(Conv { lhs_dilation: [2, 2], padding: [(1, 2), (1, 0)], ..base }) + &bias,
            turned,
            conv(Conv { lhs_dilation: [2, 1], padding: [(5, 0), (0, 0)], ..base }),
            conv(Conv { lhs_dilation: [2, 2], stride: [3, 1], padding: [(-1, 0), (0, 1)], ..base }),
            conv(base).relu().conv(&w.transpose(&[0, 1, 3, 2]).slice(3, 0, 2), base).relu(),
        ]
    })
}

fn windows() -> Case {
    function("windows", &[&[6, 7, 2]], |_, x| {
        let x = &x[0];
        let unfolded = x.unfold([2, 3], [2, 1]);
        vec![
            unfolded.max(&[3, 4]),
            unfolded.sum(&[3, 4]),
            unfolded.mean(&[3, 4]),
            &unfolded * &unfolded,
            unfolded.fold([6, 7], [2, 1]),
            unfolded.fold([8, 9], [2, 1]),
            unfolded.max(&[4]),
        ]
    })
}

/// Names that meet: an input, a parameter and two outputs that are one tensor or an input itself.
fn shared_names() -> Case {
    function("shared_names", &[&[2]], |cx, x| {
        let w = cx.param("x0", &[2], Init::Ones);
        let y = cx.layer("output", || &x[0] * &w);
        vec![y.clone(), y.clone(), x[0].clone(), w, y.exp(), x[0].transpose(&[1, 0])]
    })
}

/// A workload's loss, and its last product or convolution: the logits.
fn workload(spec: Spec) -> Case {
    let trace = move |rows: usize| {
        let t = spec.trace(Batch { rows, boundary: rows }, false);
        let mut outputs = vec![t.output];
        if let Ok(graph) = t.cx.tracer().finish() {
            let last = (0..graph.nodes().len()).rev().find(|&i| matches!(graph.nodes()[i].op, Op::Dot(_) | Op::Conv(_)));
            outputs.extend(last.map(|i| t.cx.tracer().handle(graph::Id(i as u32))));
        }
        (t.cx, outputs)
    };
    let draws = spec.trace(Batch { rows: 2, boundary: 2 }, false).draws;
    Case { name: format!("workload_{}", spec.name), trace: Box::new(trace), draws }
}

/// Gradients are graphs like any other, so they can be exported too.
fn gradients() -> Vec<Case> {
    let gradient = |name: &str, row: &'static [usize], draw, model: Sequential| {
        let trace = move |rows: usize| {
            let cx = Context::new(DType::F32, false);
            let x = cx.input("x", DType::F32, &[&[rows], row].concat());
            let loss = Model::forward(&model, &cx, std::slice::from_ref(&x)).square().mean_all();
            let params: Vec<Tensor> = cx.params().into_iter().map(|(_, t)| t).chain([x]).collect();
            let mut outputs = diff::grad(&loss, &params.iter().collect::<Vec<_>>());
            outputs.insert(0, loss);
            (cx, outputs)
        };
        Case { name: format!("gradient_{name}"), trace: Box::new(trace), draws: vec![draw] }
    };
    let dense =
        Sequential::new(&[4]).layer(Dense::new(5).activation(Activation::Gelu)).layer(Dense::new(2).activation(Activation::Softmax));
    let image = Sequential::new(&[8, 9, 2])
        .layer(Conv2d::new(3, 3).stride(2).activation(Activation::Silu))
        .layer(Conv2d::new(2, 2).same().dilation([1, 2]).activation(Activation::Tanh))
        .layer(AveragePool2d::new(2).stride(1))
        .layer(Flatten::new())
        .layer(Dense::new(3));
    let pooled = Sequential::new(&[6, 6, 1]).layer(Conv2d::new(2, 3).activation(Activation::Softplus)).layer(MaxPool2d::new(2));
    let words = Sequential::new(&[3]).layer(Embedding::new(5, 2)).layer(Flatten::new()).layer(Dense::new(2));
    vec![
        gradient("dense", &[4], Draw::Real, dense),
        gradient("conv", &[8, 9, 2], Draw::Real, image),
        gradient("max_pool", &[6, 6, 1], Draw::Real, pooled),
        gradient("embedding", &[3], Draw::Level { lowest: 0, count: 5 }, words),
    ]
}
