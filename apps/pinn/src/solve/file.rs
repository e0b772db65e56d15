//! What a file says of a problem and of how to solve it, as it is written in TOML.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A problem and how to solve it. Unknown keys are errors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Decides points and first weights.
    #[serde(default = "one")]
    pub seed: u32,
    /// Worker threads, 0 for all processors; the result does not depend on it.
    #[serde(default)]
    pub threads: usize,
    /// The functions that are sought.
    #[serde(default = "u")]
    pub unknowns: Vec<String>,
    /// Into how many equal parts time is cut. Each is solved on its own, from where the one before ended.
    #[serde(default = "whole")]
    pub windows: usize,
    /// Variables and their ranges, at most four; `t` is taken as the last.
    pub domain: BTreeMap<String, [Quantity; 2]>,
    /// Parts that are cut out of the domain, or of which nothing outside is left.
    #[serde(default)]
    pub shapes: BTreeMap<String, Shape>,
    /// Named numbers.
    #[serde(default)]
    pub constants: BTreeMap<String, Quantity>,
    /// Unknown numbers, fitted with the solution, and where they start.
    #[serde(default)]
    pub fit: BTreeMap<String, f64>,
    /// How an unknown is made of the output N of the network: `t*x*(1-x)*N` is 0 at the ends and at the start.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// What holds inside.
    #[serde(default)]
    pub equations: Vec<Equation>,
    /// What holds elsewhere.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Values that were measured.
    #[serde(default)]
    pub data: Vec<Data>,
    /// The network.
    #[serde(default)]
    pub network: Network,
    /// The points of the equations.
    #[serde(default)]
    pub sampling: Sampling,
    /// How the losses are weighed against each other.
    #[serde(default)]
    pub balance: Balance,
    /// How it is trained, one after another.
    pub stages: Vec<Stage>,
    /// Exact solutions of unknowns, as formulas.
    #[serde(default)]
    pub solution: BTreeMap<String, String>,
    /// A solution from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Points along each variable of space of a solution by finite differences that is made too, to compare (0: none).
    #[serde(default)]
    pub rival: usize,
    /// Points along each variable at which the solution is shown and graded (101).
    #[serde(default)]
    pub grid: BTreeMap<String, usize>,
}

fn one() -> u32 {
    1
}

fn whole() -> usize {
    1
}

fn u() -> Vec<String> {
    vec!["u".into()]
}

/// A number, or a formula of constants that gives one: `0.01`, `"0.01/pi"`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or a formula in quotes")]
pub enum Quantity {
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(i64),
    /// A formula.
    Formula(String),
}

/// A ball (`centre` and `radius`) or a box (`range`) in the variables that it names; it extends along all others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What is left of the domain.
    #[serde(default)]
    pub keep: Keep,
    /// Of a ball.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub centre: BTreeMap<String, Quantity>,
    /// Of a ball.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<Quantity>,
    /// Of a box: its ends along each variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub range: BTreeMap<String, [Quantity; 2]>,
}

/// Which side of a shape's surface belongs to the domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The shape is a hole.
    #[default]
    Outside,
    /// The rest is cut away.
    Inside,
}

/// A differential equation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equation {
    /// What its loss is called.
    pub name: String,
    /// Left side = right side.
    pub formula: String,
    /// Factor of its loss.
    #[serde(default = "unit")]
    pub weight: f64,
}

/// What holds on a part of the boundary, or anywhere else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What its loss is called.
    pub name: String,
    /// Where: `"t = 0"`, `"x"` for both ends of x, `"x = 0, t = 0"` for a corner, or a shape, for its surface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// What holds there. On a shape, `n_x` is the component along x of the normal that points out of the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// In place of `on` and `formula`: the variable at whose ends all unknowns agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periodic: Option<String>,
    /// Up to which order derivatives along this variable agree too.
    #[serde(default)]
    pub derivatives: usize,
    /// How many points.
    #[serde(default = "hundred")]
    pub points: usize,
    /// Factor of its loss.
    #[serde(default = "unit")]
    pub weight: f64,
}

fn unit() -> f64 {
    1.0
}

fn hundred() -> usize {
    100
}

/// Measured values: a file with the columns of the variables, then the value; or, to try what could be measured, values of
/// the exact solution with noise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// What its loss is called.
    pub name: String,
    /// Text of numbers, separated by blanks or commas, a point a line; or an .npy array of such rows. Without it, the values
    /// come from `solution`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is measured: a formula of unknowns, such as `u`.
    pub formula: String,
    /// Without a file: how many points, spread over the domain.
    #[serde(default = "hundred")]
    pub points: usize,
    /// Without a file: standard deviation of the normal noise that is added.
    #[serde(default)]
    pub noise: f64,
    /// Factor of its loss.
    #[serde(default = "unit")]
    pub weight: f64,
}

