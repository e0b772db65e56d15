//! A few dozen instructions of AVX-512 as bytes: what a fused region needs, nothing else.
//!
//! Encodings follow the Intel 64 and IA-32 Software Developer's Manual, volume 2 (EVEX: section 2.7). Displacements are
//! always 32 bits wide, so that the compressed ones need not be thought about.

/// A vector register, 0–31.
pub type Zmm = u8;

/// A general register that addresses memory.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum Reg {
    /// Scratch.
    Rax = 0,
    /// Table of constants.
    Rcx = 1,
    /// Table of numbers read once.
    Rdx = 2,
    /// Table of addresses.
    Rdi = 7,
}

/// The last operand of a vector instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operand {
    /// A register.
    Zmm(Zmm),
    /// One f32 at `base + offset`, in all lanes.
    Splat(Reg, i32),
    /// Sixteen f32 at `base + 4·r10`.
    Vector(Reg),
}

/// Opcode map and prefix of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Opcode {
    map: u8,
    prefix: u8,
    byte: u8,
}

const fn op(map: u8, prefix: u8, byte: u8) -> Opcode {
    Opcode { map, prefix, byte }
}

// Maps: 1 = 0F, 2 = 0F38, 3 = 0F3A. Prefixes: 0 = none, 1 = 66, 2 = F3.
pub const ADD: Opcode = op(1, 0, 0x58);
pub const MUL: Opcode = op(1, 0, 0x59);
pub const SUB: Opcode = op(1, 0, 0x5c);
pub const MIN: Opcode = op(1, 0, 0x5d);
pub const DIV: Opcode = op(1, 0, 0x5e);
pub const MAX: Opcode = op(1, 0, 0x5f);
pub const SQRT: Opcode = op(1, 0, 0x51);
/// dst = dst·src + last
pub const FMA213: Opcode = op(2, 1, 0xa8);
/// dst = src·last + dst
pub const FMA231: Opcode = op(2, 1, 0xb8);
pub const AND: Opcode = op(1, 1, 0xdb);
pub const OR: Opcode = op(1, 1, 0xeb);
pub const XOR: Opcode = op(1, 1, 0xef);
pub const INT_ADD: Opcode = op(1, 1, 0xfe);
pub const INT_SUB: Opcode = op(1, 1, 0xfa);
pub const FROM_INT: Opcode = op(1, 0, 0x5b);
/// dst = mask ? last : src
pub const BLEND: Opcode = op(2, 1, 0x65);
const LOAD: Opcode = op(1, 0, 0x10);
const STORE: Opcode = op(1, 0, 0x11);
const BROADCAST: Opcode = op(2, 1, 0x18);
const COMPARE: Opcode = op(1, 0, 0xc2);
const ROUND: Opcode = op(3, 1, 0x08);
const SHIFT: Opcode = op(1, 1, 0x72);

/// Masks: none, the tail's lanes, a comparison's result.
pub const ALL: u8 = 0;
/// See [`ALL`].
pub const TAIL: u8 = 1;
/// See [`ALL`].
pub const COMPARED: u8 = 2;

/// Code under construction.
#[derive(Default)]
pub struct Assembler {
    /// The bytes so far.
    pub code: Vec<u8>,
}

impl Assembler {
    /// Prefix, opcode and operands; `reg` is the register of the ModRM byte, `src` the one in the prefix.
    fn evex(&mut self, o: Opcode, reg: u8, src: u8, last: Operand, mask: u8, zero: bool) {
        let inverted = |bit: u8| (bit & 1) ^ 1;
        let (x, b, splat) = match last {
            Operand::Zmm(r) => (r >> 4, r >> 3, false),
            Operand::Splat(..) => (0, 0, true),
            Operand::Vector(_) => (1, 0, false), // r10 is the index
        };
        self.code.push(0x62);
        self.code.push(inverted(reg >> 3) << 7 | inverted(x) << 6 | inverted(b) << 5 | inverted(reg >> 4) << 4 | o.map);
        self.code.push((!src & 15) << 3 | 1 << 2 | o.prefix);
        self.code.push(u8::from(zero) << 7 | 0b10 << 5 | u8::from(splat) << 4 | inverted(src >> 4) << 3 | mask);
        self.code.push(o.byte);
        let reg = (reg & 7) << 3;
        match last {
            Operand::Zmm(r) => self.code.push(0b11 << 6 | reg | r & 7),
            Operand::Splat(base, offset) => {
                self.code.push(0b10 << 6 | reg | base as u8);
                self.code.extend(offset.to_le_bytes());
            }
            // SIB: scale 4, index r10, base.
            Operand::Vector(base) => self.code.extend([reg | 0b100, 0b10 << 6 | 0b010 << 3 | base as u8]),
        }
    }

    /// `dst = src ∘ last`.
    pub fn binary(&mut self, o: Opcode, dst: Zmm, src: Zmm, last: Operand) {
        self.evex(o, dst, src, last, ALL, false);
    }

    /// `dst = f(last)`.
    pub fn unary(&mut self, o: Opcode, dst: Zmm, last: Operand) {
        self.evex(o, dst, 0, last, ALL, false);
    }

    /// `dst = compared ? last : src`.
    pub fn blend(&mut self, dst: Zmm, src: Zmm, last: Operand) {
        self.evex(BLEND, dst, src, last, COMPARED, false);
    }

