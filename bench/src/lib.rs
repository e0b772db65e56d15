//! neurona-bench
