//! What a training step of `stego` needs in memory, in a process of its own: this file has one test only.

#![cfg(target_os = "linux")]

use bench::{Workload, memory};

/// Sixteen planes of 256×256 for each of 64 pictures, forward and backward, would take 537 MB.
const MOST: u64 = 250_000_000;

#[test]
fn a_step_of_64_pictures_stays_far_below_its_activations() {
    let mut workload = Workload::new("stego", 2).unwrap();
    let losses: Vec<f32> = (0..3).map(|_| workload.run().unwrap()).collect();
    assert!(losses[2] < losses[0], "{losses:?}");
    let (peak, [data, state, program]) = (memory::peak().unwrap(), workload.bytes());
    println!("peak {peak} bytes; data {data}, training state {state}, program {program}"); // shown by --nocapture
    assert!(peak < MOST, "{peak} bytes at the peak, {MOST} allowed; data {data}, training state {state}, program {program}");
    assert!(peak as usize > data + state, "{peak} bytes at the peak, fewer than the data and the training state have");
}
