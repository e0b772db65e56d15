//! neurona-lessons
