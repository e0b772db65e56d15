//! Fused regions as machine code: each instruction of a region becomes an instruction of AVX-512, values stay in
//! registers from load to store, and nothing is interpreted.
//!
//! Only where the processor has AVX-512 and the system allows executable memory; elsewhere, and for the few regions
//! that this module declines (random numbers, sine, powers, double precision), blocks are interpreted as before.

mod assembler;
mod emit;
mod record;

use crate::isa::{Isa, isa};
use crate::kernels::Mode;
use crate::kernels::lane::{Lane, Test};
use crate::kernels::map::Code;
use crate::kernels::math;
use crate::kernels::region::{Access, Region, Slot, StepCode};
use emit::{Store, emit};
use graph::DType;
use graph::ops::{Binary, Compare};
use memmap2::{Mmap, MmapMut};
use record::{Op, Recorded, Recorder, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// Arrays a compiled region can name.
pub const ARRAYS: usize = 96;
/// Numbers it can read once.
pub const SPLATS: usize = 64;
/// Elements from which on it pays to load constants once, before the first.
const MANY: usize = 256;

/// An array of a compiled region.
#[derive(Clone, Copy, Debug)]
pub enum Array {
    /// The i-th load's elements.
    Load(usize),
    /// The i-th store's elements.
    Store(usize),
}

/// A compiled region.
#[derive(Clone, Debug)]
pub struct Compiled {
    code: Arc<Mmap>,
    constants: Vec<u32>,
    /// What the table of addresses must hold.
    pub arrays: Vec<Array>,
    /// The loads whose number the table of numbers must hold.
    pub splats: Vec<usize>,
}

impl Compiled {
    /// Computes `rows` rows (at least one) of `n` elements.
    ///
    /// # Safety
    /// `arrays` holds, for each of `self.arrays`, where its first row begins and how many bytes further the next one
    /// does; `splats` a number for each of `self.splats`. The rows exist. What is written overlaps nothing that is read,
    /// except that an element of a result that is written late may be the same element of an operand.
    pub unsafe fn run(&self, arrays: &mut [Row], splats: &[f32], n: usize, rows: usize) {
        debug_assert!(rows > 0 && arrays.len() >= self.arrays.len() && splats.len() >= self.splats.len());
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the code was made by `emit` for this signature; the caller vouches for the tables.
        unsafe {
            type Function = unsafe extern "sysv64" fn(*mut Row, usize, *const f32, *const u32, u32, usize);
            let f = std::mem::transmute::<*const u8, Function>(self.code.as_ptr());
            f(arrays.as_mut_ptr(), n, splats.as_ptr(), self.constants.as_ptr(), (1 << (n % 16)) - 1, rows);
        }
    }
}

/// Where a row of an array begins, and how many bytes further the next does.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Row {
    /// The first element.
    pub start: *mut f32,
    /// Bytes to the next row.
    pub step: isize,
}

/// Compiles a region, if it can be: for rows along its last dimension, or as one row.
pub fn compile(region: &Region, rows: bool) -> Option<Compiled> {
    if isa() != Isa::Avx512 || region.dtype != DType::F32 || (region.steps.is_empty() && !rows) {
        return None;
    }
    let recorder = Recorder::default();
    let (mut arrays, mut splats) = (vec![], vec![]);
    let loads: Vec<Value> = region
        .loads
        .iter()
        .enumerate()
        .map(|(i, load)| {
            if load.access == Access::Splat {
                splats.push(i);
                Value::Splat(splats.len() as u16 - 1)
            } else {
                arrays.push(Array::Load(i));
                let slot = arrays.len() as u16 - 1;
                let repeats = rows && load.view.strides.last() == Some(&0);
                recorder.push(if repeats { Op::Repeat(slot) } else { Op::Load(slot) }, [Value::Const(0); 4])
            }
        })
        .collect();
    let mut results: HashMap<(bool, u16), Value> = HashMap::new();
    let key = |slot: Slot| if let Slot::Store(i) = slot { (true, i) } else { (false, if let Slot::Reg(r) = slot { r } else { u16::MAX }) };
    let get = |results: &HashMap<(bool, u16), Value>, slot: Slot| match slot {
        Slot::Imm(x) => Some(Value::Const((x as f32).to_bits())),
        Slot::Load(i) => loads.get(usize::from(i)).copied(),
        slot => results.get(&key(slot)).copied(),
    };
    for step in &region.steps {
        let StepCode::Map(code) = step.code else { return None };
        let mut args = [recorder.lane(Value::Const(0)); 3];
        for (arg, slot) in args.iter_mut().zip(step.args) {
            *arg = recorder.lane(get(&results, slot)?);
        }
        results.insert(key(step.dst), instruction(code, args)?.value);
    }
    let mut stores = vec![];
    for (i, s) in region.stores.iter().enumerate() {
        let from = if s.direct { Slot::Store(i as u16) } else { s.from };
        stores.push(Store { value: get(&results, from)?, slot: arrays.len() as u16, late: s.mode == Mode::Late });
        arrays.push(Array::Store(i));
    }
    if arrays.len() > ARRAYS || splats.len() > SPLATS {
        return None;
    }
    let (code, constants) = emit(&recorder.finish(), &stores, arrays.len(), region.elements() >= MANY)?;
    Some(Compiled { code: executable(&code)?, constants, arrays, splats })
}

