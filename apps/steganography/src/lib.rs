//! Messages hidden in pictures by trained networks: in photographs that are kept as PNG, and in such that will be saved as JPEG.
//! What is hidden comes back exactly, or hiding refuses.

pub mod attack;
pub mod codec;
pub mod covers;
pub mod deck;
pub mod detect;
mod embed;
mod error;
pub mod eval;
pub mod frame;
pub mod hide;
pub mod lsb;
pub mod message;
pub mod model;
pub mod network;
pub mod picture;
pub mod quality;
pub mod reed_solomon;
mod secret;
pub mod training;

pub use error::{Error, Result};
pub use message::Message;
pub use model::Model;
pub use picture::Picture;
