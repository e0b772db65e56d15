//! Errors of the training layer: what, where, why, and the fix.

use std::path::PathBuf;

/// What went wrong in a model, its data, its training or its files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be used.
    #[error("{what}: {why}; {fix}")]
    Config {
        /// The setting.
        what: String,
        /// What is wrong with it.
        why: String,
        /// What to write instead.
        fix: String,
    },
    /// A model that cannot be traced or compiled: the message names the layer and the shapes.
    #[error(transparent)]
    Model(#[from] cpu::Error),
    /// Data that do not fit the model or themselves.
    #[error("{place}: {why}; {fix}")]
    Data {
        /// Which array, and where in it.
        place: String,
        /// What is wrong with it.
        why: String,
        /// What to do.
        fix: String,
    },
    /// Data files that cannot be read, or not any more.
    #[error(transparent)]
    File(#[from] crate::data::DataError),
    /// A loss or a weight that is no longer a finite number.
    #[error("training diverged in epoch {epoch}, batch {batch}: {what}; {fix}")]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch of the epoch, from 1.
        batch: usize,
        /// Which number.
        what: String,
        /// What to do.
        fix: String,
    },
    /// Weights of a file that do not fit the model: all differences at once.
    #[error("{}: the weights do not fit the model: {}; load them into the model they were trained with", path.display(), differences.join("; "))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// One entry a tensor.
        differences: Vec<String>,
    },
    /// A file that cannot be read or written.
    #[error("cannot {verb} {}: {why}", path.display())]
    Io {
        /// "read" or "write".
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why, and the fix.
        why: String,
    },
}

/// Classes of errors, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The description of the model or of its training.
    Config,
    /// The data.
    Data,
    /// The numbers ran away.
    Diverged,
    /// The file system.
    Io,
}

impl Error {
    /// The class of this error.
    ///
    /// ```
    /// use neurona::{Error, ErrorKind};
    /// let e = Error::Io { verb: "read", path: "w.safetensors".into(), why: "no such file".into() };
    /// assert_eq!(e.kind(), ErrorKind::Io);
    /// assert_eq!(e.to_string(), "cannot read w.safetensors: no such file");
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Config { .. } | Error::Model(_) => ErrorKind::Config,
            Error::Data { .. } | Error::File(_) | Error::Mismatch { .. } => ErrorKind::Data,
            Error::Diverged { .. } => ErrorKind::Diverged,
            Error::Io { .. } => ErrorKind::Io,
        }
    }

    pub(crate) fn config(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Config { what: what.into(), why: why.into(), fix: fix.into() }
    }

    pub(crate) fn data(place: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Data { place: place.into(), why: why.into(), fix: fix.into() }
    }
}

impl From<graph::Error> for Error {
    fn from(e: graph::Error) -> Error {
        Error::Model(e.into())
    }
}

/// What a fallible function of the training layer returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
