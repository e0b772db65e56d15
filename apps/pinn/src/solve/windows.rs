//! Time in windows: a long time is cut into parts that are solved one after another, each by a network of its own that starts
//! from the weights of the one before. What holds at the start is handed over: where the condition reads r(u) = 0 there, the
//! window that begins at t has r(u) = r(v) at t, v the solution of the window before.

use super::problem::{Place, Problem, Set};
use super::spread::Random;
use super::wrong::{Wrongly, wrongly};
use super::{region, trace};
use crate::Result;
use neurona::lbfgs::Values;
use neurona::{Arg, Context, DType, Tensor};

/// The name of the variable that is cut.
pub(super) const TIME: &str = "t";

impl Problem {
    /// Checks that windows can be solved on their own.
    pub(super) fn check_windows(&self) -> std::result::Result<(), Wrongly> {
        let file = &self.file;
        if !(1..=1000).contains(&file.windows) {
            return wrongly("windows", "count", &[&file.windows.to_string(), "1 to 1000"]);
        }
        if file.windows == 1 {
            return Ok(());
        }
        let Some(time) = self.axis(TIME) else {
            let known: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
            return wrongly("windows", "variable", &[TIME, &known.join(", ")]);
        };
        let refuse = |key: String| wrongly(key.clone(), "windows", &[&key]);
        if let Some(i) = self.form.iter().position(|f| f.as_ref().is_some_and(|f| f.term.names(TIME).iter().any(|n| n.0 == TIME))) {
            return refuse(format!("form.{}", file.unknowns[i]));
        }
        if !file.data.is_empty() || !file.fit.is_empty() {
            return refuse(if file.data.is_empty() { "fit" } else { "data" }.into());
        }
        if let Some(s) = self.shapes.iter().find(|s| s.axes().contains(&time)) {
            return refuse(format!("shapes.{}", s.name));
        }
        let later = |set: &Set| match &set.place {
            Some(Place::Faces(faces)) => faces.iter().flatten().any(|f| f.0 == time) && !self.starts(set),
            Some(Place::Ends(axis, _)) => *axis == time,
            _ => false,
        };
        match self.sets.iter().skip(1).position(later) {
            Some(i) => refuse(format!("conditions.{i}")),
            None => Ok(()),
        }
    }

    /// Whether a set holds at the start of time.
    fn starts(&self, set: &Set) -> bool {
        let Some(time) = self.axis(TIME) else { return false };
        let start = (time, self.axes[time].low);
        matches!(&set.place, Some(Place::Faces(faces)) if faces.iter().all(|f| f.contains(&start)))
    }

    /// The window in which a point lies.
    pub(super) fn window_of(&self, points: &[Vec<f64>], i: usize) -> usize {
        let Some(time) = self.axis(TIME).filter(|_| self.file.windows > 1) else { return 0 };
        let axis = &self.axes[time];
        let share = (points[time][i] - axis.low) / (axis.high - axis.low) * self.file.windows as f64;
        // The end of one window is the start of the next: the place at which most is known belongs to the former.
        ((share - 1e-9).ceil().max(1.0) as usize - 1).min(self.file.windows - 1)
    }

    /// The problem of window `w`, whose start is what `before`, the window before with its weights, says.
    pub(super) fn window(&self, w: usize, before: Option<(&Problem, &[f64])>) -> Result<Problem> {
        let mut part = self.clone();
        let Some(time) = self.axis(TIME).filter(|_| self.file.windows > 1) else { return Ok(part) };
        let share = |w: usize| self.axes[time].at(w as f64 / self.file.windows as f64);
        (part.axes[time].low, part.axes[time].high) = (share(w), share(w + 1));
        let Some((previous, weights)) = before else { return Ok(part) };
        for (s, set) in part.sets.iter_mut().enumerate() {
            if !self.starts(set) {
                continue;
            }
            if let Some(Place::Faces(faces)) = &mut set.place {
                faces.iter_mut().flatten().filter(|f| f.0 == time).for_each(|f| f.1 = part.axes[time].low);
            }
            let random = Random { seed: self.file.seed, draw: w as u32, set: s as u32 };
            let method = self.file.sampling.method;
            let columns = region::points((&part.axes, &part.shapes), set.place.as_ref(), set.points, method, random);
            set.points = columns[0].len();
            let values = residual(previous, set, weights, &columns, self.file.threads)?;
            set.place = Some(Place::Points(columns, values));
        }
        Ok(part)
    }
}

/// What a formula of a set amounts to at these points.
fn residual(problem: &Problem, set: &Set, weights: &[f64], columns: &[Vec<f64>], threads: usize) -> Result<Vec<f64>> {
    let cx = Context::new(DType::F64, true);
    let rows = trace::residuals(problem, &cx, set, columns[0].len());
    let mut program = Values::compile(&cx, &rows.iter().collect::<Vec<&Tensor>>(), threads)?;
    program.run(weights, &columns.iter().map(|c| Arg::F64(c)).collect::<Vec<_>>())?;
    Ok(program.doubles(0).to_vec())
}
