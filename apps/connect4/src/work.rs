//! Work spread over threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `task` for each item, with one thread per worker, and returns the results in the items' order.
pub fn spread<W: Send, T: Sync, R: Send>(workers: &mut [W], items: &[T], task: impl Fn(&mut W, &T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (next, task) = (&next, &task);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let run = |worker: &mut W| {
            let mut done = vec![];
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(i) else { return done };
                done.push((i, task(worker, item)));
            }
        };
        let threads: Vec<_> = workers.iter_mut().map(|w| scope.spawn(move || run(w))).collect();
        // A thread that panicked hands its panic on.
        threads.into_iter().flat_map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    });
    results.sort_unstable_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, r)| r).collect()
}
