//! Instructions to bytes: order, registers, code.

use super::assembler::{self as asm, Assembler, Operand, Reg, Zmm};
use super::record::{Node, Op, Value};
use crate::kernels::lane::Test;

/// A result: its value, its place in the table of addresses, and whether it may overwrite an operand.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// What.
    pub value: Value,
    /// Where to.
    pub slot: u16,
    /// Whether it is written when everything has been read.
    pub late: bool,
}

/// Registers that hold values; two more are scratch.
const REGISTERS: u8 = 30;
const SCRATCH: [Zmm; 2] = [30, 31];

/// The function's bytes and the constants it reads; `None` if 30 registers are too few. The table of addresses has
/// `slots` entries. A function that runs over `many` elements keeps what all vectors need in the registers that are left.
pub fn emit(nodes: &[Node], stores: &[Store], slots: usize, many: bool) -> Option<(Vec<u8>, Vec<u32>)> {
    let items = order(nodes, stores);
    let new = |kept| Emitter { nodes, stores, items: &items, constants: vec![], kept, used: vec![], most: 0, asm: Assembler::default() };
    let mut e = new(vec![]);
    if many {
        e.body(asm::ALL);
        e = new(e.worth_keeping());
    }
    e.asm.prologue();
    e.load_kept(|v| !matches!(v, Value::Node(_)));
    let row = e.asm.begin_row();
    e.load_kept(|v| matches!(v, Value::Node(_)));
    let vectors = e.asm.begin_vectors();
    e.body(asm::ALL);
    e.asm.end_vectors(vectors);
    let tail = e.asm.begin_tail();
    e.body(asm::TAIL);
    e.asm.end_tail(tail);
    e.asm.end_row(row, slots);
    e.asm.ret();
    (e.most <= REGISTERS).then_some((e.asm.code, e.constants))
}

#[derive(Clone, Copy)]
enum Item {
    Node(u32),
    Store(usize),
}

/// Each result after what it needs, depth first: few values then wait at the same time. Results that may overwrite
/// operands come last.
fn order(nodes: &[Node], stores: &[Store]) -> Vec<Item> {
    fn visit(nodes: &[Node], value: Value, seen: &mut [bool], items: &mut Vec<Item>) {
        let Value::Node(n) = value else { return };
        if std::mem::replace(&mut seen[n as usize], true) {
            return;
        }
        nodes[n as usize].operands().iter().for_each(|&a| visit(nodes, a, seen, items));
        items.push(Item::Node(n));
    }
    let (mut items, mut late, mut seen) = (vec![], vec![], vec![false; nodes.len()]);
    for (k, s) in stores.iter().enumerate() {
        visit(nodes, s.value, &mut seen, &mut items);
        if s.late { late.push(Item::Store(k)) } else { items.push(Item::Store(k)) }
    }
    items.extend(late);
    items
}

impl Node {
    fn operands(&self) -> &[Value] {
        let count = match self.op {
            Op::Load(_) | Op::Repeat(_) => 0,
            Op::Unary(_) | Op::Round(_) | Op::Shift(..) => 1,
            Op::Binary(_) => 2,
            Op::Fma => 3,
            Op::Select(_) => 4,
        };
        &self.args[..count]
    }
}

struct Emitter<'a> {
    nodes: &'a [Node],
    stores: &'a [Store],
    items: &'a [Item],
    constants: Vec<u32>,
    /// Constants and splats that stay in registers, and what does so for a row.
    kept: Vec<(Value, Zmm)>,
    /// Those that were operands, and how often.
    used: Vec<(Value, usize)>,
    /// Registers in use at once, at most.
    most: u8,
    asm: Assembler,
}

/// Which registers hold which values.
struct Homes {
    of: Vec<Zmm>,
    free: Vec<Zmm>,
    last_use: Vec<usize>,
}