fn instruction<'a>(code: Code, [a, b, c]: [Recorded<'a>; 3]) -> Option<Recorded<'a>> {
    let flag = |test| a.select(test, b, a.lit(1.0), a.lit(0.0));
    Some(match code {
        Code::Un(u) => math::unary(u, a)?,
        Code::Bin(Binary::Add) => a.add(b),
        Code::Bin(Binary::Sub) => a.sub(b),
        Code::Bin(Binary::Mul) => a.mul(b),
        Code::Bin(Binary::Div) => a.div(b),
        Code::Bin(Binary::Max) => a.maximum(b),
        Code::Bin(Binary::Min) => a.minimum(b),
        Code::Bin(Binary::Pow) => return None,
        Code::Cmp(Compare::Eq) => flag(Test::Eq),
        Code::Cmp(Compare::Ne) => flag(Test::Ne),
        Code::Cmp(Compare::Lt) => flag(Test::Lt),
        Code::Cmp(Compare::Le) => flag(Test::Le),
        Code::Cmp(Compare::Gt) => flag(Test::Gt),
        Code::Cmp(Compare::Ge) => flag(Test::Ge),
        Code::Select => a.select(Test::Ne, a.lit(0.0), b, c),
        Code::MulAdd => a.fma(b, c),
        Code::Copy => a,
    })
}

