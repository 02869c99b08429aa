//! The clips, compiled in. To add a language, add its folder and a line here.

/// What one language can say, each in G.711 µ-law at 8 kHz.
pub(super) struct Voice {
    /// BCP 47 language.
    pub(super) language: &'static str,
    pub(super) opening: &'static [u8],
    pub(super) digits: [&'static [u8]; 10],
    pub(super) again: &'static [u8],
    pub(super) closing: &'static [u8],
}

macro_rules! clip {
    ($language:literal, $name:literal) => {
        include_bytes!(concat!("../../assets/speech/", $language, "/", $name, ".ulaw"))
    };
}

macro_rules! voices {
    ($($language:literal)*) => {
        &[$(Voice {
            language: $language,
            opening: clip!($language, "opening"),
            digits: [
                clip!($language, "0"),
                clip!($language, "1"),
                clip!($language, "2"),
                clip!($language, "3"),
                clip!($language, "4"),
                clip!($language, "5"),
                clip!($language, "6"),
                clip!($language, "7"),
                clip!($language, "8"),
                clip!($language, "9"),
            ],
            again: clip!($language, "again"),
            closing: clip!($language, "closing"),
        }),*]
    };
}

/// English first, the language of last resort.
#[rustfmt::skip]
pub(super) const VOICES: &[Voice] =
    voices!["en" "de" "es" "pt" "fr" "it" "nl" "pl" "tr" "ru" "hi" "ar" "id" "zh" "ja"];
