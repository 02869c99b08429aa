//! `[texts.NAME]`: the operator's own messages.

use service::message_text::OwnTexts;

use super::reader::Reader;

/// Adds the text of `[texts.NAME]` to `texts`.
pub(super) fn read(reader: &mut Reader<'_>, texts: &mut OwnTexts) {
    let language = reader.required::<String>("language");
    let sms = reader.required::<String>("sms");
    let (Some(language), Some(sms)) = (language, sms) else { return };
    if let Err(fault) = texts.add(&language, &sms) {
        let key = match fault {
            service::message_text::TextFault::NoLanguage => "language",
            service::message_text::TextFault::NoCode
            | service::message_text::TextFault::TooLong(_)
            | service::message_text::TextFault::Control => "sms",
        };
        reader.complain(key, fault.to_string());
    }
}
