//! Workers that wait for a program to run: they spin for a moment, then sleep. One fork and one join
//! per run; between stages they meet at a barrier.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};

/// Turns of a waiting loop before a worker sleeps: some tens of microseconds.
const SPIN: usize = 2_000;

/// A job, its lifetime erased: `run` does not return before all workers are done with it.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn(usize) + Sync));

// SAFETY: the function it points to is Sync and outlives every use (see `Pool::run`).
unsafe impl Send for Job {}

struct Shared {
    round: AtomicUsize,
    job: Mutex<Option<Job>>,
    left: AtomicUsize,
    failed: AtomicBool,
    stop: AtomicBool,
}

/// A fixed number of workers, the caller among them.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<Thread>,
    busy: Mutex<()>,
}

impl Pool {
    /// The pool of `workers` workers; there is one per number, made at the first call.
    pub fn of(workers: usize) -> Arc<Pool> {
        type Pools = Mutex<Vec<(usize, Arc<Pool>)>>;
        static POOLS: OnceLock<Pools> = OnceLock::new();
        let mut pools = POOLS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|p| p.0 == workers) {
            return pool.clone();
        }
        let pool = Arc::new(Pool::start(workers));
        pools.push((workers, pool.clone()));
        pool
    }

    fn start(workers: usize) -> Pool {
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            job: Mutex::new(None),
            left: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let spawn = |w: usize| {
            let shared = shared.clone();
            // A machine that refuses a thread runs with fewer: `threads` counts those that started.
            thread::Builder::new().name(format!("neurona-{w}")).spawn(move || work(&shared, w)).ok().map(|h| h.thread().clone())
        };
        let threads = (1..workers).map_while(spawn).collect();
        Pool { shared, threads, busy: Mutex::new(()) }
    }

    /// Number of workers.
    pub fn workers(&self) -> usize {
        self.threads.len() + 1
    }

    /// Calls `f(w)` for every worker w at the same time, w = 0 on this thread.
    pub fn run(&self, f: &(dyn Fn(usize) + Sync)) {
        let _one = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: only the lifetime is erased; this function waits until no worker uses `f` any more.
        let job = Job(unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync), *const (dyn Fn(usize) + Sync + 'static)>(f) });
        *self.shared.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.shared.left.store(self.threads.len(), Ordering::Relaxed);
        self.shared.round.fetch_add(1, Ordering::Release);
        self.threads.iter().for_each(Thread::unpark);
        f(0);
        let mut turns = 0;
        while self.shared.left.load(Ordering::Acquire) > 0 {
            pause(&mut turns);
        }
        assert!(!self.shared.failed.load(Ordering::Relaxed), "a worker panicked while it ran a compiled program");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.threads.iter().for_each(Thread::unpark);
    }
}

fn work(shared: &Shared, w: usize) {
    let mut seen = 0;
    loop {
        let mut turns = 0;
        while shared.round.load(Ordering::Acquire) == seen {
            if shared.stop.load(Ordering::Acquire) {
                return;
            }
            turns += 1;
            if turns < SPIN { std::hint::spin_loop() } else { thread::park() }
        }
        seen = shared.round.load(Ordering::Acquire);
        let job = *shared.job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = job {
            // SAFETY: `Pool::run` keeps the function alive until `left` reaches 0.
            let f = unsafe { &*job.0 };
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(w))).is_err() {
                shared.failed.store(true, Ordering::Relaxed);
            }
        }
        shared.left.fetch_sub(1, Ordering::Release);
    }
}

/// Waits a little; gives the processor away when it takes long.
fn pause(turns: &mut usize) {
    *turns += 1;
    if *turns < SPIN { std::hint::spin_loop() } else { thread::yield_now() }
}

/// Where the workers of a run wait for each other.
pub struct Barrier {
    workers: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
}

impl Barrier {
    /// A barrier for so many workers.
    pub fn new(workers: usize) -> Barrier {
        Barrier { workers, arrived: AtomicUsize::new(0), round: AtomicUsize::new(0) }
    }

    /// Returns when every worker has called it.
    pub fn wait(&self) {
        if self.workers == 1 {
            return;
        }
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.workers {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.fetch_add(1, Ordering::Release);
            return;
        }
        let mut turns = 0;
        while self.round.load(Ordering::Acquire) == round {
            pause(&mut turns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_workers_meet_at_every_barrier() {
        for workers in [1, 2, 3, 5] {
            let pool = Pool::of(workers);
            let barrier = Barrier::new(pool.workers());
            let sum = AtomicUsize::new(0);
            for run in 1..50 {
                pool.run(&|w| {
                    sum.fetch_add(w + 1, Ordering::Relaxed);
                    barrier.wait();
                    assert_eq!(sum.load(Ordering::Relaxed), run * workers * (workers + 1) / 2);
                    barrier.wait();
                });
            }
        }
    }
}
