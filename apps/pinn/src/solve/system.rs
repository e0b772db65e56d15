//! The residuals of a problem at its points as one vector function of all weights, with its gradient and its Jacobian.
//!
//! Residual i of a term of n points and factor w is scaled by √(w/n), so that the sum of squares is the weighted sum of the
//! mean squares: the loss.

use super::jacobian::Jacobian;
use super::problem::Place;
use super::spread::Random;
use super::{Problem, Set, linear, region, trace};
use crate::Result;
use neurona::lbfgs::Values;
use neurona::{Arg, Context, DType, Param, Tensor, diff};

/// The points of one set: what the trace declares as inputs.
#[derive(Clone, PartialEq, Debug)]
struct Cloud {
    columns: Vec<Vec<f64>>,
}

/// The residuals of a problem at its points.
pub(super) struct System {
    pub(super) problem: Problem,
    pub(super) threads: usize,
    clouds: Vec<Cloud>,
    /// Per term, w.
    pub(super) weights: Vec<f64>,
    /// Per term, √(w/n).
    scales: Vec<Vec<f64>>,
    /// Per residual array: its set and its term among all.
    pub(super) arrays: Vec<(usize, usize)>,
    pub(super) params: Vec<Param>,
    residual: Option<Values>,
    gradient: Option<Values>,
    pub(super) jacobian: Option<Jacobian>,
    inside: Option<Values>,
    /// How often points were drawn.
    pub draws: u32,
}

impl System {
    /// Draws the points and traces once, to know the weights.
    pub fn new(problem: &Problem) -> Result<System> {
        let cx = Context::new(DType::F64, true);
        let mut arrays = vec![];
        let mut first = 0;
        for (s, set) in problem.sets.iter().enumerate() {
            let count = trace::residuals(problem, &cx, set, 1).len();
            let last = set.terms.len() - 1;
            arrays.extend((0..count).map(|i| (s, first + i.min(last))));
            first += set.terms.len();
        }
        cx.tracer().finish().map_err(neurona::Error::from)?;
        let threads = match problem.file.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let mut system = System {
            problem: problem.clone(),
            threads,
            clouds: vec![],
            weights: vec![],
            scales: vec![],
            arrays,
            params: cx.params().into_iter().map(|(p, _)| p).collect(),
            residual: None,
            gradient: None,
            jacobian: None,
            inside: None,
            draws: 0,
        };
        system.clouds = problem.sets.iter().enumerate().map(|(s, set)| system.cloud(s, set)).collect();
        system.set_weights(problem.weights());
        Ok(system)
    }

