//! The `submit_sm` of a message.

use core::time::Duration;

use rusmpp::Pdu;
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue;
use rusmpp::types::{AnyOctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{EsmClass, MessagePayload, RegisteredDelivery};
use service::message_text::segments;
use service::ports::CodeMessage;

use super::{SmppOptions, address, alphabet};

/// Asks for one receipt when the message has ended, well or badly.
const RECEIPT_AT_THE_END: u8 = 1;

/// Octets that `short_message` holds.
const SHORT_MESSAGE_MAX: usize = 254;

/// The PDU that hands `message` over; an error says why there can be none.
pub(super) fn pdu(message: &CodeMessage, options: &SmppOptions) -> Result<Pdu, &'static str> {
    let originator = message.originator.as_deref().or(options.originator.as_deref());
    let source = address::source(originator)?;
    let destination = address::destination(message.number);
    let (data_coding, octets) = alphabet::encode(&message.text, options.default_alphabet);
    let mut submit = SubmitSm::builder()
        .source_addr_ton(source.ton)
        .source_addr_npi(source.npi)
        .source_addr(source.digits)
        .dest_addr_ton(destination.ton)
        .dest_addr_npi(destination.npi)
        .destination_addr(destination.digits)
        // A message of the default mode and kind; the codec's own default is an acknowledgement.
        .esm_class(EsmClass::from(0))
        .registered_delivery(RegisteredDelivery::from(RECEIPT_AT_THE_END))
        .validity_period(validity(options.validity))
        .data_coding(data_coding)
        .build();
    // What takes several segments is cut by the SMSC, which knows its networks.
    if octets.len() <= SHORT_MESSAGE_MAX && segments(&message.text) == 1 {
        let octets = OctetString::from_vec(octets).map_err(|_| "the text is too long")?;
        submit.set_short_message(octets);
    } else {
        let payload = MessagePayload::new(AnyOctetString::from_vec(octets));
        submit.push_tlv(MessageSubmissionRequestTlvValue::MessagePayload(payload));
    }
    Ok(submit.into())
}

/// A span as SMPP writes it, `000000HHMMSS000R` (§7.1.1.2); none leaves it to the SMSC.
fn validity(span: Duration) -> EmptyOrFullCOctetString<17> {
    let seconds = span.as_secs().min(24 * 3600 - 1);
    if seconds == 0 {
        return EmptyOrFullCOctetString::null();
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("000000{hours:02}{minutes:02}{seconds:02}000R");
    EmptyOrFullCOctetString::from_string(text).expect("sixteen ASCII characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_the_standard_has_it() {
        for (seconds, text) in [
            (0, ""),
            (600, "000000001000000R"),
            (90_061, "000000235959000R"),
            (61, "000000000101000R"),
        ] {
            assert_eq!(validity(Duration::from_secs(seconds)).as_str(), text, "{seconds}");
        }
    }
}
