//! Delivery receipts (SMPP 3.4 §2.11, appendix B; TLVs in §5.3.2).

use rusmpp::Pdu;
use rusmpp::tlvs::{Tlv, TlvValue};
use rusmpp::values::MessageState;
use service::ports::ReceiptOutcome;

/// How an SMSC writes the id of one message, where answer and receipt do not write it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageIds {
    /// Both alike.
    #[default]
    Same,
    /// Hexadecimal in the answer, decimal in the receipt.
    HexThenDecimal,
    /// Decimal in the answer, hexadecimal in the receipt.
    DecimalThenHex,
}

impl MessageIds {
    /// The id of an answer as the ledger keeps it: decimal where the two differ.
    pub(super) fn of_answer(self, id: &str) -> String {
        canonical(id, self == Self::HexThenDecimal, self)
    }

    /// The id of a receipt as the ledger keeps it.
    pub(super) fn of_receipt(self, id: &str) -> String {
        canonical(id, self == Self::DecimalThenHex, self)
    }
}

fn canonical(id: &str, hexadecimal: bool, ids: MessageIds) -> String {
    let id = id.trim();
    if ids == MessageIds::Same {
        return id.to_owned();
    }
    let number = if hexadecimal { u128::from_str_radix(id, 16) } else { id.parse() };
    // What is no number after all is left as it is.
    number.map_or_else(|_| id.to_owned(), |number| number.to_string())
}

/// What a receipt says: the message's id as the receipt writes it, and its end. An end that is none yet
/// (on its way, accepted, held) is `None`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) outcome: Option<ReceiptOutcome>,
}

/// Bits of `esm_class` that say what kind of message it is; zero: one that somebody wrote.
const MESSAGE_TYPE: u8 = 0b0011_1100;

/// Longest receipt text that is read.
const TEXT_MAX: usize = 1024;

/// Reads the receipt in a `deliver_sm` or `data_sm`; `None` if it is something else, such as a message
/// that somebody sent to us.
pub(super) fn read(pdu: &Pdu) -> Option<Told> {
    let (class, text, tlvs) = if let Pdu::DeliverSm(it) = pdu {
        (it.esm_class, it.short_message().as_ref(), it.tlvs())
    } else if let Pdu::DataSm(it) = pdu {
        (it.esm_class, &[][..], it.tlvs())
    } else {
        return None;
    };
    if u8::from(class) & MESSAGE_TYPE == 0 {
        return None;
    }
    let (mut id, mut state, mut payload) = (None, None, None);
    for tlv in tlvs.iter().filter_map(Tlv::value) {
        if let TlvValue::ReceiptedMessageId(it) = tlv {
            id = Some(it.as_str().to_owned());
        } else if let TlvValue::MessageState(it) = tlv {
            state = Some(u8::from(*it));
        } else if let TlvValue::MessagePayload(it) = tlv {
            payload = Some(it.value.as_ref());
        }
    }
    let text = if text.is_empty() { payload.unwrap_or_default() } else { text };
    let text = String::from_utf8_lossy(&text[..text.len().min(TEXT_MAX)]);
    let id = id.filter(|id| !id.is_empty()).or_else(|| field(&text, "id").map(str::to_owned))?;
    let error = field(&text, "err").filter(|error| !error.trim_start_matches('0').is_empty());
    let outcome = match state {
        Some(state) => of_state(state.into(), error),
        None => of_word(field(&text, "stat")?, error),
    };
    Some(Told { id, outcome })
}

/// The value of `key:` in the text of a receipt. Vendors differ in case and order, and some leave fields
/// out; the text of the message itself comes last, and nothing in it is looked at.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let end = lower.find("text:").unwrap_or(lower.len());
    let mut from = 0;
    while let Some(found) = lower[from..end].find(key) {
        let start = from + found;
        let after = start + key.len();
        let begins = start == 0 || lower.as_bytes()[start - 1].is_ascii_whitespace();
        if begins && lower.as_bytes().get(after) == Some(&b':') {
            let value = text[after + 1..end].split(|c: char| c.is_ascii_whitespace()).next();
            return value.filter(|value| !value.is_empty());
        }
        from = after;
    }
    None
}

fn of_state(state: MessageState, error: Option<&str>) -> Option<ReceiptOutcome> {
    match state {
        MessageState::Delivered => Some(ReceiptOutcome::Delivered),
        MessageState::Expired => Some(failed("expired", error)),
        MessageState::Deleted => Some(failed("deleted at the SMSC", error)),
        MessageState::Undeliverable => Some(failed("undeliverable", error)),
        MessageState::Rejected => Some(failed("rejected", error)),
        MessageState::Skipped => Some(failed("skipped", error)),
        MessageState::Unknown => Some(failed("in no state that the SMSC knows", error)),
        MessageState::Scheduled
        | MessageState::Enroute
        | MessageState::Accepted
        | MessageState::Other(_) => None,
    }
}

