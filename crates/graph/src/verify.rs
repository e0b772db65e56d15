//! States what a legal graph is; run after every pass in debug builds and in tests.

use crate::{Error, Graph, Id, Op, Result, Type};

/// Checks that operands precede their users, that every type is what its operation infers, and that
/// inputs are listed once each.
///
/// # Errors
/// The first equation that breaks one of these.
pub fn verify(g: &Graph) -> Result<()> {
    for (i, node) in g.nodes().iter().enumerate() {
        let id = Id(i as u32);
        let fail = |why: String| Err(Error::Invalid { node: format!("{} : {}", g.equation(id), node.ty), why });
        if let Some(late) = node.args.iter().find(|a| a.index() >= i) {
            return fail(format!("uses {late}, which is not computed before it"));
        }
        let types: Vec<Type> = node.args.iter().map(|&a| g.ty(a).clone()).collect();
        match node.op.infer(&types) {
            Ok(ty) if ty == node.ty => {}
            Ok(ty) => return fail(format!("has type {}, but its operation gives {ty}", node.ty)),
            Err(why) => return fail(why),
        }
        let listed = g.inputs().iter().filter(|&&x| x == id).count();
        // An unlisted input is the seed of a differentiation; pruning removes it.
        if listed > usize::from(matches!(node.op, Op::Input { .. })) {
            return fail(format!("is listed {listed} times among the inputs"));
        }
    }
    Ok(())
}
