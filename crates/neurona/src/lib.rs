//! neurona
