//! metrics.jsonl: a line for each epoch, and the pictures that follow from it.

use crate::Texts;
use crate::number::short;
use neurona::{EpochReport, Metric, Scores};
use plot::{Axis, Lines};
use serde_json::Value;

/// A number of an epoch.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: f64,
    metric: Option<Metric>,
}

impl Field {
    pub(super) fn text(&self) -> String {
        percent(self.metric, self.value)
    }
}

/// A share as per cent, another number as it is.
pub fn percent(metric: Option<Metric>, value: f64) -> String {
    match metric {
        Some(m) if m.is_better_larger() => format!("{:.2} %", 100.0 * value),
        _ => short(value),
    }
}

/// Everything that is known of an epoch: loss, metrics, val_loss, val_metrics, lr.
pub(super) fn fields(report: &EpochReport) -> Vec<Field> {
    let mut list = vec![];
    let mut add = |prefix: &str, scores: &Scores| {
        list.push(Field { name: format!("{prefix}loss"), value: scores.loss, metric: None });
        list.extend(scores.metrics.iter().map(|&(m, value)| Field { name: format!("{prefix}{}", m.name()), value, metric: Some(m) }));
    };
    add("", &report.train);
    report.validation.iter().for_each(|v| add("val_", v));
    list.push(Field { name: "lr".into(), value: report.learning_rate, metric: None });
    list
}

/// The line of an epoch.
pub(super) fn line(report: &EpochReport, best: bool) -> String {
    let scores: String = fields(report).iter().map(|f| format!(",\"{}\":{}", f.name, serde_json::json!(f.value))).collect();
    let seconds = serde_json::json!(report.seconds);
    format!("{{\"epoch\":{}{scores},\"seconds\":{seconds},\"best\":{best}}}", report.epoch)
}

/// The epoch of a line, of a training with these metrics; none if it is no such line.
pub fn parse(line: &str, metrics: &[Metric], epochs: usize) -> Option<EpochReport> {
    let line: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| line.get(name).map(|v| v.as_f64().unwrap_or(f64::NAN)); // NaN is written as null
    let scores = |prefix: &str| {
        let metric = |&m: &Metric| Some((m, number(&format!("{prefix}{}", m.name()))?));
        Some(Scores { loss: number(&format!("{prefix}loss"))?, metrics: metrics.iter().map(metric).collect::<Option<_>>()? })
    };
    Some(EpochReport {
        epoch: usize::try_from(line["epoch"].as_u64()?).ok()?,
        epochs,
        train: scores("")?,
        validation: scores("val_"),
        learning_rate: number("lr")?,
        seconds: number("seconds")?,
    })
}

/// Loss and metrics over the epochs.
pub fn curves(texts: &Texts, history: &[EpochReport]) -> String {
    let chart = |name: &str, log: bool, get: &dyn Fn(&Scores) -> f64| {
        let y = if log { Axis::log(name) } else { Axis::linear(name) };
        let points = |of: &dyn Fn(&EpochReport) -> Option<f64>| -> Vec<(f64, f64)> {
            history.iter().filter_map(|r| Some((r.epoch as f64, of(r)?))).collect()
        };
        let train = points(&|r| Some(get(&r.train)));
        let lines = Lines::new(name, Axis::linear(&texts.get("train.epoch")), y).series(&texts.get("train.training"), train);
        match points(&|r| r.validation.as_ref().map(get)) {
            none if none.is_empty() => lines,
            points => lines.series(&texts.get("train.validation"), points),
        }
    };
    let loss = chart(&texts.get("train.loss"), true, &|s| s.loss);
    let metrics = history.first().map_or(vec![], |r| r.train.metrics.iter().map(|(m, _)| *m).collect());
    let metrics: Vec<Lines> = metrics.into_iter().map(|m| chart(m.name(), false, &|s| s.get(m).unwrap_or(f64::NAN))).collect();
    let panels: Vec<&dyn plot::Panel> =
        [&loss as &dyn plot::Panel].into_iter().chain(metrics.iter().map(|m| m as &dyn plot::Panel)).collect();
    plot::row(&texts.get("train.curves"), &panels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written_bit_by_bit() {
        let scores = |loss: f64| Scores { loss, metrics: vec![(Metric::Accuracy, 1.0 / 3.0), (Metric::Rmse, loss.sqrt())] };
        for (loss, validation) in [(0.1 + 0.2, Some(2.0f64.sqrt() / 1e9)), (5e-324, None)] {
            let report = EpochReport {
                epoch: 7,
                epochs: 9,
                train: scores(loss),
                validation: validation.map(scores),
                learning_rate: 1e-3 / 3.0,
                seconds: 0.7,
            };
            assert_eq!(parse(&line(&report, true), &[Metric::Accuracy, Metric::Rmse], 9).unwrap(), report);
            assert!(parse(&line(&report, true), &[Metric::Mae], 9).is_none());
        }
        assert!(parse("{\"epoch\":1,\"lo", &[], 9).is_none());
    }
}
