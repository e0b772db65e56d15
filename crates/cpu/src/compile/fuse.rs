//! Decides, for the graph of a stage, what becomes a look at memory, what is fused with what, and when
//! everything happens.
//!
//! Time is counted in rounds. What runs in the same round is independent, except element-by-element
//! operations of equal shape that feed each other: these are one fused region.

use super::view::Look;
use graph::ops::Binary;
use graph::{DType, Graph, Id, Op};

/// What becomes of a node.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Role {
    /// Nothing: no result needs it.
    Dead,
    /// Memory filled before the stage.
    Source,
    /// One number for all elements.
    Constant(f64),
    /// Numbers that follow from the place of an element.
    Counter,
    /// Another look at the memory of its operand.
    View,
    /// An element-by-element operation, part of a region.
    Map,
    /// Memory that others write parts of: padding, concatenation, adding windows back.
    Frame,
    /// A kernel of its own.
    Kernel,
}

/// The schedule of a stage.
pub struct Schedule {
    /// Per node.
    pub roles: Vec<Role>,
    /// Per node: how its elements lie in the memory of its base.
    pub looks: Vec<Look>,
    /// Per node: the node whose memory it looks at (itself unless it is a view).
    pub bases: Vec<Id>,
    /// Per node that computes: its round.
    pub rounds: Vec<usize>,
    /// Users of each node.
    pub users: Vec<Vec<Id>>,
    /// Per node: whether regions of later rounds compute it again, from what is in memory anyway.
    pub again: Vec<bool>,
}

/// The element type a node is computed in.
pub fn arithmetic(dtype: DType) -> DType {
    if dtype == DType::F32 { DType::F32 } else { DType::F64 }
}

impl Schedule {
    /// Schedules what `results` need; `sources` says how the inputs lie in memory.
    pub fn new(g: &Graph, results: &[Id], sources: &[(Id, Look)]) -> Schedule {
        let count = g.nodes().len();
        let mut s = Schedule {
            roles: vec![Role::Dead; count],
            looks: g.nodes().iter().map(|n| Look::whole(&n.ty.shape)).collect(),
            bases: (0..count).map(|i| Id(i as u32)).collect(),
            rounds: vec![0; count],
            users: vec![vec![]; count],
            again: vec![false; count],
        };
        let live = g.live(results);
        for (i, node) in g.nodes().iter().enumerate() {
            if live[i] {
                s.classify(g, Id(i as u32), sources);
                node.args.iter().for_each(|a| s.users[a.index()].push(Id(i as u32)));
            }
        }
        for i in 0..count {
            s.rounds[i] = s.earliest(g, Id(i as u32));
        }
        s.sink(g, results);
        s.repeat(g, results);
        s
    }

    fn classify(&mut self, g: &Graph, id: Id, sources: &[(Id, Look)]) {
        let (i, node) = (id.index(), g.node(id));
        self.roles[i] = match &node.op {
            Op::Input { .. } => {
                if let Some((_, look)) = sources.iter().find(|s| s.0 == id) {
                    self.looks[i] = look.clone();
                }
                Role::Source
            }
            Op::Full { value, .. } => Role::Constant(value.get()),
            Op::Iota { axis, ty } => {
                let mut strides = vec![0; ty.rank()];
                strides[*axis] = 1;
                self.looks[i] = Look { shape: ty.shape.clone(), offset: 0, strides };
                Role::Counter
            }
            Op::Uniform { .. } => Role::Map,
            Op::Pad { .. } | Op::Concat(_) | Op::Fold { .. } => Role::Frame,
            op if op.is_elementwise() && !matches!(op, Op::StopGradient) => Role::Map,
            op => match self.looks.get(node.args[0].index()).and_then(|l| l.through(op, &node.ty.shape)) {
                Some(_) if matches!(self.roles[node.args[0].index()], Role::Constant(_)) => self.roles[node.args[0].index()],
                Some(look) => {
                    self.looks[i] = look;
                    self.bases[i] = self.bases[node.args[0].index()];
                    if self.roles[self.bases[i].index()] == Role::Counter { Role::Counter } else { Role::View }
                }
                None => Role::Kernel, // products, reductions, tables; a reshape that needs a copy
            },
        };
    }

    /// Whether `user` can be computed in the same region as its operand `id`.
    pub fn fuses(&self, g: &Graph, id: Id, user: Id) -> bool {
        let (a, b) = (g.ty(id), g.ty(user));
        let map = |id: Id| self.roles[id.index()] == Role::Map;
        map(id) && map(user) && a.shape == b.shape && a.dtype != DType::I32 && arithmetic(a.dtype) == arithmetic(b.dtype)
    }

    /// First round after which a value is in memory.
    fn ready(&self, id: Id) -> usize {
        let base = self.bases[id.index()];
        match self.roles[base.index()] {
            Role::Map | Role::Kernel | Role::Frame => self.rounds[base.index()] + 1,
            _ => 0,
        }
    }

