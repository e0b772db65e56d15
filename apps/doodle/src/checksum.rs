//! CRC-32C, by which Google's storage tells whether a file arrived as it was (RFC 3720, appendix B.4).

use std::io::{self, Read};
use ureq::http::HeaderMap;

/// x^32 + x^28 + x^27 + …, bits reversed (G. Castagnoli and others, 1993).
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let (mut table, mut i) = ([0; 256], 0);
    while i < 256 {
        let (mut value, mut bit) = (i as u32, 0);
        while bit < 8 {
            value = (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg());
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
};

/// The checksum of what follows.
pub(crate) fn crc32c(from: &mut impl Read) -> io::Result<u32> {
    let (mut crc, mut block) = (u32::MAX, vec![0; 1 << 16]);
    loop {
        match from.read(&mut block)? {
            0 => return Ok(!crc),
            n => block[..n].iter().for_each(|&b| crc = crc >> 8 ^ TABLE[usize::from(crc as u8 ^ b)]),
        }
    }
}

/// The checksum in the headers of an answer: `x-goog-hash: crc32c=4waSgw==,md5=…`, in one header or several.
pub(crate) fn told(head: &HeaderMap) -> Option<u32> {
    let parts = head.get_all("x-goog-hash").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    parts.filter_map(|p| p.trim().strip_prefix("crc32c=")).find_map(four_bytes)
}

/// Base64 of four bytes, the first the most significant.
fn four_bytes(text: &str) -> Option<u32> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.strip_suffix("==").filter(|d| d.len() == 6)?;
    let place = |b: u8| DIGITS.iter().position(|&d| d == b).map(|p| p as u64);
    let bits = digits.bytes().try_fold(0, |bits, b| Some(bits << 6 | place(b)?))?;
    u32::try_from(bits >> 4).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the algorithm, and two of RFC 3720.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc32c(&mut &b"123456789"[..]).unwrap(), 0xe306_9283);
        assert_eq!(crc32c(&mut &[0; 32][..]).unwrap(), 0x8a91_36aa);
        assert_eq!(crc32c(&mut &[0xff; 32][..]).unwrap(), 0x62a8_ab43);
    }

    #[test]
    fn headers_tell_a_checksum_or_none() {
        let head = |value: &'static str| HeaderMap::from_iter([("x-goog-hash".parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(told(&head("crc32c=4waSgw==,md5=AAAA")), Some(0xe306_9283));
        assert_eq!(told(&head("md5=4waSgw==, crc32c=4waSgw==")), Some(0xe306_9283));
        for none in ["crc32c=", "crc32c=4waSgw", "crc32c=4waSgwAA", "crc32c=4wa!gw==", "md5=4waSgw=="] {
            assert_eq!(told(&head(none)), None, "{none}");
        }
    }
}
