//! Where kernels find their data while a program runs: buffers are (space, offset) pairs, resolved
//! against the base addresses of one worker and one tile.

use graph::DType;

/// Alignment of every arena and of every buffer in it: one cache line, one AVX-512 register.
pub const ALIGN: usize = 64;

/// Axes of a tensor at most.
pub const MAX_RANK: usize = 16;

/// What a buffer lives in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    /// The i-th array handed to `run`.
    Input(u32),
    /// The i-th result array handed to `run`.
    Output(u32),
    /// The program's own memory, for values that outlive a stage.
    Global,
    /// The memory of one gradient group.
    Group,
    /// The memory of one worker, for values inside a stage.
    Local,
}

/// Address of a buffer: bytes from the start of its space, and bytes per row of the batch axis for
/// buffers that hold all rows while a tile sees some.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which memory.
    pub space: Space,
    /// Bytes from its start.
    pub offset: usize,
    /// Bytes to skip for each row before the tile.
    pub row: usize,
}

/// A buffer of a block: element type, number of elements, address.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Element type.
    pub dtype: DType,
    /// Number of elements (of one tile, for buffers that are sliced by tile).
    pub len: usize,
    /// Address.
    pub place: Place,
}

/// Everything a kernel needs to find its data: base addresses, the buffer table of its block, the
/// first row of the tile, and whether this is the first tile of its group.
pub struct Context<'a> {
    pub(crate) inputs: &'a [*mut u8],
    pub(crate) outputs: &'a [*mut u8],
    pub(crate) global: *mut u8,
    pub(crate) group: *mut u8,
    pub(crate) local: *mut u8,
    /// Scratch registers of the fused regions of this worker.
    pub(crate) registers: *mut u8,
    pub(crate) buffers: &'a [Buffer],
    /// First row of the tile.
    pub start: usize,
    /// Whether accumulating kernels overwrite.
    pub first: bool,
}

impl Context<'_> {
    /// Address of element 0 of a buffer, for this tile.
    #[inline]
    pub fn address<T>(&self, buffer: usize) -> *mut T {
        let Place { space, offset, row } = self.buffers[buffer].place;
        let base = match space {
            Space::Input(i) => self.inputs[i as usize],
            Space::Output(i) => self.outputs[i as usize],
            Space::Global => self.global,
            Space::Group => self.group,
            Space::Local => self.local,
        };
        // SAFETY: the planner placed every buffer, with all rows, inside its space.
        unsafe { base.add(offset + row * self.start).cast() }
    }

    /// The elements of a buffer.
    ///
    /// # Safety
    /// Nothing may write to the buffer while the slice lives.
    #[inline]
    pub unsafe fn slice<T>(&self, buffer: usize) -> &[T] {
        // SAFETY: `len` elements of this type were planned at this address; the caller excludes writers.
        unsafe { std::slice::from_raw_parts(self.address(buffer), self.buffers[buffer].len) }
    }

    /// The elements of a buffer, to be written.
    ///
    /// # Safety
    /// Nothing else may use the buffer while the slice lives.
    #[inline]
    #[allow(clippy::mut_from_ref)] // the arena hands out disjoint buffers
    pub unsafe fn slice_mut<T>(&self, buffer: usize) -> &mut [T] {
        // SAFETY: as in `slice`, with exclusive use promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.address(buffer), self.buffers[buffer].len) }
    }
}

/// Memory aligned to [`ALIGN`], zeroed once.
pub struct Arena {
    data: Vec<Line>,
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] [u8; ALIGN]);

impl Arena {
    /// `bytes` zero bytes.
    pub fn new(bytes: usize) -> Arena {
        Arena { data: vec![Line([0; ALIGN]); bytes.div_ceil(ALIGN)] }
    }

    /// First byte.
    pub fn base(&mut self) -> *mut u8 {
        self.data.as_mut_ptr().cast()
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.data.len() * ALIGN
    }
}