fn of_word(word: &str, error: Option<&str>) -> Option<ReceiptOutcome> {
    // Seven letters by the standard; some SMSCs write the whole word.
    let state = match word.to_ascii_uppercase().get(..5)? {
        "DELIV" => MessageState::Delivered,
        "EXPIR" => MessageState::Expired,
        "DELET" => MessageState::Deleted,
        "UNDEL" => MessageState::Undeliverable,
        "REJEC" => MessageState::Rejected,
        "SKIPP" => MessageState::Skipped,
        "UNKNO" => MessageState::Unknown,
        _ => return None,
    };
    of_state(state, error)
}

fn failed(what: &str, error: Option<&str>) -> ReceiptOutcome {
    let reason = match error {
        Some(error) => {
            format!("{what}, network error {}", error.chars().take(12).collect::<String>())
        }
        None => what.to_owned(),
    };
    ReceiptOutcome::Failed { reason }
}

#[cfg(test)]
mod tests {
    use rusmpp::pdus::DeliverSm;
    use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Value;
    use rusmpp::types::{COctetString, OctetString};
    use rusmpp::values::EsmClass;

    use super::*;

    fn receipt(text: &str, tlvs: Vec<Value>) -> Option<Told> {
        let text = OctetString::from_slice(text.as_bytes()).expect("short");
        let class = EsmClass::from(0b100);
        let pdu = DeliverSm::builder().esm_class(class).short_message(text).tlvs(tlvs).build();
        read(&pdu.into())
    }

    fn failure(reason: &str) -> ReceiptOutcome {
        ReceiptOutcome::Failed { reason: reason.to_owned() }
    }

    #[test]
    fn the_text_of_a_receipt_is_read_as_vendors_write_it() {
        let delivered = Some(ReceiptOutcome::Delivered);
        for (text, id, outcome) in [
            (
                "id:0123456789 sub:001 dlvrd:001 submit date:2611271200 done date:2611271201 \
                 stat:DELIVRD err:000 Text:Your code id:7 stat:UNDELIV",
                "0123456789",
                delivered.clone(),
            ),
            ("ID:a-1 STAT:delivrd", "a-1", delivered.clone()),
            ("stat:DELIVERED err:0 id:x", "x", delivered),
            (
                "id:1 stat:UNDELIV err:045 text:",
                "1",
                Some(failure("undeliverable, network error 045")),
            ),
            ("id:1 stat:EXPIRED", "1", Some(failure("expired"))),
            ("id:1 stat:REJECTD err:000", "1", Some(failure("rejected"))),
            ("id:1 stat:ENROUTE", "1", None),
            ("id:1 stat:ACCEPTD", "1", None),
            ("id:1 stat:???????", "1", None),
        ] {
            let told = receipt(text, Vec::new()).expect(text);
            assert_eq!((told.id.as_str(), &told.outcome), (id, &outcome), "{text}");
        }
        for text in ["", "hello", "id: stat:DELIVRD", "stat:DELIVRD", "id:1", "paid:1 stat:DELIVRD"]
        {
            assert_eq!(receipt(text, Vec::new()), None, "{text}");
        }
    }

    #[test]
    fn parameters_come_before_text() {
        let id = COctetString::from_string("tlv".to_owned()).expect("short");
        let tlvs =
            vec![Value::ReceiptedMessageId(id), Value::MessageState(MessageState::Undeliverable)];
        let told = receipt("id:text stat:DELIVRD err:011", tlvs).expect("a receipt");
        assert_eq!(told.id, "tlv");
        assert_eq!(told.outcome, Some(failure("undeliverable, network error 011")));
    }

    #[test]
    fn a_message_that_somebody_wrote_is_no_receipt() {
        let text = OctetString::from_slice(b"id:1 stat:DELIVRD").expect("short");
        let class = EsmClass::from(0);
        let pdu = DeliverSm::builder().esm_class(class).short_message(text).build();
        assert_eq!(read(&pdu.into()), None);
    }

    #[test]
    fn ids_that_answer_and_receipt_write_differently_become_one() {
        use MessageIds::{DecimalThenHex, HexThenDecimal, Same};
        for (ids, answer, receipt, kept) in [
            (Same, "0A1b", "0A1b", "0A1b"),
            (HexThenDecimal, "00A1B2", "41394", "41394"),
            (HexThenDecimal, "a1b2", "0000041394", "41394"),
            (DecimalThenHex, "41394", "A1B2", "41394"),
            (HexThenDecimal, "no-number", "no-number", "no-number"),
        ] {
            assert_eq!(ids.of_answer(answer), kept);
            assert_eq!(ids.of_receipt(receipt), kept);
        }
    }
}
