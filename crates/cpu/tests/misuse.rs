//! Wrong arrays, wrong donations and illegal graphs are errors that say what, where and why.

use cpu::{Arg, Options, Out, Program};
use graph::{DType, Tracer};

/// y = 2x, s = Σx over f32[3].
fn program(donated: Vec<(usize, usize)>) -> Result<Program, cpu::Error> {
    let cx = Tracer::new();
    let x = cx.input("x", DType::F32, &[3]);
    let (y, s) = (&x * 2.0, x.sum_all());
    Program::compile(&cx.finish()?, &[y.id(), s.id()], &Options { threads: 1, batched: vec![], donated })
}

fn refusal(donated: Vec<(usize, usize)>, run: impl Fn(&mut Program) -> Result<(), cpu::Error>) -> String {
    match program(donated).and_then(|mut p| run(&mut p)) {
        Ok(()) => panic!("accepted"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn wrong_arrays_are_refused_before_anything_is_written() {
    let (mut y, mut s) = ([7.0f32; 3], [7.0f32; 1]);
    let mut cases = vec![];
    let mut case = |inputs: &[Arg], wanted: &str| {
        let mut p = program(vec![]).unwrap();
        let e = p.run(inputs, &mut [Out::F32(&mut y), Out::F32(&mut s)]).unwrap_err().to_string();
        assert!(e.contains(wanted), "{e}");
        cases.push(e);
    };
    case(&[], "inputs: expected 1 arrays, got 0");
    case(&[Arg::F32(&[1.0; 2])], "input 0: expected f32[3] (3 elements), got 2 elements of f32");
    case(&[Arg::F64(&[1.0; 3])], "got 3 elements of f64");
    case(&[Arg::I32(&[1; 3])], "got 3 elements of i32");
    case(&[Arg::Donated], "a donation it was not compiled for");
    assert_eq!((cases.len(), y, s), (5, [7.0; 3], [7.0]));
}

#[test]
fn wrong_results_are_refused() {
    let x = [1.0f32, 2.0, 3.0];
    let e = refusal(vec![], |p| p.run(&[Arg::F32(&x)], &mut [Out::F32(&mut [0.0; 3])]));
    assert_eq!(e, "outputs: expected 2 arrays, got 1");
    let e = refusal(vec![], |p| p.run(&[Arg::F32(&x)], &mut [Out::F32(&mut [0.0; 3]), Out::F64(&mut [0.0; 1])]));
    assert!(e.contains("output 1: expected f32[] (1 elements), got 1 elements of f64"), "{e}");
}

#[test]
fn donations_need_equal_types() {
    let e = refusal(vec![(0, 1)], |_| Ok(()));
    assert!(e.contains("donated output 1: expected f32[3], got f32[]"), "{e}");
    let e = refusal(vec![(4, 0)], |_| Ok(()));
    assert!(e.contains("donated output 0: expected an input of the graph"), "{e}");
    // A donated array may still be given apart.
    let mut p = program(vec![(0, 0)]).unwrap();
    let (mut y, mut s) = ([0.0f32; 3], [0.0f32; 1]);
    p.run(&[Arg::F32(&[1.0, 2.0, 3.0])], &mut [Out::F32(&mut y), Out::F32(&mut s)]).unwrap();
    assert_eq!((y, s), ([2.0, 4.0, 6.0], [6.0]));
}

#[test]
fn tensors_of_too_many_axes_are_refused() {
    let cx = Tracer::new();
    let x = cx.input("x", DType::F32, &[1; 17]);
    let y = x.exp();
    let e = Program::compile(&cx.finish().unwrap(), &[y.id()], &Options::default()).err().unwrap().to_string();
    assert!(e.contains("17 axes; at most 16"), "{e}");
}