    /// Compares `src` with `last` into the mask `COMPARED`.
    pub fn compare(&mut self, src: Zmm, last: Operand, predicate: u8) {
        self.evex(COMPARE, COMPARED, src, last, ALL, false);
        self.code.push(predicate);
    }

    /// Rounds to an integer: mode 0 to nearest even, 1 down.
    pub fn round(&mut self, dst: Zmm, last: Operand, mode: u8) {
        self.evex(ROUND, dst, 0, last, ALL, false);
        self.code.push(mode | 8);
    }

    /// Shifts 32-bit integers: `kind` 2 right, 4 right with sign, 6 left.
    pub fn shift(&mut self, dst: Zmm, src: Zmm, kind: u8, count: u8) {
        self.evex(SHIFT, kind, dst, Operand::Zmm(src), ALL, false);
        self.code.push(count);
    }

    /// Fills `dst` from a register, or from memory: all lanes, or those of `mask`.
    pub fn load(&mut self, dst: Zmm, from: Operand, mask: u8) {
        let o = if matches!(from, Operand::Splat(..)) { BROADCAST } else { LOAD };
        // A broadcast's operand is a scalar already: the prefix's splat bit must be clear.
        let at = self.code.len();
        self.evex(o, dst, 0, from, mask, mask != ALL);
        if matches!(from, Operand::Splat(..)) {
            self.code[at + 3] &= !(1 << 4);
        }
    }

    /// Writes `src` to memory.
    pub fn store(&mut self, src: Zmm, base: Reg, mask: u8) {
        self.evex(STORE, src, 0, Operand::Vector(base), mask, false);
    }

    /// `rax` = the address in entry `slot` of the table.
    pub fn address(&mut self, slot: usize) {
        self.code.extend([0x48, 0x8b, 0x80 | Reg::Rdi as u8]);
        self.code.extend((16 * slot as i32).to_le_bytes());
    }

    /// `r11 = rsi & −16; k1 = r8d`.
    pub fn prologue(&mut self) {
        self.code.extend([0x49, 0x89, 0xf3]); // mov r11, rsi
        self.code.extend([0x49, 0x83, 0xe3, 0xf0]); // and r11, -16
        self.code.extend([0xc4, 0xc1, 0x78, 0x92, 0xc8]); // kmovw k1, r8d
    }

    /// Begins a row: `r10 = 0`. The result is for [`Assembler::end_row`].
    pub fn begin_row(&mut self) -> usize {
        let start = self.code.len();
        self.code.extend([0x45, 0x31, 0xd2]); // xor r10d, r10d
        start
    }

    /// Ends it: adds its step to each of `slots` addresses, and goes on while `--r9 != 0`.
    pub fn end_row(&mut self, start: usize, slots: usize) {
        for slot in 0..slots as i32 {
            self.code.extend([0x48, 0x8b, 0x80 | Reg::Rdi as u8]); // mov rax, [rdi + 16·slot + 8]
            self.code.extend((16 * slot + 8).to_le_bytes());
            self.code.extend([0x48, 0x01, 0x80 | Reg::Rdi as u8]); // add [rdi + 16·slot], rax
            self.code.extend((16 * slot).to_le_bytes());
        }
        self.code.extend([0x49, 0xff, 0xc9]); // dec r9
        let back = self.jump(&[0x0f, 0x85]); // jnz
        self.land(back, start);
    }

    /// Begins what runs while `r10 < r11`; the result is for [`Assembler::end_vectors`].
    pub fn begin_vectors(&mut self) -> (usize, usize) {
        self.code.extend([0x4d, 0x39, 0xda]); // cmp r10, r11
        let skip = self.jump(&[0x0f, 0x83]); // jae
        (skip, self.code.len())
    }

    /// Ends it, sixteen elements further.
    pub fn end_vectors(&mut self, (skip, start): (usize, usize)) {
        self.code.extend([0x49, 0x83, 0xc2, 0x10]); // add r10, 16
        self.code.extend([0x4d, 0x39, 0xda]); // cmp r10, r11
        let back = self.jump(&[0x0f, 0x82]); // jb
        self.land(back, start);
        self.land(skip, self.code.len());
    }

    /// Begins what runs if elements of the row are left; the result is for [`Assembler::end_tail`].
    pub fn begin_tail(&mut self) -> usize {
        self.code.extend([0x49, 0x39, 0xf2]); // cmp r10, rsi
        self.jump(&[0x0f, 0x83]) // jae
    }

    /// Ends it.
    pub fn end_tail(&mut self, skip: usize) {
        self.land(skip, self.code.len());
    }

    /// Leaves the function.
    pub fn ret(&mut self) {
        self.code.extend([0xc5, 0xf8, 0x77, 0xc3]); // vzeroupper; ret
    }

    fn jump(&mut self, opcode: &[u8]) -> usize {
        self.code.extend(opcode);
        self.code.extend([0; 4]);
        self.code.len()
    }

    /// Makes the jump whose displacement ends at `from` lead to `to`.
    fn land(&mut self, from: usize, to: usize) {
        self.code[from - 4..from].copy_from_slice(&(to as i32 - from as i32).to_le_bytes());
    }
}
