//! Where the time of a program goes: a run on one worker with a clock around every kernel.

use crate::compile::lower::Block;
use crate::kernels::Kernel;
use crate::plan::{Plan, Section};
use crate::section::Bases;
use std::fmt::Write;
use std::time::Instant;

/// Nanoseconds of every kernel, summed over runs and tiles.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Per section: per kernel of its block, in running order; last, what is done between kernels.
    sections: Vec<Vec<f64>>,
    runs: usize,
}

impl Profile {
    /// A profile of no runs.
    pub fn new(plan: &Plan) -> Profile {
        Profile { sections: plan.sections.iter().map(|s| vec![0.0; kernels(s.block()).count() + 1]).collect(), runs: 0 }
    }

    /// Runs the plan on this thread, adding the time of every kernel.
    pub fn run(&mut self, plan: &Plan, bases: Bases) {
        self.runs += 1;
        for (section, times) in plan.sections.iter().zip(&mut self.sections) {
            let last = times.len() - 1;
            let mut then = Instant::now();
            section.each(bases, &mut |kernel, index| {
                if let Some(kernel) = kernel {
                    kernel.0.run(kernel.1);
                }
                let now = Instant::now();
                times[index.min(last)] += (now - then).as_nanos() as f64;
                then = now;
            });
        }
    }

    /// Mean nanoseconds of kernel `k` of section `s` in a run.
    fn mean(&self, s: usize, k: usize) -> f64 {
        self.sections[s][k] / self.runs.max(1) as f64
    }
}

/// The kernels of a block in running order, with their round.
fn kernels(block: &Block) -> impl Iterator<Item = (usize, &Kernel)> {
    block.tasks.iter().flat_map(|t| t.kernels.iter().map(|k| (t.time / 2, k)))
}

/// The plan in words: sections, tiles, kernels, and what each kernel took if there is a profile.
pub fn explain(plan: &Plan, profile: Option<&Profile>) -> String {
    let mut s = String::new();
    let total: f64 = profile.map_or(0.0, |p| (0..p.sections.len()).flat_map(|s| (0..p.sections[s].len()).map(move |k| p.mean(s, k))).sum());
    if profile.is_some() {
        _ = writeln!(s, "one worker, {:.1} µs; per kernel: share of the time, GFLOP/s, GB/s over the operands named", total / 1e3);
    }
    for (n, section) in plan.sections.iter().enumerate() {
        let runs = match section {
            Section::Whole(_) => {
                s.push_str("once:\n");
                1
            }
            Section::Tiles(t) => {
                _ = writeln!(
                    s,
                    "{} rows in tiles of {}, {} groups, {} bytes per tile, sums of {} bytes:",
                    t.rows, t.tile, t.groups, t.full.local, t.group_bytes
                );
                t.tiles()
            }
        };
        for (k, (round, kernel)) in kernels(section.block()).enumerate() {
            _ = write!(s, "  {round:3}  ");
            if let Some(p) = profile {
                let ns = p.mean(n, k).max(1.0);
                let per = |x: usize| (x * runs) as f64 / ns;
                _ = write!(s, "{:5.1} %  {:6.1}  {:6.1}  ", 100.0 * ns / total, per(kernel.flops()), per(kernel.bytes()));
            }
            _ = writeln!(s, "{}", kernel.summary());
        }
        if let Some(p) = profile {
            let rest = p.mean(n, p.sections[n].len() - 1);
            _ = writeln!(s, "       {:5.1} %  between the kernels: groups added, memory cleared", 100.0 * rest / total);
        }
    }
    s
}
