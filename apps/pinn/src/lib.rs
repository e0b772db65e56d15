//! neurona-pinn