    fn earliest(&self, g: &Graph, id: Id) -> usize {
        let args = g.node(id).args.iter();
        match self.roles[id.index()] {
            Role::Map => args.map(|&a| if self.fuses(g, a, id) { self.rounds[a.index()] } else { self.ready(a) }).max().unwrap_or(0),
            // Parts that are computed element by element are written into the frame by their own region.
            Role::Frame => {
                args.map(|&a| if self.writes_into(g, a, id) { self.rounds[a.index()] } else { self.ready(a) }).max().unwrap_or(0)
            }
            Role::Kernel => args.map(|&a| self.ready(a)).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether the region of `id` can write its values straight into the frame `user`.
    pub fn writes_into(&self, g: &Graph, id: Id, user: Id) -> bool {
        let disjoint = match &g.node(user).op {
            Op::Fold { stride, .. } => {
                let s = g.shape(id);
                stride[0] >= s[3] && stride[1] >= s[4]
            }
            Op::Pad { .. } | Op::Concat(_) => true,
            _ => false,
        };
        disjoint && self.roles[id.index()] == Role::Map
    }

    /// Last round in which the memory of `id` is read.
    pub fn last_read(&self, g: &Graph, id: Id) -> usize {
        let read = |&u: &Id| match self.roles[u.index()] {
            Role::View | Role::Counter => self.last_read(g, u),
            // What a user's own users compute again, they make of this.
            Role::Map if self.again[u.index()] => self.last_made(u),
            Role::Map if self.fuses(g, id, u) && self.rounds[u.index()] == self.rounds[id.index()] => 0,
            Role::Frame if self.writes_into(g, id, u) => 0,
            _ => self.rounds[u.index()],
        };
        self.users[id.index()].iter().map(read).max().unwrap_or(0)
    }

    /// Last round in which `id` is computed: its own, or that of the last region that computes it again.
    fn last_made(&self, id: Id) -> usize {
        let users = if self.again[id.index()] { &self.users[id.index()][..] } else { &[] };
        users.iter().map(|&u| self.last_made(u)).fold(self.rounds[id.index()], usize::max)
    }

    /// The sum that alone uses a product, and takes it up in one rounding where they share a region.
    pub(super) fn sum_of(&self, g: &Graph, id: Id) -> Option<Id> {
        let [user] = self.users[id.index()][..] else { return None };
        let is = |id: Id, b: Binary| g.node(id).op == Op::Binary(b);
        (is(id, Binary::Mul) && is(user, Binary::Add)).then_some(user)
    }

    /// Latest round in which `id` may be computed.
    fn latest(&self, g: &Graph, id: Id) -> usize {
        let bound = |&u: &Id| match self.roles[u.index()] {
            Role::Map if self.fuses(g, id, u) => self.rounds[u.index()],
            Role::Map | Role::Kernel => self.rounds[u.index()].saturating_sub(1),
            Role::Frame if self.writes_into(g, id, u) => self.latest(g, u),
            Role::Frame => self.rounds[u.index()].saturating_sub(1),
            Role::View | Role::Counter => self.latest(g, u),
            _ => usize::MAX,
        };
        self.users[id.index()].iter().map(bound).min().unwrap_or(usize::MAX)
    }

    /// Moves element-by-element work to the round of its users where that keeps no more in memory:
    /// the derivative of an activation is then computed where it is multiplied, not stored until then.
    fn sink(&mut self, g: &Graph, results: &[Id]) {
        for i in (0..g.nodes().len()).rev() {
            let id = Id(i as u32);
            if self.roles[i] != Role::Map {
                continue;
            }
            let to = self.latest(g, id);
            if to == usize::MAX || to <= self.rounds[i] {
                continue;
            }
            let size = g.ty(id).len();
            let extra = |&a: &Id| {
                let base = self.bases[a.index()];
                let kept = match self.roles[base.index()] {
                    Role::Source | Role::Constant(_) | Role::Counter => true,
                    _ => self.last_read(g, base) >= to || results.contains(&base),
                };
                !kept && 2 * g.ty(base).len() > size
            };
            let mut operands = g.node(id).args.clone();
            operands.sort();
            operands.dedup();
            if operands.iter().filter(|a| extra(a)).count() <= 1 {
                self.rounds[i] = to;
            }
        }
        // Frames follow the parts that their operands' regions write.
        for i in 0..g.nodes().len() {
            if self.roles[i] == Role::Frame {
                self.rounds[i] = self.earliest(g, Id(i as u32));
            }
        }
    }

    /// Regions: sets of element-by-element nodes of one round and shape that feed each other or read
    /// the same operand. Ordered by round and first node.
    pub fn regions(&self, g: &Graph) -> Vec<Vec<Id>> {
        let nodes: Vec<usize> = (0..g.nodes().len()).filter(|&i| self.roles[i] == Role::Map).collect();
        let mut leader: Vec<usize> = (0..g.nodes().len()).collect();
        fn find(leader: &mut [usize], mut i: usize) -> usize {
            while leader[i] != i {
                leader[i] = leader[leader[i]];
                i = leader[i];
            }
            i
        }
        let join = |leader: &mut Vec<usize>, a: usize, b: usize| {
            let (a, b) = (find(leader, a), find(leader, b));
            leader[a.max(b)] = a.min(b);
        };
        let mut readers: std::collections::HashMap<(usize, Vec<usize>, DType, Id), usize> = std::collections::HashMap::new();
        for &i in &nodes {
            let id = Id(i as u32);
            let ty = g.ty(id);
            for &a in &g.node(id).args {
                if self.fuses(g, a, id) && self.rounds[a.index()] == self.rounds[i] {
                    join(&mut leader, a.index(), i);
                } else if g.ty(a).len() > 1 && !matches!(self.roles[a.index()], Role::Constant(_)) {
                    let key = (self.rounds[i], ty.shape.clone(), arithmetic(ty.dtype), a);
                    match readers.get(&key) {
                        Some(&other) => join(&mut leader, other, i),
                        None => _ = readers.insert(key, i),
                    }
                }
            }
        }
        let mut sets: std::collections::BTreeMap<(usize, usize), Vec<Id>> = std::collections::BTreeMap::new();
        for &i in &nodes {
            let first = find(&mut leader, i);
            sets.entry((self.rounds[i], first)).or_default().push(Id(i as u32));
        }
        sets.into_values().collect()
    }
}
