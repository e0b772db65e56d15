//! neurona-cpu
