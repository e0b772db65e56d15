//! A step in steady state allocates nothing: checked by counting what the calling thread allocates.

mod common;

use common::case::Array;
use common::train::{Step, classifier};
use cpu::{Arg, Out};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // The thread may be ending, with its counter gone.
    let _ = COUNT.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.get();
    f();
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 100]))), 1);
    assert_eq!(allocations(|| assert_eq!(std::hint::black_box(1) + 1, 2)), 0);
}

/// The third run and those that follow. The first two may warm up whatever is made on first use.
#[test]
fn a_training_step_allocates_nothing_from_its_third_run_on() {
    for rows in [7, 257] {
        for threads in [1, 2] {
            let step = Step::trace(&classifier(rows));
            let mut program = step.compile(threads);
            let arrays: Vec<Array> = step.start.iter().map(Array::of).collect();
            let mut results = vec![Array::F32(vec![0.0])];
            results.extend(step.donated.iter().map(|&(i, _)| arrays[i].clone()));
            let donated = |i: usize| step.donated.iter().any(|d| d.0 == i);
            let args: Vec<Arg> = arrays.iter().enumerate().map(|(i, a)| if donated(i) { Arg::Donated } else { a.arg() }).collect();
            let mut outs: Vec<Out> = results.iter_mut().map(Array::out).collect();
            let mut run = || allocations(|| program.run(&args, &mut outs).unwrap());
            let counts = [(); 6].map(|()| run());
            assert_eq!(counts[2..], [0; 4], "allocations of the third to sixth run, {rows} rows, {threads} threads");
        }
    }
}
