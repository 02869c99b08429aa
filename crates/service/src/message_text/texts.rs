//! The texts. To add a language, add a row; the tests check it.

/// What is said in one language. `{code}` stands for the code.
pub(super) struct Texts {
    /// BCP 47 tag: a language, with its script where two are in use.
    pub(super) language: &'static str,
    pub(super) sms: &'static str,
    /// Holds the code twice.
    pub(super) voice: &'static str,
}

/// English first, the language of last resort.
pub(super) const TEXTS: &[Texts] = &[
    Texts {
        language: "en",
        sms: "WhatsApp code {code}: it registers this number for a business. \
              Do not share it with anyone.",
        voice: "Your WhatsApp code is: {code}. Once more: {code}. Do not share it with anyone.",
    },
    Texts {
        language: "de",
        sms: "WhatsApp-Code {code}: Er registriert diese Nummer für ein Unternehmen. \
              Geben Sie ihn nicht weiter.",
        voice: "Ihr WhatsApp-Code lautet: {code}. Noch einmal: {code}. \
                Geben Sie ihn nicht weiter.",
    },
    Texts {
        language: "es",
        sms: "Código de WhatsApp: {code}. Registra este número. No lo compartas.",
        voice: "Tu código de WhatsApp es: {code}. Repito: {code}. No lo compartas con nadie.",
    },
    Texts {
        language: "pt",
        sms: "Código do WhatsApp: {code}. Registra este número. Não compartilhe.",
        voice: "Seu código do WhatsApp é: {code}. Repetindo: {code}. \
                Não compartilhe com ninguém.",
    },
    Texts {
        language: "fr",
        sms: "Code WhatsApp {code} : il enregistre ce numéro pour une entreprise. \
              Ne le communiquez à personne.",
        voice: "Votre code WhatsApp est : {code}. Je répète : {code}. \
                Ne le communiquez à personne.",
    },
    Texts {
        language: "it",
        sms: "Codice WhatsApp {code}: registra questo numero per un'azienda. \
              Non condividerlo con nessuno.",
        voice: "Il tuo codice WhatsApp è: {code}. Ripeto: {code}. \
                Non condividerlo con nessuno.",
    },
    Texts {
        language: "nl",
        sms: "WhatsApp-code {code}: hiermee wordt dit nummer voor een bedrijf geregistreerd. \
              Deel de code met niemand.",
        voice: "Uw WhatsApp-code is: {code}. Nogmaals: {code}. Deel de code met niemand.",
    },
    Texts {
        language: "pl",
        sms: "Kod WhatsApp: {code}. Rejestruje ten numer. Nie podawaj go nikomu.",
        voice: "Twój kod WhatsApp to: {code}. Powtarzam: {code}. Nie podawaj go nikomu.",
    },
    Texts {
        language: "tr",
        sms: "WhatsApp kodu: {code}. Bu numarayı kaydeder. Kimseyle paylaşmayın.",
        voice: "WhatsApp kodunuz: {code}. Tekrar ediyorum: {code}. Kimseyle paylaşmayın.",
    },
    Texts {
        language: "ru",
        sms: "Код WhatsApp: {code}. Для регистрации номера. Никому не сообщайте.",
        voice: "Ваш код WhatsApp: {code}. Повторяю: {code}. Никому не сообщайте его.",
    },
    Texts {
        language: "hi",
        sms: "WhatsApp कोड: {code}. इससे यह नंबर रजिस्टर होगा। किसी को न बताएँ।",
        voice: "आपका WhatsApp कोड है: {code}. फिर से: {code}. इसे किसी को न बताएँ।",
    },
    Texts {
        language: "ar",
        // U+200E keeps the groups in order: after Arabic letters `123-830` would be drawn `830-123`
        // (Unicode Bidirectional Algorithm, rules W2 and W4).
        sms: "رمز واتساب: \u{200e}{code}. لتسجيل هذا الرقم. لا تشاركه مع أحد.",
        voice: "رمز واتساب الخاص بك هو: {code}. مرة أخرى: {code}. لا تشاركه مع أحد.",
    },
    Texts {
        language: "id",
        sms: "Kode WhatsApp {code}: untuk mendaftarkan nomor ini bagi sebuah bisnis. \
              Jangan bagikan kepada siapa pun.",
        voice: "Kode WhatsApp Anda adalah: {code}. Sekali lagi: {code}. \
                Jangan bagikan kepada siapa pun.",
    },
    Texts {
        language: "zh",
        sms: "WhatsApp 验证码：{code}。用于为企业注册此号码，请勿告诉任何人。",
        voice: "您的 WhatsApp 验证码是：{code}。重复一遍：{code}。请勿告诉任何人。",
    },
    Texts {
        language: "zh-Hant",
        sms: "WhatsApp 驗證碼：{code}。用於為企業註冊此號碼，請勿告訴任何人。",
        voice: "您的 WhatsApp 驗證碼是：{code}。重複一遍：{code}。請勿告訴任何人。",
    },
    Texts {
        language: "ja",
        sms: "WhatsAppコード：{code}。企業用にこの番号を登録します。誰にも教えないでください。",
        voice: "WhatsAppコードは、{code}。もう一度、{code}。誰にも教えないでください。",
    },
];
