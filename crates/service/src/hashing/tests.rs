use super::*;
use crate::keys::MasterKeys;
use crate::testing::SeededEntropy;

struct Fixture {
    keys: MasterKeys,
    ring: KeyRing,
    hasher: Hasher,
}

fn fixture(cost: HashCost) -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(1));
    let keys = MasterKeys::generate(&*entropy);
    let ring = KeyRing::new(&keys);
    let hasher = Hasher::new(ring.clone(), entropy, cost, 2, Hasher::QUEUE_DEFAULT);
    Fixture { keys, ring, hasher }
}

fn pin(digits: &str) -> TwoStepPin {
    TwoStepPin::parse(digits).expect("six digits")
}

#[tokio::test]
async fn a_pin_matches_its_verifier_and_no_other_pin_does() {
    let Fixture { hasher, .. } = fixture(HashCost::CHEAPEST);
    let verifier = hasher.hash_pin(&pin("012345")).await.expect("idle");
    assert_eq!(hasher.check_pin(&pin("012345"), &verifier).await, Ok(true));
    for other in ["012346", "112345", "123450", "000000"] {
        assert_eq!(hasher.check_pin(&pin(other), &verifier).await, Ok(false), "{other}");
    }
    let again = hasher.hash_pin(&pin("012345")).await.expect("idle");
    assert_ne!(again, verifier, "salted");
    assert!(!verifier.as_str().contains("012345"));
}

#[tokio::test]
async fn a_verifier_outlives_a_rotation_and_ends_with_its_epoch() {
    let Fixture { keys, ring, hasher } = fixture(HashCost::CHEAPEST);
    let old = hasher.hash_pin(&pin("012345")).await.expect("idle");
    ring.replace(&keys.rotated(&SeededEntropy::new(2)));
    assert_eq!(hasher.check_pin(&pin("012345"), &old).await, Ok(true));
    assert_eq!(hasher.check_pin(&pin("012346"), &old).await, Ok(false));
    let new = hasher.hash_pin(&pin("012345")).await.expect("idle");
    let key_id = |it: &PinVerifier| it.as_str().contains("keyid=AAAAAg$");
    assert_eq!((key_id(&old), key_id(&new)), (false, true));

    let text = keys.to_text();
    let secret = text.split_whitespace().last().expect("one key");
    let only_epoch_2 = MasterKeys::parse(&format!("2 {secret}")).expect("valid");
    ring.replace(&only_epoch_2);
    assert_eq!(
        hasher.check_pin(&pin("012345"), &old).await,
        Err(HashError::UnknownEpoch(1)),
        "the same secret under another epoch is another key"
    );
}

#[tokio::test]
async fn a_verifier_tells_nothing_without_the_pepper() {
    let verifier = fixture(HashCost::CHEAPEST).hasher.hash_pin(&pin("012345")).await.expect("idle");
    let stranger = fixture(HashCost::CHEAPEST);
    stranger.ring.replace(&MasterKeys::generate(&SeededEntropy::new(9)));
    assert_eq!(stranger.hasher.check_pin(&pin("012345"), &verifier).await, Ok(false));
}

#[tokio::test]
async fn a_password_matches_its_hash_alone() {
    let Fixture { hasher, .. } = fixture(HashCost::CHEAPEST);
    let phc = hasher.hash_password("Correct-Horse1!").await.expect("idle");
    assert_eq!(hasher.check_password("Correct-Horse1!", &phc).await, Ok(true));
    for other in ["correct-Horse1!", "Correct-Horse1! ", ""] {
        assert_eq!(hasher.check_password(other, &phc).await, Ok(false), "{other}");
    }
    assert_ne!(hasher.hash_password("Correct-Horse1!").await, Ok(phc), "salted");
}

