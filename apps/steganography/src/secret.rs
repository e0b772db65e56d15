//! Passwords: keys by Argon2id, contents sealed by XChaCha20-Poly1305.

use crate::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// Random bytes that make the keys of each message its own.
pub const SALT: usize = 16;
/// Bytes by which a wrong password is told from a damaged message.
pub const CHECK: usize = 4;
/// Bytes that sealing adds.
pub const TAG: usize = 16;

/// Argon2id as RFC 9106 recommends where memory is scarce: 64 MiB, three passes (here one lane).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// The keys of a message.
pub struct Keys {
    seal: [u8; 32],
    /// Of the permutation and the whitening.
    pub order: [u8; 32],
    /// Tells whether the password is right.
    pub check: [u8; CHECK],
}

impl Keys {
    /// The keys of a password and a message's salt.
    ///
    /// # Errors
    /// None for these parameters.
    pub fn new(password: &[u8], salt: &[u8; SALT]) -> Result<Keys> {
        let engine = |e: argon2::Error| Error::Random(e.to_string());
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(64 + CHECK)).map_err(engine)?;
        let mut bytes = [0; 64 + CHECK];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, salt, &mut bytes).map_err(engine)?;
        let part = |at: usize| std::array::from_fn(|i| bytes[at + i]);
        Ok(Keys { seal: part(0), order: part(32), check: std::array::from_fn(|i| bytes[64 + i]) })
    }

    /// Seals contents; `header` is authenticated with them. The nonce may be constant: the salt makes the key new each time.
    pub fn seal(&self, header: &[u8], contents: &[u8]) -> Result<Vec<u8>> {
        let payload = Payload { msg: contents, aad: header };
        XChaCha20Poly1305::new(&self.seal.into()).encrypt(&XNonce::default(), payload).map_err(|e| Error::Random(e.to_string()))
    }

    /// Opens what was sealed; nothing if a single bit of it or of the header is other.
    pub fn open(&self, header: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: sealed, aad: header };
        XChaCha20Poly1305::new(&self.seal.into()).decrypt(&XNonce::default(), payload).ok()
    }
}

/// A new salt.
///
/// # Errors
/// A system without random numbers.
pub fn salt() -> Result<[u8; SALT]> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|e| Error::Random(e.to_string()))?;
    Ok(salt)
}
