//! Tracing a model: a [`Context`] hands out parameters by name and random numbers by use, so that a
//! model is just a function from tensors to tensors.

use crate::Init;
use graph::{DType, Tensor, Tracer};
use std::cell::RefCell;
use std::rc::Rc;

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Path, `dense_1/weight`.
    pub name: String,
    /// Extents.
    pub shape: Vec<usize>,
    /// How it starts.
    pub init: Init,
    /// Whether the optimizer moves it along its gradient. If not, it is a running value, which changes
    /// only as the model says ([`Context::update`]).
    pub trained: bool,
}

impl Param {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Larger tensors of weights (16 GiB in f32) are mistakes, and their sizes might overflow.
const LARGEST_PARAM: usize = 1 << 32;

#[derive(Default)]
struct State {
    path: Vec<String>,
    params: Vec<(Param, Tensor)>,
    /// Per parameter, the value after this step, of running values that were updated.
    news: Vec<Option<Tensor>>,
    data: Vec<Tensor>,
    key: Option<Tensor>,
    streams: u32,
}

/// One trace of a model.
///
/// ```
/// use neurona::{Context, DType, Init};
/// let cx = Context::new(DType::F32, false);
/// let x = cx.input("x", DType::F32, &[8, 3]);
/// let dense = |x: &graph::Tensor| cx.layer("dense", || {
///     let w = cx.param("weight", &[3, 2], Init::GlorotUniform);
///     let b = cx.param("bias", &[2], Init::Zeros);
///     x.matmul(&w) + b
/// });
/// let twice = dense(&x) + dense(&x); // the same parameters: the path is the same
/// assert_eq!(twice.shape(), [8, 2]);
/// assert_eq!(cx.params().iter().map(|(p, _)| p.name.as_str()).collect::<Vec<_>>(), ["dense/weight", "dense/bias"]);
/// ```
#[derive(Clone)]
pub struct Context {
    tracer: Tracer,
    dtype: DType,
    training: bool,
    state: Rc<RefCell<State>>,
}

impl Context {
    /// Starts a trace. `dtype` is the parameters' element type; `training` switches dropout on.
    pub fn new(dtype: DType, training: bool) -> Context {
        Context { tracer: Tracer::new(), dtype, training, state: Rc::default() }
    }

    /// The graph under construction.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Element type of the parameters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Whether the model is traced for training (dropout acts) or for use.
    pub fn training(&self) -> bool {
        self.training
    }

    /// Declares data given at every run; axis 0 counts the rows of the batch.
    pub fn input(&self, name: &str, dtype: DType, shape: &[usize]) -> Tensor {
        let t = self.tracer.input(name, dtype, shape);
        self.state.borrow_mut().data.push(t.clone());
        t
    }

    /// Runs `f` with `name` appended to the path of parameters and of error messages.
    pub fn layer<T>(&self, name: &str, f: impl FnOnce() -> T) -> T {
        self.state.borrow_mut().path.push(name.to_string());
        let out = self.tracer.layer(name, f);
        self.state.borrow_mut().path.pop();
        out
    }

    /// The parameter of this name at this path: made at the first call, found at the next. Another
    /// shape than at the first call is an error of the trace.
    pub fn param(&self, name: &str, shape: &[usize], init: Init) -> Tensor {
        match self.make(name, shape, init, true) {
            Ok(i) => self.state.borrow().params[i].1.clone(),
            Err(poisoned) => poisoned,
        }
    }

