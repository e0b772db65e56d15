//! Data sets from files, in memory or larger than it: NumPy arrays, CSV tables, MNIST's IDX files, folders
//! of images, and the `[data]` table that names them.
//!
//! ```no_run
//! use neurona::data::{DataConfig, load};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config: DataConfig = toml::from_str(
//!     r#"
//!     kind = "npy-classes"
//!     folder = "quickdraw/numpy_bitmap"
//!     classes = ["cat", "fish"]
//!     train_rows = 1500
//!     test_rows = 500
//!     shape = [28, 28, 1]
//!     scale = 0.00392156862745098
//!     validation = 0.1
//!     "#,
//! )?;
//! let data = load(&config, "shared/data".as_ref())?;
//! assert_eq!((data.train.len(), data.train.x.row_shape()), (2700, &[28, 28, 1][..]));
//! # Ok(())
//! # }
//! ```

mod array;
mod config;
pub mod csv;
mod dataset;
mod error;
pub mod idx;
mod load;
pub mod npy;
mod numbers;
mod preprocessing;
mod raw;
mod store;
#[cfg(test)]
mod testing;

pub use array::Array;
pub use config::{DataConfig, Source, Task};
pub use dataset::{Dataset, MAX_CLASSES, Targets};
pub use error::DataError;
pub use load::{Loaded, load};
pub use numbers::Numbers;
pub use preprocessing::Preprocessing;
pub use store::{STREAM_BYTES, Stored};

/// What a fallible function of this module returns.
pub type Result<T, E = DataError> = std::result::Result<T, E>;
