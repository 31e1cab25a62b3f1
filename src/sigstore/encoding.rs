//! Base64 and hexadecimal in bundles: one value, one spelling.

use base64ct::{Base64, Base64Unpadded, Encoding as _};

/// Standard base64, padded and canonical, with nothing around it: what Go writes.
pub(super) fn base64_strict(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    // Belt and braces: whatever the decoder tolerates, the text must be what encoding gives.
    (Base64::encode_string(&bytes) == text).then_some(bytes)
}

/// A `bytes` field of ProtoJSON: standard or URL-safe alphabet, padded or not, canonical.
pub(super) fn base64_proto(text: &str) -> Option<Vec<u8>> {
    let url_safe = text.contains(['-', '_']);
    if url_safe && text.contains(['+', '/']) {
        return None;
    }
    let standard =
        if url_safe { text.replace('-', "+").replace('_', "/") } else { text.to_owned() };
    if standard.contains('=') {
        return base64_strict(&standard);
    }
    let bytes = Base64Unpadded::decode_vec(&standard).ok()?;
    (Base64Unpadded::encode_string(&bytes) == standard).then_some(bytes)
}

/// Standard base64 of bytes, as bundles write it.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Lower-case hexadecimal digits of exactly `length` bytes.
pub(super) fn hex_strict(text: &str, length: usize) -> Option<Vec<u8>> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a' - 10),
        _ => None,
    };
    if text.len() != length.checked_mul(2)? {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_base64_has_one_spelling() {
        assert_eq!(base64_strict("YWI="), Some(b"ab".to_vec()));
        for text in ["YWI", "YWJ=", "YWI=\n", " YWI=", "YWI==", "YW-_", "YWI=YWI="] {
            assert_eq!(base64_strict(text), None, "{text:?}");
        }
    }

    #[test]
    fn proto_base64_takes_both_alphabets_but_no_loose_bits() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(base64_proto(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["+_8=", "+/9=", "+/9", "+/8\n", "+/8=="] {
            assert_eq!(base64_proto(text), None, "{text:?}");
        }
        assert_eq!(base64_proto(""), Some(Vec::new()));
    }

    #[test]
    fn hex_is_lower_case_and_exact() {
        assert_eq!(hex_strict("00ff", 2), Some(vec![0, 255]));
        for text in ["00FF", "00f", "00ff00", "00fg"] {
            assert_eq!(hex_strict(text, 2), None, "{text}");
        }
    }
}