impl Emitter<'_> {
    fn uses(&self, item: Item) -> &[Value] {
        match item {
            Item::Node(n) => self.nodes[n as usize].operands(),
            Item::Store(k) => std::slice::from_ref(&self.stores[k].value),
        }
    }

    /// All instructions once, for sixteen lanes or those of the tail.
    fn body(&mut self, mask: u8) {
        let mut last_use = vec![0; self.nodes.len()];
        for (at, &item) in self.items.iter().enumerate() {
            for &v in self.uses(item) {
                if let Value::Node(n) = v {
                    last_use[n as usize] = at;
                }
            }
        }
        let mut homes = Homes { of: vec![0; self.nodes.len()], free: (0..REGISTERS).rev().collect(), last_use };
        for (at, &item) in self.items.iter().enumerate() {
            let mut ending: Vec<u32> = vec![];
            for &v in self.uses(item) {
                match v {
                    Value::Node(n) if homes.last_use[n as usize] == at && !ending.contains(&n) && !self.keeps(v) => ending.push(n),
                    _ => {}
                }
            }
            match item {
                Item::Node(n) if self.keeps(Value::Node(n)) => {}
                Item::Node(n) => {
                    // A sum of products is built up in its target, so an operand's register may only be taken
                    // over if that operand is what is built upon.
                    let node = self.nodes[n as usize];
                    let fma = node.op == Op::Fma;
                    if !fma {
                        ending.iter().for_each(|&e| homes.free.push(homes.of[e as usize]));
                    }
                    let over = fma.then(|| self.taken_over(&node, &ending)).flatten();
                    let dst = match over {
                        Some(e) => Some(homes.of[e as usize]),
                        None => homes.free.pop(),
                    };
                    let Some(dst) = dst else {
                        self.most = u8::MAX;
                        return;
                    };
                    self.most = self.most.max(dst + 1);
                    if fma {
                        let freed = ending.iter().filter(|&&e| Some(e) != over);
                        freed.for_each(|&e| homes.free.push(homes.of[e as usize]));
                    }
                    homes.of[n as usize] = dst;
                    self.node(&node, dst, over, &homes.of, mask);
                }
                Item::Store(k) => {
                    let Store { value, slot, .. } = self.stores[k];
                    let src = self.register(value, &homes.of, SCRATCH[0]);
                    self.asm.address(slot.into());
                    self.asm.store(src, Reg::Rax, mask);
                    ending.iter().for_each(|&e| homes.free.push(homes.of[e as usize]));
                }
            }
        }
    }

    /// The operand of a·b + c whose register the result takes over: one that ends here, c if possible.
    fn taken_over(&self, node: &Node, ending: &[u32]) -> Option<u32> {
        let [a, b, c, _] = node.args;
        let ends = |v: Value| if let Value::Node(n) = v { ending.contains(&n).then_some(n) } else { None };
        let unlike = |v: Value, others: [Value; 2]| if others.contains(&v) { None } else { ends(v) };
        unlike(c, [a, b]).or_else(|| unlike(a, [b, c])).or_else(|| unlike(b, [a, c]))
    }

    fn node(&mut self, node: &Node, dst: Zmm, over: Option<u32>, homes: &[Zmm], mask: u8) {
        let [a, b, c, d] = node.args;
        match node.op {
            Op::Load(slot) => {
                self.asm.address(slot.into());
                self.asm.load(dst, Operand::Vector(Reg::Rax), mask);
            }
            Op::Repeat(slot) => {
                self.asm.address(slot.into());
                self.asm.load(dst, Operand::Splat(Reg::Rax, 0), asm::ALL);
            }
            Op::Unary(o) => {
                let a = self.last(a, homes);
                self.asm.unary(o, dst, a);
            }
            Op::Round(mode) => {
                let a = self.last(a, homes);
                self.asm.round(dst, a, mode);
            }
            Op::Shift(kind, count) => {
                let a = self.register(a, homes, SCRATCH[0]);
                self.asm.shift(dst, a, kind, count);
            }
            Op::Binary(o) => {
                let commutes = ![asm::SUB, asm::DIV, asm::MIN, asm::MAX, asm::INT_SUB].contains(&o);
                let (a, b) = if commutes && !matches!(a, Value::Node(_)) { (b, a) } else { (a, b) };
                let (a, b) = (self.register(a, homes, SCRATCH[0]), self.last(b, homes));
                self.asm.binary(o, dst, a, b);
            }
            Op::Fma => self.fma([a, b, c], dst, over, homes),
            Op::Select(test) => {
                let (a, b) = (self.register(a, homes, SCRATCH[0]), self.last(b, homes));
                self.asm.compare(a, b, predicate(test));
                let (d, c) = (self.register(d, homes, SCRATCH[0]), self.last(c, homes));
                self.asm.blend(dst, d, c);
            }
        }
    }

    /// `dst = a·b + c`, where `dst` holds the operand `over` or none.
    fn fma(&mut self, [a, b, c]: [Value; 3], dst: Zmm, over: Option<u32>, homes: &[Zmm]) {
        let is_over = |v: Value| over.is_some_and(|n| v == Value::Node(n));
        // Of two factors the one in memory, if any, is the last operand.
        let (a, b) = if matches!(a, Value::Node(_)) { (a, b) } else { (b, a) };
        if is_over(c) {
            let (a, b) = (self.register(a, homes, SCRATCH[0]), self.last(b, homes));
            return self.asm.binary(asm::FMA231, dst, a, b);
        }
        let (a, b) = if is_over(b) { (b, a) } else { (a, b) };
        if !is_over(a) {
            let from = self.last(a, homes);
            self.asm.load(dst, from, asm::ALL);
        }
        let (b, c) = (self.register(b, homes, SCRATCH[0]), self.last(c, homes));
        self.asm.binary(asm::FMA213, dst, b, c);
    }

    /// What is the same in a whole row, and the constants and splats used most: each with a register that nothing else
    /// needs.
    fn worth_keeping(&self) -> Vec<(Value, Zmm)> {
        let repeats = |&n: &u32| matches!(self.nodes[n as usize].op, Op::Repeat(_));
        let rows = (0..self.nodes.len() as u32).filter(repeats).map(Value::Node);
        let mut used = self.used.clone();
        used.sort_by_key(|u| std::cmp::Reverse(u.1));
        rows.chain(used.iter().map(|u| u.0)).zip(self.most..REGISTERS).collect()
    }

    fn keeps(&self, v: Value) -> bool {
        self.kept.iter().any(|k| k.0 == v)
    }

    /// Fills the registers of what is kept, as far as it is `now`.
    fn load_kept(&mut self, now: impl Fn(Value) -> bool) {
        for (value, register) in self.kept.clone().into_iter().filter(|k| now(k.0)) {
            match value {
                Value::Node(n) => self.node(&self.nodes[n as usize].clone(), register, None, &[], asm::ALL),
                value => {
                    let from = self.memory(value, &[]);
                    self.asm.load(register, from, asm::ALL);
                }
            }
        }
    }

    /// A value as the operand that may lie in memory.
    fn last(&mut self, v: Value, homes: &[Zmm]) -> Operand {
        if let Some(&(_, register)) = self.kept.iter().find(|k| k.0 == v) {
            return Operand::Zmm(register);
        }
        match self.used.iter_mut().find(|u| u.0 == v) {
            _ if matches!(v, Value::Node(_)) => {}
            Some(used) => used.1 += 1,
            None => self.used.push((v, 1)),
        }
        self.memory(v, homes)
    }

    /// A result in its register, anything else in memory.
    fn memory(&mut self, v: Value, homes: &[Zmm]) -> Operand {
        match v {
            Value::Node(n) => Operand::Zmm(homes[n as usize]),
            Value::Splat(k) => Operand::Splat(Reg::Rdx, 4 * i32::from(k)),
            Value::Const(bits) => {
                let at = self.constants.iter().position(|&c| c == bits).unwrap_or_else(|| {
                    self.constants.push(bits);
                    self.constants.len() - 1
                });
                Operand::Splat(Reg::Rcx, 4 * at as i32)
            }
        }
    }

    /// A value in a register: its own, or `scratch`.
    fn register(&mut self, v: Value, homes: &[Zmm], scratch: Zmm) -> Zmm {
        match self.last(v, homes) {
            Operand::Zmm(r) => r,
            memory => {
                self.asm.load(scratch, memory, asm::ALL);
                scratch
            }
        }
    }
}

/// The predicate of `vcmpps`; all but "not equal" and "unordered" are false for NaN, none raises a signal.
fn predicate(test: Test) -> u8 {
    match test {
        Test::Eq => 0x00,
        Test::Lt => 0x11,
        Test::Le => 0x12,
        Test::Nan => 0x03,
        Test::Ne => 0x04,
        Test::Ge => 0x1d,
        Test::Gt => 0x1e,
    }
}