    /// Weighs the mean squares of the terms by these.
    pub fn set_weights(&mut self, weights: Vec<f64>) {
        let points = self.problem.sets.iter().flat_map(|set| set.terms.iter().map(|_| set.points));
        self.scales = points.zip(&weights).map(|(n, w)| vec![(w / n as f64).sqrt(); n]).collect();
        self.weights = weights;
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The weights and fitted numbers.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// First and last row + 1 of each set of data among the residuals.
    pub fn data_rows(&self) -> Vec<(usize, usize)> {
        let mut all = vec![];
        let mut row = 0;
        for &(s, _) in &self.arrays {
            let set = &self.problem.sets[s];
            if matches!(set.place, Some(Place::Points(..))) {
                all.push((row, row + set.points));
            }
            row += set.points;
        }
        all
    }

    /// Numbers in the vector of weights.
    pub fn len(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// The first weights of a seed.
    pub fn start(&self, seed: u32) -> Vec<f64> {
        let values = self.params.iter().enumerate();
        values.flat_map(|(i, p)| p.init.values(&p.shape, seed, i as u32)).map(f64::from).collect()
    }

    /// Names of the terms of the loss.
    pub fn names(&self) -> Vec<String> {
        self.problem.sets.iter().flat_map(|s| s.terms.iter().map(|t| t.0.clone())).collect()
    }

    /// The points of the equations, as columns.
    pub fn inside(&self) -> &[Vec<f64>] {
        &self.clouds[0].columns
    }

    /// Puts the points of the equations where they were.
    pub fn restore(&mut self, points: Vec<Vec<f64>>, draws: u32) {
        self.clouds[0] = Cloud { columns: points };
        self.draws = draws;
    }

    /// Draws the points of a set.
    fn cloud(&self, s: usize, set: &Set) -> Cloud {
        let problem = &self.problem;
        let random = Random { seed: problem.file.seed, draw: self.draws, set: s as u32 };
        let mut columns = region::points(problem.region(), set.place.as_ref(), set.points, problem.file.sampling.method, random);
        // What the shapes leave may have no room for so many different points: some come twice.
        let found = columns[0].len();
        columns.iter_mut().for_each(|c| (found..set.points).for_each(|i| c.push(c[i % found])));
        match &set.place {
            None | Some(Place::Faces(_) | Place::Surface(_)) => {}
            Some(Place::Ends(axis, _)) => {
                let a = &problem.axes[*axis];
                columns[*axis].fill(a.low);
                columns.push(vec![a.high; set.points]);
            }
            Some(Place::Points(points, values)) => {
                columns = points.clone();
                columns.push(values.clone());
            }
        }
        Cloud { columns }
    }

    /// Draws new points of the equations: at random, or from ten times as many by how far the equations are from holding.
    pub fn resample(&mut self, x: &[f64]) -> Result<()> {
        self.draws += 1;
        let set = self.problem.sets[0].clone();
        let fresh = self.cloud(0, &set);
        self.clouds[0] = if self.problem.file.sampling.adaptive { self.adapted(x, &set, fresh)? } else { fresh };
        Ok(())
    }

    /// Points drawn with a probability that grows with the residual: |r| / mean |r| + 1 (Wu et al. 2023, k = c = 1), from a
    /// pool of ten times as many.
    fn adapted(&mut self, x: &[f64], set: &Set, fresh: Cloud) -> Result<Cloud> {
        let n = set.points;
        let random = Random { seed: self.problem.file.seed, draw: self.draws, set: 63 };
        let unit = random.points(super::Spread::Uniform, 10 * n, self.problem.axes.len());
        let problem = &self.problem;
        let at = |i: usize| -> Vec<f64> { problem.axes.iter().zip(&unit).map(|(a, u)| a.at(u[i])).collect() };
        let rows: Vec<Vec<f64>> = (0..10 * n).map(at).filter(|p| region::contains(&problem.axes, &problem.shapes, None, p)).collect();
        if rows.len() < n {
            return Ok(fresh);
        }
        let pool: Vec<Vec<f64>> = (0..problem.axes.len()).map(|a| rows.iter().map(|r| r[a]).collect()).collect();
        let size = self.misfit(x, &pool)?;
        let mean = size.iter().sum::<f64>() / size.len() as f64;
        if !(mean > 0.0 && mean.is_finite()) {
            return Ok(fresh);
        }
        // Systematic sampling: equal steps through the running sum of the probabilities.
        let total: f64 = size.iter().map(|r| r / mean + 1.0).sum();
        let offset = random.at(15, 0);
        let (mut sum, mut chosen) = (0.0, vec![]);
        for (i, r) in size.iter().enumerate() {
            sum += r / mean + 1.0;
            while chosen.len() < n && (chosen.len() as f64 + offset) * total / n as f64 <= sum {
                chosen.push(i);
            }
        }
        chosen.resize(n, pool[0].len() - 1);
        Ok(Cloud { columns: pool.iter().map(|c| chosen.iter().map(|&i| c[i]).collect()).collect() })
    }

    /// √(Σ w r²) over the equations, at any points (columns).
    pub fn misfit(&mut self, x: &[f64], points: &[Vec<f64>]) -> Result<Vec<f64>> {
        let set = self.problem.sets[0].clone();
        let n = set.points;
        if self.inside.is_none() {
            let cx = Context::new(DType::F64, true);
            let rows = trace::residuals(&self.problem, &cx, &set, n);
            let weighted = rows.iter().zip(&set.terms).map(|(r, t)| r.square() * t.2);
            let sum = weighted.reduce(|a, b| a + b).map(|s| s.sqrt());
            self.inside = Some(compile(&cx, &self.params, &sum.iter().collect::<Vec<_>>(), self.threads)?);
        }
        let count = points[0].len();
        let mut out = Vec::with_capacity(count);
        let Some(program) = &mut self.inside else { return Ok(out) };
        for start in (0..count).step_by(n) {
            let take = (count - start).min(n);
            let part = |c: &Vec<f64>| (0..n).map(|i| c[start + i.min(take - 1)]).collect();
            let block: Vec<Vec<f64>> = points.iter().map(part).collect();
            program.run(x, &block.iter().map(|c| Arg::F64(c)).collect::<Vec<_>>())?;
            out.extend(&program.doubles(0)[..take]);
        }
        Ok(out)
    }

    /// Declares all points and scales and traces the scaled residuals.
    pub(super) fn trace(&self, cx: &Context) -> Vec<Tensor> {
        let mut all = vec![];
        let mut first = 0;
        for set in &self.problem.sets {
            let rows = trace::residuals(&self.problem, cx, set, set.points);
            let scales: Vec<Tensor> = set.terms.iter().map(|t| cx.input(&t.0, DType::F64, &[set.points, 1])).collect();
            all.extend(rows.iter().enumerate().map(|(i, r)| r * &scales[i.min(scales.len() - 1)]));
            first += set.terms.len();
        }
        debug_assert_eq!(first, self.scales.len());
        all
    }

    pub(super) fn data(&self) -> Vec<Arg<'_>> {
        let mut data = vec![];
        let mut scales = self.scales.iter();
        for (cloud, set) in self.clouds.iter().zip(&self.problem.sets) {
            data.extend(cloud.columns.iter().map(|c| Arg::F64(c)));
            data.extend(scales.by_ref().take(set.terms.len()).map(|s| Arg::F64(s)));
        }
        data
    }

    /// Mean squares of each term, not weighted, from the sums of squares of the scaled residual arrays.
    fn losses(&self, sums: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut losses = vec![0.0; self.weights.len()];
        self.arrays.iter().zip(sums).for_each(|(&(_, term), sum)| losses[term] += if sum == 0.0 { 0.0 } else { sum / self.weights[term] });
        losses
    }

    /// The scaled residuals.
    pub fn residuals(&mut self, x: &[f64]) -> Result<Vec<f64>> {
        self.value(x)?;
        let all = |p: &Values| (0..self.arrays.len()).flat_map(|i| p.doubles(i)).copied().collect();
        Ok(self.residual.as_ref().map_or(vec![], all))
    }

    /// The loss, and the mean square of each term.
    pub fn value(&mut self, x: &[f64]) -> Result<(f64, Vec<f64>)> {
        if self.residual.is_none() {
            let cx = Context::new(DType::F64, true);
            let rows = self.trace(&cx);
            self.residual = Some(compile(&cx, &self.params, &rows.iter().collect::<Vec<_>>(), self.threads)?);
        }
        let Some(mut program) = self.residual.take() else { return Ok((f64::NAN, vec![])) };
        let done = program.run(x, &self.data());
        let sums: Vec<f64> = (0..self.arrays.len()).map(|i| linear::dot(program.doubles(i), program.doubles(i))).collect();
        self.residual = Some(program);
        done?;
        Ok((sums.iter().sum(), self.losses(sums.into_iter())))
    }

    /// The loss and the mean square of each term; the gradient of the loss is written into `gradient`.
    pub fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<(f64, Vec<f64>)> {
        if self.gradient.is_none() {
            let cx = Context::new(DType::F64, true);
            let sums: Vec<Tensor> = self.trace(&cx).iter().map(|r| r.square().sum_all()).collect();
            let total = sums.iter().cloned().reduce(|a, b| a + b);
            let params = cx.params();
            let weights: Vec<&Tensor> = params.iter().map(|(_, t)| t).collect();
            let gradients = total.map_or(vec![], |t| diff::grad(&t, &weights));
            self.gradient = Some(compile(&cx, &self.params, &sums.iter().chain(&gradients).collect::<Vec<_>>(), self.threads)?);
        }
        let Some(mut program) = self.gradient.take() else { return Ok((f64::NAN, vec![])) };
        let done = program.run(x, &self.data());
        let count = self.arrays.len();
        let sums: Vec<f64> = (0..count).map(|i| program.doubles(i)[0]).collect();
        let all = (count..count + self.params.len()).flat_map(|i| program.doubles(i));
        gradient.iter_mut().zip(all).for_each(|(g, x)| *g = *x);
        self.gradient = Some(program);
        done?;
        Ok((sums.iter().sum(), self.losses(sums.into_iter())))
    }

    /// How many fitted numbers there are; they are the first weights.
    pub fn fitted(&self) -> usize {
        self.problem.file.fit.len()
    }

    /// Where the weights of the last layer begin.
    pub fn last_layer(&self) -> usize {
        let count = self.params.len();
        self.params[..count.saturating_sub(2)].iter().map(Param::len).sum()
    }
}

/// Compiles a program whose weights are those of the system, in the same order.
pub(super) fn compile(cx: &Context, params: &[Param], outputs: &[&Tensor], threads: usize) -> Result<Values> {
    debug_assert!(cx.params().iter().map(|(p, _)| &p.name).eq(params.iter().map(|p| &p.name)));
    Ok(Values::compile(cx, outputs, threads)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_face_has_its_share_of_points_along_all_of_it() {
        let text = r#"
            domain = { x = [0, 1], t = [0, 1] }
            stages = [{ method = "adam", steps = 1 }]
            equations = [{ name = "one", formula = "u = 0" }]
            conditions = [{ name = "ends", on = "x", formula = "u = 0", points = 64 }]
        "#;
        let problem = Problem::new(&toml::from_str(text).unwrap(), std::path::Path::new(".")).unwrap();
        let columns = &System::new(&problem).unwrap().clouds[1].columns;
        for end in [0.0, 1.0] {
            let times: Vec<f64> = columns[0].iter().zip(&columns[1]).filter(|(x, _)| **x == end).map(|(_, t)| *t).collect();
            assert_eq!(times.len(), 32);
            assert!((0..4).all(|k| times.iter().filter(|t| (*t * 4.0) as usize == k).count() >= 6), "{times:?}");
        }
    }

    /// Second and mixed derivatives, two unknowns, a form, periodic ends with derivatives, faces, a fitted number.
    const FILE: &str = r#"
        unknowns = ["u", "v"]
        domain = { x = [-1, 1], t = [0, 1] }
        constants = { nu = "0.1/2" }
        fit = { speed = 0.7 }
        form.v = "x + t*N"
        network = { widths = [5, 4], periodic = ["x"] }
        sampling.points = 7
        stages = [{ method = "adam", steps = 1 }]
        equations = [
            { name = "one", formula = "d(u,t) + speed*u*d(u,x) = nu*d(v,x,x) + sin(x)" },
            { name = "two", formula = "d(v,t,x) = max(u, 0)^2 - d(u^2/2, x)", weight = 3.0 },
        ]
        conditions = [
            { name = "start", on = "t = 0", formula = "u = cosh(x)", points = 3, weight = 10 },
            { name = "ends", periodic = "x", derivatives = 1, points = 2 },
        ]
    "#;

    #[test]
    fn jacobian_and_gradient_are_the_derivatives_of_the_residuals() {
        let file = toml::from_str(FILE).unwrap();
        let problem = Problem::new(&file, std::path::Path::new(".")).unwrap();
        let mut system = System::new(&problem).unwrap();
        let x = system.start(1);
        let n = x.len();
        let (r, j) = system.jacobian(&x, 0).unwrap();
        let (rows, j) = (r.len(), j.to_vec());
        assert_eq!((rows, n), (7 + 7 + 3 + 4 * 2, 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2 + 1));
        for k in 0..n {
            let moved = |h: f64| x.iter().enumerate().map(|(i, &v)| if i == k { v + h } else { v }).collect::<Vec<_>>();
            let (high, low) = (system.jacobian(&moved(1e-5), 0).unwrap().0, system.jacobian(&moved(-1e-5), 0).unwrap().0);
            for i in 0..rows {
                let slope = (high[i] - low[i]) / 2e-5;
                assert!((slope - j[i * n + k]).abs() < 1e-7 * (1.0 + slope.abs()), "row {i}, weight {k}: {slope} {}", j[i * n + k]);
            }
        }
        let from = system.last_layer();
        assert_eq!(from, n - 4 * 2 - 2);
        let part = system.jacobian(&x, from).unwrap().1;
        assert!((0..rows).all(|i| part[i * (n - from)..][..n - from] == j[i * n + from..][..n - from]));
        let mut g = vec![0.0; n];
        let (loss, terms) = system.gradient(&x, &mut g).unwrap();
        let expected = linear::transposed_product(&j, n, &r);
        assert!(g.iter().zip(&expected).all(|(g, e)| (g - 2.0 * e).abs() < 1e-10 * (1.0 + g.abs())));
        let same = system.value(&x).unwrap();
        assert!((same.0 - loss).abs() < 1e-12 * loss && (loss - linear::dot(&r, &r)).abs() < 1e-12 * loss);
        let sum = terms[0] + 3.0 * terms[1] + 10.0 * terms[2] + terms[3];
        assert!((sum - loss).abs() < 1e-10 * loss, "{terms:?}");
    }
}
