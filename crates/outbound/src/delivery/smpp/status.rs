//! What the answer of an SMSC means for a send (SMPP 3.4 §5.1.3).

/// What to do about a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Taken.
    Taken,
    /// Too fast, or its queue is full: leave it alone for a while.
    Throttled,
    /// This session is no use any more: bind again.
    Unbound,
    /// Its trouble, not ours: later, or another sender.
    Trouble,
    /// This message will never be taken.
    Refused,
}

/// Status of success.
pub(super) const OK: u32 = 0;
/// Answer to a request that is not understood.
pub(super) const INVALID_COMMAND: u32 = 0x03;
/// Answer to a PDU whose body makes no sense.
pub(super) const INVALID_TLV_STREAM: u32 = 0xc0;

/// Status, name, meaning. What is not here is [`Meaning::Trouble`]: other codes are the vendor's own, and
/// another try, or another sender, is the safe reading.
const TABLE: [(u32, &str, Meaning); 39] = [
    (OK, "ESME_ROK", Meaning::Taken),
    (0x01, "ESME_RINVMSGLEN", Meaning::Refused),
    (0x02, "ESME_RINVCMDLEN", Meaning::Refused),
    (INVALID_COMMAND, "ESME_RINVCMDID", Meaning::Refused),
    (0x04, "ESME_RINVBNDSTS", Meaning::Unbound),
    (0x05, "ESME_RALYBND", Meaning::Trouble),
    (0x06, "ESME_RINVPRTFLG", Meaning::Refused),
    (0x07, "ESME_RINVREGDLVFLG", Meaning::Refused),
    (0x08, "ESME_RSYSERR", Meaning::Trouble),
    (0x0a, "ESME_RINVSRCADR", Meaning::Refused),
    (0x0b, "ESME_RINVDSTADR", Meaning::Refused),
    (0x0d, "ESME_RBINDFAIL", Meaning::Trouble),
    (0x0e, "ESME_RINVPASWD", Meaning::Trouble),
    (0x0f, "ESME_RINVSYSID", Meaning::Trouble),
    (0x14, "ESME_RMSGQFUL", Meaning::Throttled),
    (0x15, "ESME_RINVSERTYP", Meaning::Refused),
    (0x43, "ESME_RINVESMCLASS", Meaning::Refused),
    (0x45, "ESME_RSUBMITFAIL", Meaning::Trouble),
    (0x48, "ESME_RINVSRCTON", Meaning::Refused),
    (0x49, "ESME_RINVSRCNPI", Meaning::Refused),
    (0x50, "ESME_RINVDSTTON", Meaning::Refused),
    (0x51, "ESME_RINVDSTNPI", Meaning::Refused),
    (0x53, "ESME_RINVSYSTYP", Meaning::Trouble),
    (0x58, "ESME_RTHROTTLED", Meaning::Throttled),
    (0x61, "ESME_RINVSCHED", Meaning::Refused),
    (0x62, "ESME_RINVEXPIRY", Meaning::Refused),
    (0x64, "ESME_RX_T_APPN", Meaning::Trouble),
    (0x65, "ESME_RX_P_APPN", Meaning::Refused),
    (0x66, "ESME_RX_R_APPN", Meaning::Refused),
    (INVALID_TLV_STREAM, "ESME_RINVOPTPARSTREAM", Meaning::Refused),
    (0xc1, "ESME_ROPTPARNOTALLWD", Meaning::Refused),
    (0xc2, "ESME_RINVPARLEN", Meaning::Refused),
    (0xc4, "ESME_RINVOPTPARAMVAL", Meaning::Refused),
    (0xfe, "ESME_RDELIVERYFAILURE", Meaning::Refused),
    (0xff, "ESME_RUNKNOWNERR", Meaning::Trouble),
    (0x100, "ESME_RSERTYPUNAUTH", Meaning::Refused),
    (0x101, "ESME_RPROHIBITED", Meaning::Refused),
    (0x103, "ESME_RSERTYPDENIED", Meaning::Refused),
    (0x104, "ESME_RINVDCS", Meaning::Refused),
];

/// What `status` means.
pub(super) fn meaning(status: u32) -> Meaning {
    row(status).map_or(Meaning::Trouble, |(.., meaning)| *meaning)
}

/// `status` for the operator: its name in the standard if it has one, and its number.
pub(super) fn words(status: u32) -> String {
    match row(status) {
        Some((_, name, _)) => format!("{name} (0x{status:02x})"),
        None => format!("status 0x{status:08x}, the vendor's own"),
    }
}

fn row(status: u32) -> Option<&'static (u32, &'static str, Meaning)> {
    TABLE.iter().find(|(known, ..)| *known == status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_obeyed_tried_again_or_final() {
        for (status, means) in [
            (0x00, Meaning::Taken),
            (0x58, Meaning::Throttled),
            (0x14, Meaning::Throttled),
            (0x04, Meaning::Unbound),
            (0x08, Meaning::Trouble),
            (0x45, Meaning::Trouble),
            (0x0400, Meaning::Trouble),
            (0x0b, Meaning::Refused),
            (0x104, Meaning::Refused),
        ] {
            assert_eq!(meaning(status), means, "{status:#x}");
        }
        assert_eq!(words(0x58), "ESME_RTHROTTLED (0x58)");
        assert_eq!(words(0x403), "status 0x00000403, the vendor's own");
    }

    #[test]
    fn each_status_stands_once_in_rising_order() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
    }
}
