//! neurona-plot
