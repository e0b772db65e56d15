//! Activation functions, each a few operations of the graph, safe for every finite input.

use crate::names::name_or_table;
use graph::Tensor;
use graph::ops::Compare;
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_1_SQRT_2;

/// What a layer does to its weighted sums.
///
/// In configuration files a name is enough: `"relu"`, `"elu"`; parameters are given as
/// `{ elu = { alpha = 0.5 } }`.
///
/// ```
/// use neurona::Activation;
/// #[derive(serde::Deserialize)]
/// struct File { a: Activation, b: Activation }
/// let f: File = toml::from_str("a = \"leaky_relu\"\nb = { elu = { alpha = 0.5 } }")?;
/// assert_eq!((f.a, f.b), (Activation::LeakyRelu { slope: 0.01 }, Activation::Elu { alpha: 0.5 }));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Activation {
    /// x
    #[default]
    Linear,
    /// 1 where x ≥ 0, else 0: the perceptron (Rosenblatt 1958). Its derivative is 0 everywhere.
    Step,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
    Tanh,
    /// max(x, 0); slope 0 at 0.
    Relu,
    /// x where x > 0, else slope·x.
    LeakyRelu {
        /// Slope of the negative side.
        slope: f64,
    },
    /// x where x ≥ 0, else α·(eˣ − 1) (Clevert et al. 2016).
    Elu {
        /// Minus the limit at −∞.
        alpha: f64,
    },
    /// x·Φ(x), with the normal distribution Φ by the error function (Hendrycks & Gimpel 2016).
    Gelu,
    /// eˣⁱ / Σⱼ eˣʲ over the last axis.
    Softmax,
    /// log(1 + eˣ)
    Softplus,
    /// x / (1 + e⁻ˣ), also called swish.
    Silu,
}

name_or_table!(Activation, "the name of an activation, such as \"relu\", or a table such as { elu = { alpha = 1.0 } }", {
    "leaky_relu" => Activation::LeakyRelu { slope: 0.01 },
    "elu" => Activation::Elu { alpha: 1.0 },
});

impl Activation {
    /// The function applied to `x`, of any shape; softmax needs at least one axis.
    pub fn apply(&self, x: &Tensor) -> Tensor {
        let zero = x.full_like(0.0);
        match *self {
            Activation::Linear => x.clone(),
            Activation::Step => x.compare(Compare::Ge, &zero),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Tanh => x.tanh(),
            Activation::Relu => x.relu(),
            Activation::LeakyRelu { slope } => x.compare(Compare::Gt, &zero).select(x, &(x * slope)),
            // The exponential sees only x ≤ 0, so the branch not taken cannot overflow into 0·∞.
            Activation::Elu { alpha } => x.compare(Compare::Ge, &zero).select(x, &(x.minimum(&zero).expm1() * alpha)),
            Activation::Gelu => (x * 0.5) * ((x * FRAC_1_SQRT_2).erf() + 1.0),
            Activation::Softmax => softmax(x),
            Activation::Softplus => softplus(x),
            Activation::Silu => x * x.sigmoid(),
        }
    }
}

/// log(1 + eˣ) = max(x, 0) + log1p(e^−|x|), by a selection instead of max and |x|: each branch is the
/// whole smooth function, so that derivatives of every order are right at 0 as well.
pub(crate) fn softplus(x: &Tensor) -> Tensor {
    let zero = x.full_like(0.0);
    let positive = x.compare(Compare::Ge, &zero);
    positive.select(x, &zero) + positive.select(&-x, x).exp().log1p()
}

/// Logarithm of the softmax over the last axis, without overflow for any finite logits.
pub fn log_softmax(x: &Tensor) -> Tensor {
    match shifted(x) {
        Ok((z, sum)) => &z - along_last(&sum.log(), x),
        Err(poisoned) => poisoned,
    }
}

fn softmax(x: &Tensor) -> Tensor {
    match shifted(x) {
        Ok((z, sum)) => z.exp() / along_last(&sum, x),
        Err(poisoned) => poisoned,
    }
}

/// z = x − max x over the last axis, and Σ e^z ≥ 1. The maximum is a constant for differentiation:
/// softmax does not depend on it.
pub(crate) fn shifted(x: &Tensor) -> Result<(Tensor, Tensor), Tensor> {
    let Some(last) = x.rank().checked_sub(1) else {
        return Err(x.tracer().error("softmax", &[x], "needs at least one axis, the classes".into()));
    };
    let z = x - along_last(&x.max(&[last]).stop_gradient(), x);
    let sum = z.exp().sum(&[last]);
    Ok((z, sum))
}