#[tokio::test]
async fn an_unreadable_hash_is_an_error_and_no_mismatch() {
    let Fixture { hasher, .. } = fixture(HashCost::CHEAPEST);
    let verifier = hasher.hash_pin(&pin("012345")).await.expect("idle");
    let phc = hasher.hash_password("pw").await.expect("idle");
    for text in ["", "plain", &phc[..phc.len() - 1], verifier.as_str()] {
        assert_eq!(hasher.check_password("pw", text).await, Err(HashError::Corrupt), "{text}");
    }
    for text in ["", "012345", phc.as_str()] {
        let verifier = PinVerifier::new(text);
        let checked = hasher.check_pin(&pin("012345"), &verifier).await;
        assert_eq!(checked, Err(HashError::Corrupt), "{text}");
    }
    let absurd = PinVerifier::new(&verifier.as_str().replacen("m=8,", "m=4000000,", 1));
    assert_eq!(hasher.check_pin(&pin("012345"), &absurd).await, Err(HashError::Corrupt));
}

#[tokio::test]
async fn the_login_cost_is_what_the_text_says() {
    let Fixture { hasher, .. } = fixture(HashCost::default());
    let phc = hasher.hash_password("pw").await.expect("idle");
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert_eq!(hasher.check_password("pw", &phc).await, Ok(true));
    assert_eq!(hasher.burn("pw").await, Ok(()));
}

#[tokio::test]
async fn backups_are_sealed_and_opened_on_the_pool() {
    let Fixture { hasher, .. } = fixture(HashCost::CHEAPEST);
    let blob = hasher.seal_backup("correct horse", b"settings").await.expect("idle");
    let opened = hasher.open_backup("correct horse", blob).await.expect("own backup");
    assert_eq!(**opened, *b"settings");
    let nonsense = hasher.open_backup("correct horse", b"nonsense".to_vec()).await;
    assert_eq!(nonsense.expect_err("no backup"), BackupError::NotABackup);
}

#[tokio::test]
async fn a_full_pool_turns_its_kind_of_work_away_and_no_other() {
    let phc = format!("$argon2id$v=19$m=8,t=1,p=1${}${}", "A".repeat(22), "A".repeat(43));
    let verifier = PinVerifier::new(&phc.replacen("p=1", "p=1,keyid=AAAAAQ", 1));
    for full in ["pins", "passwords", "backups"] {
        let Fixture { hasher, .. } = fixture(HashCost::CHEAPEST);
        let [pins, passwords, backups] = core::array::from_fn(|_| Pool::new(1, 0));
        let hasher = Hasher { pins, passwords, backups, ..hasher };
        let pool = match full {
            "pins" => hasher.pins.clone(),
            "passwords" => hasher.passwords.clone(),
            _ => hasher.backups.clone(),
        };
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let occupant = tokio::spawn(async move {
            let work = move || {
                let _ = started.send(());
                let _ = released.recv();
            };
            pool.run(work).await
        });
        has_started.await.expect("the occupant runs");

        let busy = Some(HashError::Busy);
        let of = |kind| if kind == full { busy } else { None };
        assert_eq!(hasher.hash_pin(&pin("012345")).await.err(), of("pins"), "{full}");
        assert_eq!(hasher.check_pin(&pin("012345"), &verifier).await.err(), of("pins"), "{full}");
        assert_eq!(hasher.hash_password("pw").await.err(), of("passwords"), "{full}");
        assert_eq!(hasher.check_password("pw", &phc).await.err(), of("passwords"), "{full}");
        assert_eq!(hasher.burn("pw").await.err(), of("passwords"), "{full}");
        let of_backups = of("backups").map(BackupError::Hash);
        assert_eq!(hasher.seal_backup("pw", b"x").await.err(), of_backups, "{full}");
        let nonsense = hasher.open_backup("pw", b"x".to_vec()).await.err();
        assert_eq!(nonsense, of_backups.or(Some(BackupError::NotABackup)), "{full}");

        drop(release);
        assert_eq!(occupant.await.expect("no panic"), Ok(()));
    }
}
