//! Words of the page of display names that wait.

super::texts! {
    /// Display names and verdicts on them.
    Names {
        title: "Display names", "Anzeigenamen";
        lead: "Names that wait for a verdict. A registered number keeps the name it has until then.",
            "Namen, die auf ein Urteil warten. Eine registrierte Nummer behält bis dahin den Namen, den sie hat.";
        empty: "No name waits", "Kein Name wartet";
        empty_how: "Names come here where the setting names.review is on, as it is in production. Elsewhere they are approved at once.",
            "Namen kommen hierher, wo die Einstellung names.review an ist, wie im Betrieb. Sonst werden sie gleich genehmigt.";
        instead_of: "instead of", "statt";
        approve: "Approve", "Genehmigen";
        decline: "Decline", "Ablehnen";
        why: "What is wrong with it?", "Was stimmt nicht?";
        why_hint: "The caller is told. A number is not registered under a declined name.",
            "Der Anrufer erfährt es. Unter einem abgelehnten Namen wird keine Nummer registriert.";
        decline_yes: "Yes, decline", "Ja, ablehnen";
        employee: "It is that of an employee", "Er gehört jemandem, der dort arbeitet";
        unrelated: "Unrelated to the business", "Er hat nichts mit dem Unternehmen zu tun";
        format: "It has a form that names do not have", "Er hat eine Form, die Namen nicht haben";
        individual: "It is that of a person", "Er ist der einer Person";
        inconsistent: "The business is called otherwise elsewhere", "Das Unternehmen heißt anderswo anders";
        unknown: "None of these", "Nichts davon";
        done_approved: "The name of {} is approved.", "Der Name von {} ist genehmigt.";
        done_declined: "The name of {} is declined.", "Der Name von {} ist abgelehnt.";
        another_name: "Another name was asked for meanwhile. It is below, if it waits.",
            "Inzwischen wurde ein anderer Name gewünscht. Er steht unten, falls er wartet.";
        name_waits: "Name waits for a verdict", "Name wartet auf ein Urteil";
        name_declined: "Name declined", "Name abgelehnt";
        waits: "waits for a verdict", "wartet auf ein Urteil";
        declined: "declined", "abgelehnt";
        shall_be: "Shall be called", "Soll heißen";
        approved: "approved; shown after the next registration", "genehmigt; sichtbar nach der nächsten Registrierung";
        some_wait: "Display names wait for a verdict.", "Anzeigenamen warten auf ein Urteil.";
    }
}
