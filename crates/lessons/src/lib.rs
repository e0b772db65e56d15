//! What the course shows, as library code without input or output: formulas typed by a person,
//! backpropagation on their computation graph row by row, partial derivatives of higher order, gradient descent step by step, activations and neurons, losses.
//!
//! ```
//! use lessons::{Expression, backprop};
//! let f = Expression::parse("(x/y + 5)^2 + x")?;
//! let trace = backprop::trace(&f, &[6.0, 2.0])?;
//! let table: Vec<(&str, f64, f64)> = trace.rows.iter().map(|r| (r.operation.as_str(), r.value, r.derivative)).collect();
//! assert_eq!(table, [("x", 6.0, 9.0), ("y", 2.0, -24.0), ("w0/w1 + 5", 8.0, 16.0), ("w2^2", 64.0, 1.0), ("w3 + w0", 70.0, 1.0)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod activations;
pub mod backprop;
pub mod descend;
pub mod expression;
pub mod layout;
pub mod losses;
pub mod partials;
pub mod playground;
mod rows;
mod rules;
pub mod spelling;

pub use expression::{Expression, Mistake};

/// Why a formula could not be traced.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Another number of values than the formula has variables.
    #[error("the formula has {} variables ({}) but {given} values were given: give one value each", variables.len(), variables.join(", "))]
    Values {
        /// The formula's variables, in order.
        variables: Vec<String>,
        /// How many values were given.
        given: usize,
    },
    /// A formula that has no picture: of no variable, or of more than two.
    #[error("the formula has {} variables ({}), not one or two: give numbers to the others", variables.len(), variables.join(", "))]
    Dimensions {
        /// The formula's variables, in order.
        variables: Vec<String>,
    },
    /// A neuron whose weights are not as many as its inputs.
    #[error("{inputs} inputs but {weights} weights: give a weight for each input")]
    Weights {
        /// How many inputs.
        inputs: usize,
        /// How many weights.
        weights: usize,
    },
    /// Points through which no line y = slope·x + intercept goes better than another.
    #[error("all points stand above one another: give points of different x")]
    Vertical,
    /// A setting of a lesson that cannot be used.
    #[error("{value} is no {what} that can be used")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// Derivatives that would take too long.
    #[error("{count} partial derivatives of a formula of {rows} rows are too many: lower the order to {}, or shorten the formula", order - 1)]
    TooMany {
        /// The order asked for.
        order: usize,
        /// Partial derivatives up to that order.
        count: usize,
        /// Rows of the formula's list.
        rows: usize,
    },
    /// An error of the graph: a bug here, since formulas hold nothing but single numbers.
    #[error(transparent)]
    Graph(#[from] graph::Error),
}
