//! The one catalogue of words: each text stands in English and German side by side, so that neither can
//! be forgotten. A `{}` is a gap that a page fills.

mod common;
mod explorer;
mod names;
mod numbers;
mod operations;
pub(super) mod refusals;
mod sandbox;
mod signature;
pub(super) mod story;
mod upstream;

pub(super) use common::{Common, Explain, Fields, Kinds, Login, Nav, States};
pub(super) use explorer::Explorer;
pub(super) use names::Names;
pub(super) use numbers::{Numbers, Register};
pub(super) use operations::{Access, Audit, Overview, Settings};
pub(super) use sandbox::Sandbox;
pub(super) use signature::Signature;
pub(super) use upstream::Upstream;

/// Declares a part of the catalogue: a field, English, German.
macro_rules! texts {
    ($($(#[$doc:meta])+ $part:ident { $($key:ident: $english:literal, $german:literal;)+ })+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub(in crate::console) struct $part {
            $(pub(in crate::console) $key: &'static str,)+
        }

        impl $part {
            pub(super) const ENGLISH: Self = Self { $($key: $english,)+ };
            pub(super) const GERMAN: Self = Self { $($key: $german,)+ };
        }
    )+};
}
use texts;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    /// Its tag.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a tag, with or without a region.
    pub(super) fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        [Self::English, Self::German]
            .into_iter()
            .find(|it| primary.eq_ignore_ascii_case(it.as_str()))
    }

    /// The best language for an `Accept-Language` header; English if none fits.
    pub(super) fn accepted(header: &str) -> Self {
        let mut best = (Self::English, 0.0);
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let Some(language) = Self::parse(tag.trim()) else { continue };
            let weight = parameters.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
            let weight: f32 = weight.unwrap_or(1.0);
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The one of two texts that is in it.
    pub(super) const fn choose<'a>(self, english: &'a str, german: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    /// Its words.
    pub(super) const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

macro_rules! catalogue {
    ($($field:ident: $part:ident,)+) => {
        /// All words of one language.
        #[derive(Debug)]
        pub(super) struct Texts {
            $(pub(super) $field: $part,)+
        }

        static ENGLISH: Texts = Texts {
            $($field: $part::ENGLISH,)+
        };

        static GERMAN: Texts = Texts {
            $($field: $part::GERMAN,)+
        };
    };
}

catalogue! {
    common: Common,
    nav: Nav,
    login: Login,
    state: States,
    kinds: Kinds,
    fields: Fields,
    explain: Explain,
    numbers: Numbers,
    names: Names,
    register: Register,
    sandbox: Sandbox,
    signature: Signature,
    explorer: Explorer,
    overview: Overview,
    audit: Audit,
    access: Access,
    settings: Settings,
    upstream: Upstream,
}

impl Texts {
    /// The word for a field of a form; its own name if it has none.
    pub(super) fn field<'a>(&'a self, name: &'a str) -> &'a str {
        let f = &self.fields;
        match name {
            "number" => f.number,
            "name" => f.name,
            "code" => f.code,
            "pin" | "set_pin" => f.pin,
            "waba" => f.waba,
            "client" => f.client,
            "prefix" => f.prefix,
            "locale" => f.locale,
            "method" => f.method,
            "certificate" => f.certificate,
            "id" => f.id,
            "account" => f.account,
            "space" => f.space,
            "display_name" => f.display_name,
            "subscribed" => f.subscribed,
            "created_at" => f.created_at,
            "updated_at" => f.updated_at,
            "host" => f.host,
            "retired" => f.retired,
            "policies" => f.policies,
            "groups" => f.groups,
            "kind" => f.kind,
            "document" => f.document,
            "admin_password" => f.admin_password,
            "user" => f.user,
            "action" => f.action,
            "resource" => f.resource,
            "source_ip" => f.source_ip,
            "role" => f.role,
            "changed_at" => f.changed_at,
            "active" => f.active,
            "temporary" => f.temporary,
            "scopes" => f.scopes,
            "expires_at" => f.expires_at,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_the_browser_likes_best() {
        for (header, language) in [
            ("", Language::English),
            ("de", Language::German),
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("en-GB,en;q=0.9,de;q=0.8", Language::English),
            ("fr,de;q=0.5,en;q=0.3", Language::German),
            ("fr", Language::English),
            ("de;q=0", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
