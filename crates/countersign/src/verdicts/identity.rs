//! Which delivery it is.

use std::fmt;

/// Which delivery it is: 32 bytes that every attempt at one delivery has in common, and no other delivery has.
///
/// An identity is SHA-256 over a sequence of frames, each the length of a byte string as 64 bits in big-endian order,
/// followed by the string: `countersign identity 1`, the
/// [identity scope](crate::Scheme::identity_scope), then `tenant` and the [tenant](crate::Verified::tenant)'s name if there is one,
/// and then one of
///
/// - `header`, the header's name in lower case, and its value;
/// - `fields`, and for each field its JSON pointer, `string` or `number`, and its value as unescaped UTF-8;
/// - `form`, and the form's sorted fields as the signature covers them;
/// - `body`, and the body.
///
/// So identities of different scopes, tenants or sources never coincide, and an id of any length takes 32 bytes.
///
/// `Display` writes 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity([u8; 32]);

impl Identity {
    /// Reads an identity back, for stores and tests. It proves nothing about where the bytes came from.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one piece: `HexDisplay` writes each byte on its own, which a store that makes keys of this would feel.
        let mut hex = [0; 64];
        f.write_str(base16ct::lower::encode_str(&self.0, &mut hex).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_shows_its_bytes_as_lower_case_hex() {
        let mut bytes = [0; 32];
        bytes[0] = 0xAB;
        bytes[31] = 0x01;
        let identity = Identity::from_bytes(bytes);
        assert_eq!(identity.to_string(), format!("ab{}01", "0".repeat(60)));
        assert_eq!(format!("{identity:?}"), format!("Identity({identity})"));
        assert_eq!(*identity.as_bytes(), bytes);
    }
}