/// The bytes in executable memory; equal code, as the layers of a network have, is kept once.
fn executable(code: &[u8]) -> Option<Arc<Mmap>> {
    static KNOWN: OnceLock<Mutex<HashMap<Vec<u8>, Weak<Mmap>>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(map) = known.get(code).and_then(Weak::upgrade) {
        return Some(map);
    }
    let mut memory = MmapMut::map_anon(code.len()).ok()?;
    memory.copy_from_slice(code);
    let map = Arc::new(memory.make_exec().ok()?);
    known.retain(|_, m| m.strong_count() > 0);
    known.insert(code.to_vec(), Arc::downgrade(&map));
    Some(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::lane::Number;
    use graph::ops::Unary;

    const SPECIALS: [f32; 12] =
        [0.0, -0.0, 1.0, -1.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, 1e-40, -88.5, 9.75, f32::MAX];

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n)
            .map(|i| if i % 3 == 0 { SPECIALS[(i / 3 + seed) % 12] } else { ((i * 7919 + seed * 104_729) % 2017) as f32 / 97.0 - 10.0 })
            .collect()
    }

    /// Runs `f` of recorded operands, compiled, over `operands` of equal length.
    fn compiled(operands: &[Vec<f32>], f: impl for<'a> Fn(&'a Recorder, &[Recorded<'a>]) -> Recorded<'a>) -> Vec<f32> {
        let recorder = Recorder::default();
        let inputs: Vec<Recorded> =
            (0..operands.len()).map(|i| recorder.lane(recorder.push(Op::Load(i as u16), [Value::Const(0); 4]))).collect();
        let store = Store { value: f(&recorder, &inputs).value, slot: operands.len() as u16, late: false };
        let nodes = recorder.finish();
        let [few, many] = [false, true].map(|many| {
            let (code, constants) = emit(&nodes, &[store], operands.len() + 1, many).expect("few values");
            let code = Compiled { code: executable(&code).expect("executable memory"), constants, arrays: vec![], splats: vec![] };
            let mut out = vec![7.0; operands[0].len() + 1];
            let mut arrays: Vec<Row> = operands.iter().map(|o| Row { start: o.as_ptr().cast_mut(), step: 0 }).collect();
            arrays.push(Row { start: out.as_mut_ptr(), step: 0 });
            // SAFETY: every array has as many elements as the first.
            unsafe { code.run(&mut arrays, &[], operands[0].len(), 1) };
            assert_eq!(out.pop(), Some(7.0), "nothing is written behind the last element");
            out
        });
        same(&many, few.iter().copied(), "constants in registers");
        many
    }

    fn same(got: &[f32], want: impl Iterator<Item = f32>, what: &str) {
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            assert!(g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan()), "{what}, element {i}: {g} instead of {w}");
        }
    }

    #[test]
    fn every_function_has_the_bits_of_the_interpreter() {
        if isa() != Isa::Avx512 {
            return eprintln!("skipped: this processor has no AVX-512, so regions are interpreted");
        }
        for n in [0, 1, 15, 16, 17, 31, 97] {
            let x = numbers(n, n);
            for u in Unary::ALL.into_iter().filter(|u| !matches!(u, Unary::Sin | Unary::Cos)) {
                let got = compiled(std::slice::from_ref(&x), |_, v| math::unary(u, v[0]).unwrap());
                same(&got, x.iter().map(|&x| math::unary(u, Number::<true>(x)).unwrap().0), &format!("{u:?} of {n}"));
            }
        }
    }

    /// Every way in which operands of a·b + c may end, be kept, repeat or be constants, and every comparison.
    #[test]
    fn operands_may_repeat_end_or_be_constants() {
        if isa() != Isa::Avx512 {
            return eprintln!("skipped: this processor has no AVX-512, so regions are interpreted");
        }
        fn pick<L: Lane>(v: [L; 3], k: usize) -> L {
            if k < 3 { v[k] } else { v[0].lit(k as f32 - 1.5) }
        }
        fn sums<L: Lane>(v: [L; 3], k: [usize; 3], keep: usize) -> L {
            let fresh = [v[0].mul(v[0].lit(0.5)), v[1].add(v[2]), v[2].sub(v[0])];
            let sum = pick(fresh, k[0]).fma(pick(fresh, k[1]), pick(fresh, k[2]));
            if keep < 3 { sum.add(fresh[keep]) } else { sum }
        }
        let data: Vec<Vec<f32>> = (0..3).map(|s| numbers(37, s)).collect();
        let lane = |i: usize| [0, 1, 2].map(|s| Number::<true>(data[s][i]));
        for code in 0..4 * 4 * 4 * 4 {
            let (k, keep) = ([code % 4, code / 4 % 4, code / 16 % 4], code / 64);
            let got = compiled(&data, |_, v| sums([v[0], v[1], v[2]], k, keep));
            same(&got, (0..37).map(|i| sums(lane(i), k, keep).0), &format!("a·b + c of {k:?}, keeping {keep}"));
        }
        for test in [Test::Eq, Test::Ne, Test::Lt, Test::Le, Test::Gt, Test::Ge, Test::Nan] {
            let got = compiled(&data, |_, v| v[0].select(test, v[1], v[2], v[0].lit(2.0)));
            same(&got, (0..37).map(|i| lane(i)[0].select(test, lane(i)[1], lane(i)[2], Number(2.0)).0), &format!("{test:?}"));
        }
    }

    #[test]
    fn more_values_than_registers_are_declined() {
        let recorder = Recorder::default();
        let loads: Vec<Recorded> = (0..40).map(|i| recorder.lane(recorder.push(Op::Load(i), [Value::Const(0); 4]))).collect();
        let sum = loads.iter().skip(1).fold(loads[0], |a, &b| a.add(b));
        let product = loads.iter().skip(1).fold(loads[0], |a, &b| a.mul(b));
        let stores = [sum, product].map(|v| Store { value: v.value, slot: 40, late: true });
        let nodes = recorder.finish();
        assert!([false, true].iter().all(|&many| emit(&nodes, &stores, 41, many).is_none()));
    }
}
