//! ITU-T G.711: the two companding laws of telephony.

/// The linear 16-bit sample of a µ-law byte.
#[must_use]
pub fn linear_of_mulaw(byte: u8) -> i16 {
    let bits = !byte;
    let exponent = (bits >> 4) & 0x07;
    let magnitude = ((i16::from(bits & 0x0F) << 3) + 132) << exponent;
    let magnitude = magnitude - 132;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// The A-law byte nearest to a µ-law byte.
#[must_use]
pub fn alaw_of_mulaw(byte: u8) -> u8 {
    let linear = linear_of_mulaw(byte);
    let (sign, magnitude) = if linear < 0 { (0x00, -linear - 1) } else { (0x80, linear) };
    // A-law has 13 bits; 32,635 and above share its last step.
    let magnitude = magnitude.clamp(0, 0x7FFF).cast_unsigned();
    let exponent = (16 - (magnitude >> 8).leading_zeros()).min(7);
    let mantissa = if exponent == 0 { magnitude >> 4 } else { magnitude >> (exponent + 3) } & 0x0F;
    // Exponent and mantissa have seven bits together.
    let bits = u8::try_from((exponent << 4) | u32::from(mantissa)).unwrap_or(0x7F);
    (sign | bits) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tables of G.711.
    #[test]
    fn bytes_have_the_values_of_the_standard() {
        let mulaw =
            [(0xFF, 0), (0x7F, 0), (0x80, 32_124), (0x00, -32_124), (0xF0, 120), (0xEF, 132)];
        for (byte, linear) in mulaw {
            assert_eq!(linear_of_mulaw(byte), linear, "{byte:#x}");
        }
        assert_eq!(alaw_of_mulaw(0xFF), 0xD5, "silence");
        assert_eq!(alaw_of_mulaw(0x80), 0xAA, "loudest");
        assert_eq!(alaw_of_mulaw(0x00), 0x2A, "loudest below");
    }

    #[test]
    fn the_change_of_law_keeps_the_sound() {
        for byte in 0..=u8::MAX {
            let before = i32::from(linear_of_mulaw(byte));
            let after = i32::from(linear_of_alaw(alaw_of_mulaw(byte)));
            let allowed = 16 + before.abs() / 16;
            assert!((before - after).abs() <= allowed, "{byte:#x}: {before} became {after}");
        }
    }

    fn linear_of_alaw(byte: u8) -> i16 {
        let bits = byte ^ 0x55;
        let exponent = (bits >> 4) & 0x07;
        let step = i16::from(bits & 0x0F) << 4;
        let magnitude = if exponent == 0 { step + 8 } else { (step + 0x108) << (exponent - 1) };
        if bits & 0x80 == 0 { -magnitude } else { magnitude }
    }
}
