//! What a model consists of, as a table.

use crate::{Context, Result, Sequential};
use graph::{DType, Id, Tensor};
use std::fmt;

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// Name of the layer, `dense_1`.
    pub layer: String,
    /// Shape of its output, without the batch axis.
    pub output: Vec<usize>,
    /// Number of its parameters.
    pub parameters: usize,
    /// Floating-point operations for one row of data (a multiply-add counts two).
    pub flops: u64,
}

/// The layers of a model, with shapes, parameters and cost of a prediction.
///
/// ```
/// use neurona::prelude::*;
/// let model = Sequential::new(&[2]).layer(Dense::new(8).activation(Activation::Tanh)).layer(Dense::new(1));
/// let summary = Summary::new(&model)?;
/// assert_eq!(summary.parameters(), 2 * 8 + 8 + 8 + 1);
/// println!("{summary}");
/// # Ok::<(), neurona::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Shape of one row of the input.
    pub input: Vec<usize>,
    /// The layers, first to last.
    pub rows: Vec<SummaryRow>,
}

impl Summary {
    /// Traces the model for one row of data.
    ///
    /// # Errors
    /// Errors of the trace (all of them).
    pub fn new(model: &Sequential) -> Result<Summary> {
        model.check()?;
        let cx = Context::new(DType::F32, false);
        let x = cx.input("x", DType::F32, &[&[1], &model.input[..]].concat());
        let outputs = model.outputs(&cx, &x);
        let graph = cx.tracer().finish()?;
        let flops = |n: usize| graph.flops(&outputs[..n].iter().map(Tensor::id).collect::<Vec<Id>>());
        let params = cx.params();
        let parameters = |layer: &str| {
            let inside = |name: &str| name.strip_prefix(layer).is_some_and(|rest| rest.starts_with('/'));
            params.iter().filter(|(p, _)| inside(&p.name)).map(|(p, _)| p.len()).sum()
        };
        let row = |(i, layer): (usize, String)| SummaryRow {
            output: outputs[i].shape()[1..].to_vec(),
            parameters: parameters(&layer),
            flops: flops(i + 1) - flops(i),
            layer,
        };
        let rows = model.names().into_iter().enumerate().map(row).collect();
        Ok(Summary { input: model.input.clone(), rows })
    }

    /// Parameters of all layers.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|r| r.parameters).sum()
    }

    /// Floating-point operations of all layers for one row of data.
    pub fn flops(&self) -> u64 {
        self.rows.iter().map(|r| r.flops).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mega = |flops: u64| if flops < 1_000_000 { format!("{:.6}", flops as f64 / 1e6) } else { format!("{:.2}", flops as f64 / 1e6) };
        let head = ["layer", "output", "parameters", "MFLOP per row"].map(String::from);
        let input = ["input".to_string(), format!("{:?}", self.input), String::new(), String::new()];
        let rows = self.rows.iter().map(|r| [r.layer.clone(), format!("{:?}", r.output), grouped(r.parameters), mega(r.flops)]);
        let total = ["total".to_string(), String::new(), grouped(self.parameters()), mega(self.flops())];
        let body: Vec<[String; 4]> = [head, input].into_iter().chain(rows).chain([total]).collect();
        let width = |c: usize| body.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        let rule = "─".repeat(widths.iter().sum::<usize>() + 6);
        for (i, [layer, output, parameters, flops]) in body.iter().enumerate() {
            if i == 1 || i == body.len() - 1 {
                writeln!(f, "{rule}")?;
            }
            let [a, b, c, d] = widths;
            let line = format!("{layer:<a$}  {output:<b$}  {parameters:>c$}  {flops:>d$}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// 1234567 as `1,234,567`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let split = |(i, c): (usize, char)| if i > 0 && (digits.len() - i).is_multiple_of(3) { vec![',', c] } else { vec![c] };
    digits.chars().enumerate().flat_map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Conv2d, Dense, Flatten, MaxPool2d};

    #[test]
    fn counts_are_those_of_the_textbook() {
        let model =
            Sequential::new(&[28, 28, 1]).layer(Conv2d::new(8, 3)).layer(MaxPool2d::new(2)).layer(Flatten::new()).layer(Dense::new(10));
        let s = Summary::new(&model).unwrap();
        assert_eq!(s.rows.iter().map(|r| r.output.clone()).collect::<Vec<_>>(), [vec![26, 26, 8], vec![13, 13, 8], vec![1352], vec![10]]);
        assert_eq!(s.rows.iter().map(|r| r.parameters).collect::<Vec<_>>(), [80, 0, 0, 13530]);
        // Multiply-adds count two; then the bias.
        assert_eq!(s.rows[0].flops, 26 * 26 * 8 * (2 * 9 + 1));
        assert_eq!(s.rows[3].flops, 10 * (2 * 1352 + 1));
        let text = s.to_string();
        assert!(text.contains("13,530") && text.contains("13,610") && text.contains("conv2d_1"), "{text}");
        assert_eq!([1, 12, 123, 1234, 1234567].map(grouped), ["1", "12", "123", "1,234", "1,234,567"]);
    }
}
