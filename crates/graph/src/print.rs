//! Prints a graph the way it is written on the blackboard: one equation a line, `w2 = add w0 w1 : f32[3]`.

use crate::{Graph, Id};
use std::fmt;

impl Graph {
    /// The equation of one node, without its type.
    pub fn equation(&self, id: Id) -> String {
        let node = self.node(id);
        let args: Vec<String> = node.args.iter().map(Id::to_string).collect();
        let params = node.op.params();
        let gap = if params.is_empty() || args.is_empty() { "" } else { " " };
        format!("{id} = {} {}{gap}{params}", node.op.name(), args.join(" "))
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for i in 0..self.nodes().len() {
            let id = Id(i as u32);
            write!(f, "{} : {}", self.equation(id), self.ty(id))?;
            match self.layer(id) {
                "" => writeln!(f)?,
                layer => writeln!(f, "  # {layer}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{DType, Tracer};

    #[test]
    fn prints_one_equation_a_line() {
        let cx = Tracer::new();
        let x = cx.input("x", DType::F32, &[2, 3]);
        let w = cx.input("w", DType::F32, &[3, 1]);
        let y = cx.layer("dense", || x.matmul(&w).tanh());
        assert_eq!(y.shape(), [2, 1]);
        let text = cx.finish().unwrap().to_string();
        let want = "w0 = input x : f32[2, 3]\nw1 = input w : f32[3, 1]\n\
                    w2 = dot_general w0 w1 contract [1]·[0] : f32[2, 1]  # dense\nw3 = tanh w2 : f32[2, 1]  # dense\n";
        assert_eq!(text, want);
    }
}