/// Repeats `t` along the last axis of `like`.
pub(crate) fn along_last(t: &Tensor, like: &Tensor) -> Tensor {
    t.broadcast(like.shape(), &(0..like.rank().saturating_sub(1)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{DType, Tracer, Value, diff, eval};

    const ALL: [Activation; 11] = [
        Activation::Linear,
        Activation::Step,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Elu { alpha: 0.7 },
        Activation::Gelu,
        Activation::Softmax,
        Activation::Softplus,
        Activation::Silu,
    ];

    /// Values and derivatives of the sum of the values weighted 1, 2, 3, …
    fn run(a: Activation, dtype: DType, x: &[f64]) -> [Vec<f64>; 3] {
        let cx = Tracer::new();
        let t = cx.input("x", dtype, &[x.len()]);
        let y = a.apply(&t);
        let weights = cx.iota(dtype, &[x.len()], 0) + 1.0;
        let first = diff::grad(&(&y * &weights).sum_all(), &[&t]).remove(0);
        let second = diff::grad(&(&first * &weights).sum_all(), &[&t]).remove(0);
        let out = eval::evaluate(&cx.finish().unwrap(), &[Value::new(dtype, &[x.len()], x.to_vec())], &[y.id(), first.id(), second.id()]);
        out.unwrap().into_iter().map(|v| v.data).collect::<Vec<_>>().try_into().unwrap()
    }

    /// The textbook formulas, in plain f64.
    fn formula(a: Activation, x: f64) -> f64 {
        match a {
            Activation::Linear => x,
            Activation::Step => f64::from(x >= 0.0),
            Activation::Sigmoid => x.exp() / (x.exp() + 1.0),
            Activation::Tanh => (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
            Activation::Relu => {
                if x > 0.0 {
                    x
                } else {
                    0.0
                }
            }
            Activation::LeakyRelu { slope } => {
                if x > 0.0 {
                    x
                } else {
                    slope * x
                }
            }
            Activation::Elu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    alpha * (x.exp() - 1.0)
                }
            }
            Activation::Gelu => {
                // Φ by Simpson's rule: independent of the error function.
                let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let h = x / 2000.0;
                let sum: f64 = (0..=2000)
                    .map(|i| {
                        density(h * f64::from(i))
                            * if i == 0 || i == 2000 {
                                1.0
                            } else if i % 2 == 1 {
                                4.0
                            } else {
                                2.0
                            }
                    })
                    .sum();
                x * (0.5 + sum * h / 3.0)
            }
            Activation::Softplus => (1.0 + x.exp()).ln(),
            Activation::Silu => x * x.exp() / (x.exp() + 1.0),
            Activation::Softmax => f64::NAN, // not a function of one number: tested apart
        }
    }

    #[test]
    fn values_match_the_formulas() {
        let x = [-5.0, -1.3, -0.4, 0.0, 0.2, 1.0, 2.5, 6.0];
        for a in ALL.into_iter().filter(|&a| a != Activation::Softmax) {
            for (&x, y) in x.iter().zip(&run(a, DType::F64, &x)[0]) {
                assert!((y - formula(a, x)).abs() < 1e-12, "{a:?}({x}) = {y}, expected {}", formula(a, x));
            }
        }
        let total: f64 = x.iter().map(|x| x.exp()).sum();
        for (x, y) in x.iter().zip(&run(Activation::Softmax, DType::F64, &x)[0]) {
            assert!((y - x.exp() / total).abs() < 1e-15);
        }
    }

    /// Central differences of order 4 in each variable, of the values and of the first derivatives.
    #[test]
    fn derivatives_match_differences() {
        let (at, h) = ([-2.1, -0.7, 0.3, 1.9], 1e-3);
        for a in ALL {
            let exact = run(a, DType::F64, &at);
            for i in 0..at.len() {
                let moved = |steps: f64| {
                    let mut x = at;
                    x[i] += steps * h;
                    let r = run(a, DType::F64, &x);
                    [0, 1].map(|k| r[k].iter().enumerate().map(|(j, y)| y * (j + 1) as f64).sum::<f64>())
                };
                let (p, m, pp, mm) = (moved(1.0), moved(-1.0), moved(2.0), moved(-2.0));
                for k in 0..2 {
                    let numeric = (8.0 * (p[k] - m[k]) - (pp[k] - mm[k])) / (12.0 * h);
                    assert!((exact[k + 1][i] - numeric).abs() < 1e-9, "{a:?}, order {}: {} but {numeric}", k + 1, exact[k + 1][i]);
                }
            }
        }
    }

    /// Where formulas have a seam: softplus′(0) = 1/2 and softplus″(0) = 1/4, elu′(0) = 1.
    #[test]
    fn derivatives_at_zero_are_those_of_the_smooth_function() {
        let [y, d, dd] = run(Activation::Softplus, DType::F64, &[0.0]);
        assert!((y[0] - 2f64.ln()).abs() < 1e-15 && d[0] == 0.5 && dd[0] == 0.25);
        assert_eq!(run(Activation::Elu { alpha: 1.0 }, DType::F64, &[0.0])[1], [1.0]);
        assert_eq!(run(Activation::Relu, DType::F64, &[0.0])[1], [0.0]);
    }

    #[test]
    fn large_numbers_stay_finite_in_single_precision() {
        for a in ALL {
            for x in [1e4, -1e4, 3e18, -3e18, 90.0, -104.0] {
                for (k, v) in run(a, DType::F32, &[x, 0.5]).iter().enumerate() {
                    assert!(v.iter().all(|v| v.is_finite()), "{a:?}, order {k}, at {x}: {v:?}");
                }
            }
        }
        assert_eq!(run(Activation::Softmax, DType::F32, &[1e4, -1e4])[0], [1.0, 0.0]);
        assert_eq!(run(Activation::Softplus, DType::F32, &[1e4, -1e4])[0], [1e4, 0.0]);
    }

    #[test]
    fn names_round_trip_and_wrong_ones_are_explained() {
        for a in ALL {
            let text = serde_json::to_string(&a).unwrap();
            assert_eq!(serde_json::from_str::<Activation>(&text).unwrap(), a, "{text}");
        }
        assert_eq!(serde_json::from_str::<Activation>("\"elu\"").unwrap(), Activation::Elu { alpha: 1.0 });
        let e = serde_json::from_str::<Activation>("\"rleu\"").unwrap_err().to_string();
        assert!(e.contains("rleu") && e.contains("relu"), "{e}");
        assert!(serde_json::from_str::<Activation>("{\"elu\":{\"slope\":1}}").is_err());
    }
}
