//! What can go wrong, each with a name that messages and scripts can tell apart.

use crate::Model;
use std::path::PathBuf;

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: what and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file that cannot be written.
    #[error("cannot write {}: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Neither PNG nor JPEG.
    #[error("{} is neither PNG nor JPEG", path.display())]
    NoPicture {
        /// The file.
        path: PathBuf,
    },
    /// A name that says another format than the content.
    #[error("{} is a {is} file under another name", path.display())]
    Mislabelled {
        /// The file.
        path: PathBuf,
        /// What it is: PNG or JPEG.
        is: &'static str,
    },
    /// A picture cut short or otherwise wrong.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The decoder's words.
        why: String,
    },
    /// 16 bits for each channel.
    #[error("{} has 16 bits per channel", path.display())]
    SixteenBits {
        /// The file.
        path: PathBuf,
    },
    /// More than one frame.
    #[error("{} is animated", path.display())]
    Animated {
        /// The file.
        path: PathBuf,
    },
    /// Colours for printing.
    #[error("{} is a CMYK picture", path.display())]
    Cmyk {
        /// The file.
        path: PathBuf,
    },
    /// EXIF data ask viewers to turn the picture.
    #[error("{} is turned by its EXIF data (orientation {orientation})", path.display())]
    Turned {
        /// The file.
        path: PathBuf,
        /// 2 to 8.
        orientation: u8,
    },
    /// More pixels than are decoded.
    #[error("{} has {width}×{height} pixels", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// No room for even an empty message.
    #[error("a picture of {width}×{height} pixels holds no message")]
    TooSmall {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
    },
    /// A message that is longer than the picture holds.
    #[error("the message takes {needed} bytes, the picture holds {room}")]
    TooLong {
        /// Bytes of the message as it would be written.
        needed: usize,
        /// Bytes that the picture holds.
        room: usize,
    },
    /// Bits that do not arrive however strongly they are written.
    #[error("the message could not be read back from the picture")]
    NotReadable,
    /// A picture without message.
    #[error("there is no message")]
    NoMessage,
    /// A message of another model.
    #[error("the message was hidden with the model {0}")]
    OtherModel(Model),
    /// A message that needs a password.
    #[error("the message is locked by a password")]
    Locked,
    /// Another password.
    #[error("the password is wrong")]
    WrongPassword,
    /// A message that is there, but with more wrong bytes than can be restored.
    #[error("the message is damaged beyond repair")]
    Spoilt,
    /// A message of a later version of the program.
    #[error("the message has the unknown format {0}")]
    Version(u8),
    /// An output that would not keep the message.
    #[error("{} would lose the message", path.display())]
    Lossy {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] neurona::Error),
}
