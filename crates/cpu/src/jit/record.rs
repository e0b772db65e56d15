//! Elementary functions recorded as a list of instructions over values, for one lane.

use super::assembler::{self as asm, Opcode};
use crate::kernels::lane::{Lane, Test};
use std::cell::RefCell;
use std::collections::HashMap;

/// Where an instruction finds an operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// Result of an instruction.
    Node(u32),
    /// A constant, as bits.
    Const(u32),
    /// The number in this place of the table of numbers read once per call.
    Splat(u16),
}

/// What an instruction does with its operands a, b, c, d.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Elements at the address in this place of the table.
    Load(u16),
    /// The one number at the address in this place of the table, for all elements of a row.
    Repeat(u16),
    /// f(a)
    Unary(Opcode),
    /// a ∘ b
    Binary(Opcode),
    /// a·b + c
    Fma,
    /// a ∘ b ? c : d
    Select(Test),
    /// a rounded: mode 0 to nearest even, 1 down.
    Round(u8),
    /// a shifted: kind 4 right with sign, 6 left.
    Shift(u8, u8),
}

/// An instruction. Operands it does not have repeat the first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    /// What.
    pub op: Op,
    /// From what.
    pub args: [Value; 4],
}

/// The list under construction; equal instructions are recorded once.
#[derive(Default)]
pub struct Recorder {
    nodes: RefCell<(Vec<Node>, HashMap<Node, u32>)>,
}

impl Recorder {
    /// The result of an instruction.
    pub fn push(&self, op: Op, args: [Value; 4]) -> Value {
        let (nodes, known) = &mut *self.nodes.borrow_mut();
        let node = Node { op, args };
        Value::Node(*known.entry(node).or_insert_with(|| {
            nodes.push(node);
            nodes.len() as u32 - 1
        }))
    }

    /// A value, to compute with.
    pub fn lane(&self, value: Value) -> Recorded<'_> {
        Recorded { recorder: self, value }
    }

    /// The list.
    pub fn finish(self) -> Vec<Node> {
        self.nodes.into_inner().0
    }
}

/// A value of a [`Recorder`].
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    recorder: &'a Recorder,
    /// The value.
    pub value: Value,
}

impl<'a> Recorded<'a> {
    fn is(self, op: Op, rest: &[Recorded<'a>]) -> Recorded<'a> {
        let mut args = [self.value; 4];
        args[1..].iter_mut().zip(rest).for_each(|(a, r)| *a = r.value);
        self.recorder.lane(self.recorder.push(op, args))
    }
}

impl Lane for Recorded<'_> {
    fn lit(self, x: f32) -> Self {
        self.recorder.lane(Value::Const(x.to_bits()))
    }
    fn add(self, b: Self) -> Self {
        self.is(Op::Binary(asm::ADD), &[b])
    }
    fn sub(self, b: Self) -> Self {
        self.is(Op::Binary(asm::SUB), &[b])
    }
    fn mul(self, b: Self) -> Self {
        self.is(Op::Binary(asm::MUL), &[b])
    }
    fn div(self, b: Self) -> Self {
        self.is(Op::Binary(asm::DIV), &[b])
    }
    fn fma(self, b: Self, c: Self) -> Self {
        self.is(Op::Fma, &[b, c])
    }
    fn min(self, b: Self) -> Self {
        self.is(Op::Binary(asm::MIN), &[b])
    }
    fn max(self, b: Self) -> Self {
        self.is(Op::Binary(asm::MAX), &[b])
    }
    fn sqrt(self) -> Self {
        self.is(Op::Unary(asm::SQRT), &[])
    }
    fn round(self) -> Self {
        self.is(Op::Round(0), &[])
    }
    fn floor(self) -> Self {
        self.is(Op::Round(1), &[])
    }
    fn select(self, test: Test, b: Self, x: Self, y: Self) -> Self {
        self.is(Op::Select(test), &[b, x, y])
    }
    fn and(self, b: Self) -> Self {
        self.is(Op::Binary(asm::AND), &[b])
    }
    fn or(self, b: Self) -> Self {
        self.is(Op::Binary(asm::OR), &[b])
    }
    fn xor(self, b: Self) -> Self {
        self.is(Op::Binary(asm::XOR), &[b])
    }
    fn int_add(self, b: Self) -> Self {
        self.is(Op::Binary(asm::INT_ADD), &[b])
    }
    fn int_sub(self, b: Self) -> Self {
        self.is(Op::Binary(asm::INT_SUB), &[b])
    }
    fn shl(self, n: u8) -> Self {
        self.is(Op::Shift(6, n), &[])
    }
    fn sar(self, n: u8) -> Self {
        self.is(Op::Shift(4, n), &[])
    }
    fn int_to_float(self) -> Self {
        self.is(Op::Unary(asm::FROM_INT), &[])
    }
    /// With a constant that is no NaN the hardware's rule does it, the constant first.
    fn maximum(self, b: Self) -> Self {
        match b.value {
            Value::Const(x) if !f32::from_bits(x).is_nan() => b.max(self),
            _ => self.select(Test::Nan, self, self, self.max(b)),
        }
    }
    fn minimum(self, b: Self) -> Self {
        match b.value {
            Value::Const(x) if !f32::from_bits(x).is_nan() => b.min(self),
            _ => self.select(Test::Nan, self, self, self.min(b)),
        }
    }
}
