//! The node list: appending (with hash-consing and simplification), layers, and dead-code removal.

use crate::{Error, Op, Result, Type, simplify};
use std::collections::HashMap;

/// Position of a node in its graph: `w7` is `Id(7)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(pub u32);

impl Id {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "w{}", self.0)
    }
}

/// One equation of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From what: nodes earlier in the list.
    pub args: Vec<Id>,
    /// Element type and shape of the result.
    pub ty: Type,
    /// Which of the graph's layer paths was being traced.
    scope: u32,
}

/// A static-single-assignment list of equations in computing order.
///
/// Equal equations are stored once. With `simplify` (the default) constants are folded and
/// neutral operations vanish as they are appended.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    inputs: Vec<Id>,
    known: HashMap<(Op, Vec<Id>), Id>,
    scopes: Vec<String>,
    scope: u32,
    simplify: bool,
}

impl Default for Graph {
    fn default() -> Self {
        Graph { nodes: vec![], inputs: vec![], known: HashMap::new(), scopes: vec![String::new()], scope: 0, simplify: true }
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// An empty graph that keeps every equation as written (equal ones are still stored once).
    /// Tests compare what it computes with the simplified form.
    pub fn verbatim() -> Graph {
        Graph { simplify: false, ..Graph::default() }
    }

    /// All nodes, in computing order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node `id`.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// Type of the node `id`.
    pub fn ty(&self, id: Id) -> &Type {
        &self.node(id).ty
    }

    /// Shape of the node `id`.
    pub fn shape(&self, id: Id) -> &[usize] {
        &self.node(id).ty.shape
    }

    /// The inputs, in the order in which they were declared.
    pub fn inputs(&self) -> &[Id] {
        &self.inputs
    }

    /// Path of the layer in which `id` was traced (empty outside layers).
    pub fn layer(&self, id: Id) -> &str {
        &self.scopes[self.node(id).scope as usize]
    }

    /// Sets the layer path that following nodes and errors carry; returns the one before.
    pub fn set_layer(&mut self, path: &str) -> String {
        let before = self.scopes[self.scope as usize].clone();
        self.scope = match self.scopes.iter().position(|s| s == path) {
            Some(i) => i as u32,
            None => {
                self.scopes.push(path.to_string());
                self.scopes.len() as u32 - 1
            }
        };
        before
    }

    /// Declares an input. Each call makes a new one, even under the same name.
    pub fn input(&mut self, name: &str, ty: Type) -> Id {
        let op = Op::Input { name: name.to_string(), ty: ty.clone() };
        let id = self.append(op, vec![], ty);
        self.inputs.push(id);
        id
    }

    /// Takes the last declared input off the list: what differentiation uses for unknown tangents,
    /// which no result depends on once transposition is done.
    pub(crate) fn forget_last_input(&mut self) {
        self.inputs.pop();
    }

    /// Appends the equation `op(args)`, or finds an equal one already there.
    ///
    /// # Errors
    /// Operands whose number, element types or shapes do not fit the operation.
    pub fn push(&mut self, op: Op, args: &[Id]) -> Result<Id> {
        let types: Vec<Type> = args.iter().map(|&a| self.ty(a).clone()).collect();
        let ty = op.infer(&types).map_err(|why| Error::Operands {
            op: op.name(),
            layer: self.scopes[self.scope as usize].clone(),
            types,
            why,
        })?;
        if self.simplify
            && let Some(id) = simplify::simplify(self, &op, args, &ty)?
        {
            return Ok(id);
        }
        let mut key = (op, args.to_vec());
        if key.0.commutes() {
            key.1.sort();
        }
        if let Some(&id) = self.known.get(&key) {
            return Ok(id);
        }
        let id = self.append(key.0.clone(), args.to_vec(), ty);
        self.known.insert(key, id);
        Ok(id)
    }

    fn append(&mut self, op: Op, args: Vec<Id>, ty: Type) -> Id {
        self.nodes.push(Node { op, args, ty, scope: self.scope });
        Id(self.nodes.len() as u32 - 1)
    }

    /// Which nodes the results `outputs` depend on.
    pub fn live(&self, outputs: &[Id]) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        outputs.iter().for_each(|o| live[o.index()] = true);
        for i in (0..self.nodes.len()).rev() {
            if live[i] {
                self.nodes[i].args.iter().for_each(|a| live[a.index()] = true);
            }
        }
        live
    }

    /// Which nodes depend on one of `sources` (these included).
    pub fn depends_on(&self, sources: &[Id]) -> Vec<bool> {
        let mut hit = vec![false; self.nodes.len()];
        sources.iter().for_each(|s| hit[s.index()] = true);
        for i in 0..self.nodes.len() {
            hit[i] |= self.nodes[i].args.iter().any(|a| hit[a.index()]);
        }
        hit
    }

    /// A copy that holds only what `outputs` need (and every input, needed or not, so that the
    /// calling convention stays), with the outputs' new positions.
    pub fn pruned(&self, outputs: &[Id]) -> (Graph, Vec<Id>) {
        let live = self.live(outputs);
        let mut out = Graph { scopes: self.scopes.clone(), simplify: self.simplify, ..Graph::default() };
        let mut map = vec![Id(u32::MAX); self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            let is_input = self.inputs.contains(&Id(i as u32));
            if !live[i] && !is_input {
                continue;
            }
            let args: Vec<Id> = node.args.iter().map(|a| map[a.index()]).collect();
            out.scope = node.scope;
            let id = out.append(node.op.clone(), args.clone(), node.ty.clone());
            if is_input {
                out.inputs.push(id);
            } else {
                out.known.insert((node.op.clone(), args), id);
            }
            map[i] = id;
        }
        out.scope = 0;
        (out, outputs.iter().map(|o| map[o.index()]).collect())
    }

    /// Multiply-adds and other floating-point operations of computing `outputs` once.
    pub fn flops(&self, outputs: &[Id]) -> u64 {
        let live = self.live(outputs);
        let one = |n: &Node| {
            let types: Vec<&Type> = n.args.iter().map(|&a| self.ty(a)).collect();
            n.op.flops(&types, &n.ty)
        };
        self.nodes.iter().zip(live).filter(|(_, l)| *l).map(|(n, _)| one(n)).sum()
    }
}