    /// A value that is kept with the parameters but has no gradient, such as a running mean: made, named
    /// and saved like a parameter, changed only by [`Context::update`]. After an update in the same
    /// trace it is the new value.
    ///
    /// ```
    /// use neurona::{Arg, Context, DType, Init, Optimizer, State, Step};
    /// let cx = Context::new(DType::F32, true);
    /// let x = cx.input("x", DType::F32, &[2]);
    /// let w = cx.param("weight", &[], Init::Ones);
    /// let mean = cx.running("mean", &[], Init::Zeros);
    /// cx.update("mean", &(mean * 0.5 + x.mean_all() * 0.5));
    /// let mut step = Step::compile(&cx, &(x * w).mean_all(), &[], &Optimizer::Sgd, 1)?;
    /// let mut state = State::new(step.params(), &Optimizer::Sgd, 0);
    /// step.run(&mut state, 0.1, &[Arg::F32(&[1.0, 3.0])])?;
    /// assert_eq!(state.params[1], [1.0]);
    /// # Ok::<(), neurona::Error>(())
    /// ```
    pub fn running(&self, name: &str, shape: &[usize], init: Init) -> Tensor {
        match self.make(name, shape, init, false) {
            Ok(i) => {
                let s = self.state.borrow();
                s.news[i].as_ref().unwrap_or(&s.params[i].1).clone()
            }
            Err(poisoned) => poisoned,
        }
    }

    /// Sets what the running value of this name at this path becomes at the end of a training step.
    /// Functions without training ([`Function`](crate::Function)) leave it as it is.
    pub fn update(&self, name: &str, new: &Tensor) {
        let path = self.path(name);
        let place = self.state.borrow().params.iter().position(|(p, _)| p.name == path && !p.trained);
        let why = match place {
            None => format!("there is no running value {path} to update: ask for it with running before"),
            Some(i) => {
                let before = self.state.borrow().params[i].1.clone();
                if new.is_poisoned() || (new.shape() == before.shape() && new.dtype() == before.dtype()) {
                    self.state.borrow_mut().news[i] = Some(new.clone());
                    return;
                }
                format!("{path} is {}{:?} and cannot become this", before.dtype(), before.shape())
            }
        };
        self.tracer.error("update", &[new], why);
    }

    fn path(&self, name: &str) -> String {
        self.state.borrow().path.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/")
    }

    /// Position of the parameter of this name at this path, made if there is none; or a poisoned tensor.
    fn make(&self, name: &str, shape: &[usize], init: Init, trained: bool) -> Result<usize, Tensor> {
        let name = self.path(name);
        let known = self.state.borrow().params.iter().position(|(p, _)| p.name == name);
        if let Some(i) = known {
            let (p, t) = self.state.borrow().params[i].clone();
            if p.shape == shape && p.trained == trained {
                return Ok(i);
            }
            let kind = if trained { "parameter" } else { "running value" };
            let why = format!("{name} was made with this shape and is now asked for as a {kind} of shape {shape:?}");
            return Err(self.tracer.error("parameter", &[&t], why));
        }
        let within = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).is_some_and(|n| n <= LARGEST_PARAM);
        if !within {
            let why = format!("{name} of shape {shape:?} has more than {LARGEST_PARAM} weights: make the layer or its input smaller");
            return Err(self.tracer.error("parameter", &[], why));
        }
        let t = self.tracer.input(&name, self.dtype, shape);
        let mut s = self.state.borrow_mut();
        s.params.push((Param { name, shape: shape.to_vec(), init, trained }, t));
        s.news.push(None);
        Ok(s.params.len() - 1)
    }

    /// Uniform random numbers in [0, 1), new ones at each step and at each call.
    pub fn uniform(&self, shape: &[usize]) -> Tensor {
        let key = {
            let mut s = self.state.borrow_mut();
            s.streams += 1;
            s.key.get_or_insert_with(|| self.tracer.input("key", DType::I32, &[2])).clone()
        };
        let stream = self.state.borrow().streams - 1;
        key.uniform(stream, self.dtype, shape)
    }

    /// All parameters, in the order in which they were made, with their tensors.
    pub fn params(&self) -> Vec<(Param, Tensor)> {
        self.state.borrow().params.clone()
    }

    /// Per parameter, its value after the step if the model updates it.
    pub(crate) fn news(&self) -> Vec<Option<Tensor>> {
        self.state.borrow().news.clone()
    }

    /// All data inputs, in the order in which they were declared.
    pub fn data(&self) -> Vec<Tensor> {
        self.state.borrow().data.clone()
    }

    /// The random key, if random numbers were asked for: `i32[2]`, (seed, step).
    pub fn key(&self) -> Option<Tensor> {
        self.state.borrow().key.clone()
    }
}
