//! neurona-studio