/// The network: dense layers from the variables, scaled to [−1, 1], to one output for each unknown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Units of each hidden layer.
    pub widths: Vec<usize>,
    /// What hidden units apply.
    pub activation: crate::Activation,
    /// Variables that enter as sin and cos of 2πk(x − a)/(b − a): all of the network is periodic in them, exactly.
    pub periodic: Vec<String>,
    /// k = 1, …, harmonics.
    pub harmonics: usize,
    /// First weights and biases of the hidden layers lie within ± this (0: Glorot's normal weights, no biases). One wide
    /// layer is then a set of random features, of which least squares find the best sum.
    pub spread: f64,
    /// How many random waves the inputs are turned into first (0: none): sin and cos of 2π·b·x, the numbers b fixed and normal
    /// with this standard deviation (Tancik et al. 2020). They let a network learn quick changes.
    pub fourier: usize,
    /// Standard deviation of the waves' numbers: waves along half of each variable's range.
    pub fourier_scale: f64,
}

impl Default for Network {
    fn default() -> Network {
        Network {
            widths: vec![20, 20, 20],
            activation: crate::Activation::Tanh,
            periodic: vec![],
            harmonics: 1,
            spread: 0.0,
            fourier: 0,
            fourier_scale: 1.0,
        }
    }
}

/// How the points of the equations are drawn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// How many.
    pub points: usize,
    /// How they are spread.
    pub method: Spread,
    /// When a stage draws new points: from ten times as many, more where the equations are further from holding.
    pub adaptive: bool,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { points: 1000, method: Spread::Sobol, adaptive: false }
    }
}

/// How points are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Each on its own.
    Uniform,
    /// One in each of n equal slices of every axis.
    LatinHypercube,
    /// Sobol's sequence, shifted at random.
    Sobol,
}

/// How the losses are weighed against each other, besides the `weight` of each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Balance {
    /// By what.
    pub method: Balancing,
    /// After how many steps the factors are moved, by a tenth of the way.
    pub every: u64,
}

impl Default for Balance {
    fn default() -> Balance {
        Balance { method: Balancing::Fixed, every: 100 }
    }
}

/// What the factors of the losses make equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balancing {
    /// Nothing: `weight` alone counts.
    Fixed,
    /// The norms of the losses' gradients (Wang, Teng & Perdikaris 2021).
    GradientNorm,
    /// The mean squares of the residuals' gradients, the diagonal of the neural tangent kernel (Wang, Yu & Perdikaris 2022).
    Ntk,
}

/// A part of the training.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Which optimizer.
    pub method: Method,
    /// At most how many steps.
    pub steps: u64,
    /// Of Adam, at its first step; falls to a hundredth along a cosine.
    #[serde(default = "rate")]
    pub learning_rate: f64,
    /// New points after so many steps (0: never).
    #[serde(default)]
    pub resample: u64,
    /// Done when the loss is lower.
    #[serde(default)]
    pub until: f64,
}

fn rate() -> f64 {
    1e-3
}

/// The optimizers; all take all points at every step, in double precision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Adam (Kingma & Ba 2015).
    Adam,
    /// BFGS with the inverse Hessian as a matrix.
    Bfgs,
    /// Self-scaled Broyden (Urbán, Stefanou & Pons 2025).
    Ssbroyden,
    /// L-BFGS: BFGS from the last steps alone, for many weights.
    Lbfgs,
    /// Levenberg–Marquardt (Gauss–Newton with damping), its steps bent by geodesic acceleration.
    LevenbergMarquardt,
    /// Least squares by orthogonal transformations for the last layer and the fitted numbers; where all formulas are linear in
    /// them, one step is the solution.
    LeastSquares,
}

impl Method {
    /// As it is written.
    pub fn name(self) -> &'static str {
        ["adam", "bfgs", "ssbroyden", "lbfgs", "levenberg_marquardt", "least_squares"][self as usize]
    }
}

/// A solution on a grid, in .npy files, or at scattered points, in a text file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The unknown that is compared.
    pub unknown: String,
    /// Its values: an .npy array with an axis for each of `axes`, or text with a point and its value a line.
    pub file: String,
    /// Which variable each axis or column is.
    pub axes: Vec<String>,
    /// Per variable, the .npy file with the places along its axis (else equal steps from end to end).
    #[serde(default)]
    pub places: BTreeMap<String, String>,
}
