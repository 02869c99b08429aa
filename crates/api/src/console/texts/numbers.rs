//! Words of the pages about numbers and of the wizard that registers one.

super::texts! {
    /// The list of numbers and a number's page.
    Numbers {
        title: "Numbers", "Nummern";
        export: "Export CSV", "CSV-Export";
        search: "Search by number", "Nach Nummer suchen";
        search_hint: "First digits, such as +44 7700", "Erste Ziffern, etwa +44 7700";
        state: "State", "Zustand";
        any_state: "Any state", "Jeder Zustand";
        only_registered: "Registered", "Registriert";
        only_unregistered: "Not registered", "Nicht registriert";
        any_waba: "Any WABA", "Jeder WABA";
        apply: "Filter", "Filtern";
        number: "Number", "Nummer";
        name: "Display name", "Anzeigename";
        holder: "Held by", "Gehalten von";
        nobody: "nobody", "niemand";
        one_shown: "1 number", "1 Nummer";
        shown: "{} numbers", "{} Nummern";
        more_follow: "The first {}; more follow", "Die ersten {}; weitere folgen";
        empty_title: "No numbers yet", "Noch keine Nummern";
        empty: "A number comes here when it is registered, here or through any of the three APIs. In a sandbox any fictitious number will do, such as +44 7700 900123.",
            "Eine Nummer erscheint hier, sobald sie registriert wird, hier oder über eine der drei APIs. Im Sandkasten taugt jede erfundene Nummer, etwa +44 7700 900123.";
        no_match_title: "No number begins like this", "Keine Nummer beginnt so";
        no_match: "Numbers are searched from their country code on. Take out digits at the end or widen the filters.",
            "Nummern werden von der Landesvorwahl an gesucht. Nehmen Sie Ziffern am Ende weg oder weiten Sie die Filter.";
        clear_filters: "Clear filters", "Filter aufheben";
        claims: "Claims", "Ansprüche";
        claims_hint: "Each WhatsApp Business Account that added this number. One of them at most holds the registration.",
            "Jeder WhatsApp Business Account, der diese Nummer hinzugefügt hat. Höchstens einer hält die Registrierung.";
        account: "Account", "Konto";
        claim_id: "Phone-number ID", "Phone-Number-ID";
        added: "Added", "Hinzugefügt";
        verified_until: "May be registered without a new code until", "Ohne neuen Code registrierbar bis";
        code_until: "Code valid until", "Code gültig bis";
        request_code: "Request a code", "Code anfordern";
        enter_code: "Enter the code", "Code eingeben";
        register: "Register", "Registrieren";
        register_as: "Run it on", "Betreiben auf";
        registration: "Registration", "Registrierung";
        not_registered: "Nobody holds this number.", "Niemand hält diese Nummer.";
        move_it: "Move elsewhere", "Umziehen";
        move_hint: "Registering the number for another WABA or client moves it: the old holder is logged off and told.",
            "Registrieren für einen anderen WABA oder Client zieht die Nummer um: der alte Halter wird abgemeldet und erfährt es.";
        deregister: "Deregister", "Abmelden";
        deregister_ask: "The holder stops working with this number at once. To get it back it is registered again, with a code.",
            "Der Halter verliert die Nummer sofort. Um sie zurückzubekommen, wird sie neu registriert, mit einem Code.";
        deregister_yes: "Yes, deregister", "Ja, abmelden";
        locked_title: "This number is locked", "Diese Nummer ist gesperrt";
        locked_since: "A hundred wrong codes in a row locked it.", "Hundert falsche Codes in Folge haben sie gesperrt.";
        unlock: "Unlock", "Sperre aufheben";
        pin_title: "Two-step PIN", "Zwei-Schritt-PIN";
        pin_off: "Off. With a PIN, nobody can register this number elsewhere with a code alone.",
            "Aus. Mit einer PIN kann niemand die Nummer allein mit einem Code woanders registrieren.";
        pin_on: "On, set", "An, gesetzt";
        pin_new: "New PIN, six digits", "Neue PIN, sechs Ziffern";
        pin_again: "Again", "Noch einmal";
        pin_differ: "The two PINs differ.", "Die beiden PINs sind verschieden.";
        pin_set: "Set PIN", "PIN setzen";
        pin_change: "Change PIN", "PIN ändern";
        pin_clear: "Turn off", "Ausschalten";
        pin_clear_ask: "Then a code alone is enough to register this number.",
            "Dann genügt ein Code, um diese Nummer zu registrieren.";
        pin_clear_yes: "Yes, turn off", "Ja, ausschalten";
        pin_link: "Mail a reset link", "Link zum Zurücksetzen mailen";
        pin_link_ask: "To the contact address of the WABA that holds this number. Whoever opens the link and confirms turns the PIN off.",
            "An die Kontaktadresse des WABA, das diese Nummer hält. Wer den Link öffnet und bestätigt, schaltet die PIN aus.";
        pin_link_yes: "Mail it", "Mailen";
        pin_operator: "As operator you need no current PIN.", "Als Betreiber brauchen Sie die alte PIN nicht.";
        pin_needs_registration: "A PIN can be set once the number is registered.",
            "Eine PIN lässt sich setzen, sobald die Nummer registriert ist.";
        cert_title: "Certificate", "Zertifikat";
        cert_hint: "It carries the display name and is sent as cert when an On-Premises client asks for a code.",
            "Es trägt den Anzeigenamen und wird als cert gesendet, wenn ein On-Premises-Client einen Code anfordert.";
        cert_issue: "Issue certificate", "Zertifikat ausstellen";
        cert_made: "A new certificate", "Ein neues Zertifikat";
        cert_serial: "Serial", "Seriennummer";
        cert_until: "Valid until", "Gültig bis";
        budgets: "Budgets", "Budgets";
        budgets_hint: "Shared by everybody who claims the number. A change of API or tenant never yields a fresh one.",
            "Gemeinsam für alle, die die Nummer beanspruchen. Wechsel von API oder Mandant bringt nie ein frisches.";
        budget: "Budget", "Budget";
        left: "Left", "Übrig";
        next: "Next one", "Nächstes";
        b_sms: "Codes by SMS", "Codes per SMS";
        b_voice: "Codes by call", "Codes per Anruf";
        b_guesses: "Wrong codes a day", "Falsche Codes am Tag";
        b_in_a_row: "Wrong codes in a row", "Falsche Codes in Folge";
        b_register: "Register calls", "Registrierungen";
        b_deregister: "Deregister calls", "Abmeldungen";
        b_pin: "Wrong PINs", "Falsche PINs";
        story: "Story", "Geschichte";
        story_hint: "The latest first, from the audit trail.", "Das Neueste zuerst, aus dem Prüfpfad.";
        story_empty: "Nothing has happened yet.", "Noch ist nichts geschehen.";
        sends: "Messages", "Nachrichten";
        sends_empty: "No message was sent to this number.", "An diese Nummer ging keine Nachricht.";
        sent_at: "Ordered", "Beauftragt";
        channel: "Channel", "Weg";
        sender: "Sender", "Sender";
        became: "State", "Zustand";
        attempts: "Attempts", "Anläufe";
        full_trail: "In the audit trail", "Im Prüfpfad";
        done_code_sent: "A code is on its way.", "Ein Code ist unterwegs.";
        done_registered: "The number is registered.", "Die Nummer ist registriert.";
        done_already: "It was registered already; nothing changed.", "Sie war schon registriert; nichts hat sich geändert.";
        done_verified: "The number is verified.", "Die Nummer ist bestätigt.";
        done_deregistered: "The number is deregistered.", "Die Nummer ist abgemeldet.";
        done_unlocked: "The lock is lifted.", "Die Sperre ist aufgehoben.";
        done_pin_set: "The PIN is set.", "Die PIN ist gesetzt.";
        done_pin_cleared: "Two-step verification is off.", "Die Zwei-Schritt-Bestätigung ist aus.";
        done_pin_link: "The link was mailed. It counts once, for 24 hours.", "Der Link ist gemailt. Er gilt einmal, 24 Stunden lang.";
    }

    /// The wizard.
    Register {
        title: "Register a number", "Nummer registrieren";
        step_number: "Number", "Nummer";
        step_code: "Code", "Code";
        step_done: "Done", "Fertig";
        number_hint: "With country code, such as +44 7700 900123", "Mit Landesvorwahl, etwa +44 7700 900123";
        fictitious_hint: "In the sandbox nothing is sent. Fictitious numbers such as +44 7700 900123 belong to nobody.",
            "Im Sandkasten wird nichts gesendet. Erfundene Nummern wie +44 7700 900123 gehören niemandem.";
        try_example: "Use an example", "Beispiel nehmen";
        name: "Display name", "Anzeigename";
        name_hint: "What people see instead of the number.", "Was Leute statt der Nummer sehen.";
        to: "Register it for", "Registrieren für";
        to_client: "On-Premises client {}", "On-Premises-Client {}";
        to_waba: "Cloud API, WABA {}", "Cloud API, WABA {}";
        channel: "How should the code arrive?", "Wie soll der Code ankommen?";
        sms: "By SMS", "Per SMS";
        voice: "By voice call", "Per Anruf";
        locale: "Language of the message", "Sprache der Nachricht";
        pin: "Two-step PIN of the number", "Zwei-Schritt-PIN der Nummer";
        pin_hint: "This number is protected: the PIN is asked before any code is sent.",
            "Diese Nummer ist geschützt: die PIN wird verlangt, bevor ein Code gesendet wird.";
        send: "Send the code", "Code senden";
        takes_both: "Takes SMS and calls.", "Nimmt SMS und Anrufe.";
        takes_voice: "Cannot receive SMS: the code comes by voice call.",
            "Kann keine SMS empfangen: der Code kommt per Anruf.";
        takes_voice_toll_free: "Toll-free: the code comes by voice call. Make sure a person answers it, not a menu.",
            "Gebührenfrei: der Code kommt per Anruf. Sorgen Sie dafür, dass ein Mensch abhebt, kein Menü.";
        takes_none: "Numbers of this kind can receive neither SMS nor calls with a code. Register another number.",
            "Nummern dieser Art können weder SMS noch Anrufe mit Code empfangen. Registrieren Sie eine andere Nummer.";
        registered_elsewhere: "Registered for {} at the moment. Registering it here moves it.",
            "Derzeit registriert für {}. Das Registrieren hier zieht sie um.";
        fault_digits: "A phone number has digits only.", "Eine Telefonnummer besteht nur aus Ziffern.";
        fault_country: "No country has this calling code. Begin with the country code.",
            "Kein Land hat diese Vorwahl. Beginnen Sie mit der Landesvorwahl.";
        fault_short_code: "A short code cannot be registered.", "Eine Kurzwahl lässt sich nicht registrieren.";
        fault_short: "Still too short for its country.", "Noch zu kurz für ihr Land.";
        fault_long: "Too long for its country.", "Zu lang für ihr Land.";
        fault_range: "Its country uses no such range.", "Ihr Land benutzt keinen solchen Bereich.";
        code_title: "Enter the code", "Code eingeben";
        code_sent_sms: "A message with six digits went to", "Eine Nachricht mit sechs Ziffern ging an";
        code_sent_voice: "A call that speaks six digits goes to", "Ein Anruf, der sechs Ziffern spricht, geht an";
        code_label: "Six-digit code", "Sechsstelliger Code";
        code_hint: "Spaces and hyphens do not matter; pasting works.", "Leerzeichen und Bindestriche sind egal; Einfügen geht.";
        code_expires: "Valid until", "Gültig bis";
        guesses: "Guesses left", "Versuche übrig";
        next_guess: "The next guess opens", "Der nächste Versuch öffnet sich";
        confirm: "Confirm and register", "Bestätigen und registrieren";
        no_code_title: "There is no code on its way", "Kein Code ist unterwegs";
        no_code: "It has expired or was used. Ask for a new one.", "Er ist abgelaufen oder wurde benutzt. Fordern Sie einen neuen an.";
        not_arrived: "Nothing arrived?", "Nichts angekommen?";
        again_sms: "Send SMS again", "SMS noch einmal";
        again_voice: "Call instead", "Stattdessen anrufen";
        again_hint: "Inside its life the same code is sent again.", "Während seiner Lebenszeit wird derselbe Code gesendet.";
        opens: "opens", "öffnet";
        phone_got: "Your sandbox phone received", "Ihr Sandkasten-Telefon empfing";
        phone_waits: "The sandbox phone is waiting for the message …", "Das Sandkasten-Telefon wartet auf die Nachricht …";
        use_it: "Use this code", "Diesen Code nehmen";
        change_number: "Another number", "Andere Nummer";
        done_title: "Registered", "Registriert";
        done_lead: "is registered and ready to be used.", "ist registriert und bereit.";
        protect: "Protect it with a PIN", "Mit einer PIN schützen";
        protect_hint: "Recommended: without a PIN, whoever receives a code for this number can move it.",
            "Empfohlen: ohne PIN kann jeder, der einen Code für diese Nummer empfängt, sie umziehen.";
        see_number: "See the number", "Nummer ansehen";
        another: "Register another", "Weitere registrieren";
    }
}
