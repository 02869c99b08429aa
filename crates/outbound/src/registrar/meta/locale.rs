//! Languages of code messages, in the words of the Graph API (§9.2).

use registration::Locale;

/// Languages that are known alone or with a country; the list of message templates.
const KNOWN: &str = "af ar ar_AE ar_EG ar_LB ar_MA ar_QA ar_SA az be_BY bg bn bn_IN ca cs da de de_AT de_CH \
    el en en_AE en_AU en_CA en_GB en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_US en_ZA es \
    es_AR es_CL es_CO es_CR es_DO es_EC es_ES es_HN es_MX es_PA es_PE es_UY es_VE et fa fi fil fr fr_BE \
    fr_CA fr_CH fr_CI fr_MA ga gu ha he hi hr hu id it ja ka kk kn ko ky_KG lo lt lv mk ml mr ms nb nl \
    nl_BE pa pl prs_AF ps_AF pt_BR pt_PT ro ru rw_RW si_LK sk sl sq sr sv sw ta te th tr uk ur uz vi \
    zh_CN zh_HK zh_TW zu";

/// The language to ask a code message in: with a country where one is usual, as the published description
/// wants it; English where the language is not known there, which is what it would fall back to.
pub(super) fn language(locale: &Locale) -> String {
    let text = locale.as_str().replace('-', "_");
    let mut parts = text.split('_');
    let language = parts.next().unwrap_or_default().to_ascii_lowercase();
    let country = parts.next_back().map(str::to_ascii_uppercase).filter(|it| it.len() == 2);
    let usual = match language.as_str() {
        "en" => Some("US"),
        "es" => Some("ES"),
        "pt" => Some("BR"),
        "zh" => Some("CN"),
        _ => None,
    };
    let with = |country: &str| format!("{language}_{country}");
    let candidates = [country.as_deref().map(with), usual.map(with), Some(language.clone())];
    let is_known = |text: &String| KNOWN.split_whitespace().any(|known| known == text);
    candidates.into_iter().flatten().find(is_known).unwrap_or_else(|| "en_US".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_take_the_form_that_is_known_there() {
        for (given, sent) in [
            ("en", "en_US"),
            ("en_GB", "en_GB"),
            ("en-GB", "en_GB"),
            ("pt_BR", "pt_BR"),
            ("pt", "pt_BR"),
            ("de", "de"),
            ("de_DE", "de"),
            ("zh_Hans_CN", "zh_CN"),
            ("xx", "en_US"),
        ] {
            assert_eq!(language(&Locale::parse(given).expect("a tag")), sent, "{given}");
        }
    }
}
