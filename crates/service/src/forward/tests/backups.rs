//! Backups that stand for a code, and the PIN that goes with them.

use super::*;
use crate::backup::GivenBackup;

/// As the retired original makes them: nobody here can open it.
fn of_the_original() -> Vec<u8> {
    [b"WABIZ\x02\x00\x05".as_slice(), &[7; 64]].concat()
}

impl Stage {
    /// `register` of a Cloud API caller.
    async fn register(
        &self,
        pin: &str,
        backup: Option<(&str, &str)>,
    ) -> Result<Accepted, ServiceError> {
        let order = RegisterOrder {
            platform: Platform::CloudApi,
            pin: PinInput::Given(parsed(pin)),
            set_pin: Some(parsed(pin)),
        };
        let (service, waba) = (&self.service, &self.client.waba);
        let account = AccountId::parse("default");
        let caller = Caller { account, ..self.caller.clone() };
        let done = match backup {
            Some((data, password)) => {
                let given = GivenBackup { password, data };
                service.register_with_backup(&caller, waba, self.number, &order, given).await
            }
            None => service.register(&caller, waba, self.number, &order).await,
        };
        done.map(|done| done.accepted)
    }

    async fn claim(&self) {
        let name = self.order(None).claim.expect("a name");
        let (service, waba) = (&self.service, &self.client.waba);
        service.add_number(&self.caller, waba, self.number, &name).await.expect("added");
        self.calls();
    }

    async fn own_backup(&self) -> String {
        let sealed = self.service.backup(&self.caller, &self.client, "Backup-1!").await;
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            sealed.expect("it holds a number"),
        )
    }
}

#[tokio::test]
async fn one_of_another_installation_goes_upstream_as_it_came_and_is_not_kept() {
    let stage = Stage::new().await;
    stage.claim().await;
    let data = "V0FCSVoCAAUHBwcHBwcHBwcHBwcHBwcH";
    let done = stage.register("024680", Some((data, "Backup-1!"))).await;
    assert!(matches!(done, Ok(Accepted::Registered(_))), "{done:?}");
    assert_eq!(stage.calls(), ["register"]);
    assert_eq!(stage.upstream.state().backup.as_deref(), Some("Backup-1!"));
    let record = stage.record().await;
    assert_eq!(record.registration.expect("held").platform, Platform::CloudApi);
    let left = stage.service.foreign_backup(&stage.client.id).await.expect("store");
    assert!(left.is_none(), "nothing is kept");
}

#[tokio::test]
async fn one_that_the_rules_refuse_is_not_sent() {
    let stage = Stage::new().await;
    stage.claim().await;
    let backup = Some(("V0FCSVoCAAUHBwcHBwcHBwcHBwcHBwcH", "Backup-1!"));
    let opens_at = stage.service.now() + Duration::from_hours(50);
    stage.upstream.trouble("register", Trouble::Refuse(Refusal::RegisterLimit { opens_at }));
    for calls in [vec!["register"], vec![]] {
        let refused = refusal(stage.register("024680", backup).await);
        assert_eq!(refused, Refusal::RegisterLimit { opens_at });
        assert_eq!(stage.calls(), calls);
    }
    // The same for one that a client keeps.
    let (service, caller) = (&stage.service, &stage.caller);
    service
        .import_backup(caller, &stage.client, "Backup-1!", of_the_original())
        .await
        .expect("kept");
    assert_eq!(refusal(stage.request(None).await), Refusal::RegisterLimit { opens_at });
    assert_eq!(stage.calls(), [""; 0]);
}

#[tokio::test]
async fn one_that_cannot_be_opened_anywhere_is_refused_here() {
    let stage = Stage::new().await;
    stage.claim().await;
    for data in ["AAAA", "no base64!"] {
        let refused = refusal(stage.register("024680", Some((data, "Backup-1!"))).await);
        assert_eq!(refused, Refusal::BackupUnreadable);
    }
    assert_eq!(stage.calls(), [""; 0]);
}

/// It would go with every order to come, and no code would ever be sent.
#[tokio::test]
async fn one_that_is_refused_upstream_is_dropped_unless_only_the_pin_was_wrong() {
    for (told, is_kept) in [
        (Refusal::BackupUnreadable, false),
        (Refusal::Upstream(Box::default()), false),
        (Refusal::PinMismatch { tries_left: 0 }, true),
        (Refusal::PinLocked { opens_at: Timestamp::default() }, true),
    ] {
        let stage = Stage::new().await;
        let (service, caller) = (&stage.service, &stage.caller);
        let sealed = of_the_original();
        service.import_backup(caller, &stage.client, "Backup-1!", sealed).await.expect("kept");
        stage.upstream.trouble("register", Trouble::Refuse(told.clone()));
        refusal(stage.request(Some("024680")).await);
        let left = service.foreign_backup(&stage.client.id).await.expect("store");
        assert_eq!(left.is_some(), is_kept, "{told:?}");
        if !is_kept {
            assert!(matches!(stage.request(None).await, Ok(Accepted::CodeSent(_))), "{told:?}");
        }
    }
}

/// The caller cannot know the PIN that was drawn for the On-Premises program, and need not.
#[tokio::test]
async fn our_own_moves_the_number_to_the_cloud_under_the_callers_pin() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.verify(RIGHT).await.expect("registered");
    let backup = stage.own_backup().await;
    stage.calls();
    let done = stage.register("024680", Some((&backup, "Backup-1!"))).await;
    assert!(matches!(done, Ok(Accepted::Registered(_))), "{done:?}");
    assert_eq!(stage.calls(), ["set_two_step", "register"]);
    assert!(stage.upstream.state().backup.is_none(), "it says nothing there");
    assert_eq!(stage.upstream.state().pin.as_deref(), Some("024680"));
    let record = stage.record().await;
    assert_eq!(record.registration.as_ref().expect("held").platform, Platform::CloudApi);
    assert!(record.two_step.is_some());
    // Once used, it is void: the number runs elsewhere.
    stage.service.deregister(&stage.caller, None, stage.number).await.expect("given up");
    let again = refusal(stage.register("024680", Some((&backup, "Backup-1!"))).await);
    assert_eq!(again, Refusal::BackupOutdated);
}

#[tokio::test]
async fn a_pin_that_a_caller_chooses_replaces_one_that_was_drawn() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    let answer = CodeAnswer {
        waba: stage.client.waba.clone(),
        number: stage.number,
        code: Some(VerificationCode::parse(RIGHT).expect("six digits")),
        // As a CAMS caller registers: in one call, without a PIN.
        register: Some(RegisterOrder {
            platform: Platform::CloudApi,
            pin: PinInput::Absent,
            set_pin: None,
        }),
    };
    stage.service.verify_code(&stage.caller, &answer).await.expect("registered");
    let drawn = stage.upstream.state().pin.clone();
    stage.calls();
    // A call that fails in the middle leaves a state from which the next one goes on.
    stage.upstream.trouble("register", Trouble::Before);
    assert!(is_unavailable(&stage.register("024680", None).await));
    assert!(matches!(stage.register("024680", None).await, Ok(Accepted::AlreadyRegistered(_))));
    assert_eq!(stage.calls(), ["set_two_step", "register", "register"]);
    assert_ne!(stage.upstream.state().pin, drawn);
    assert_eq!(stage.upstream.state().pin.as_deref(), Some("024680"));
    // From now on it is in force here: another one is refused without a call.
    assert!(matches!(refusal(stage.register("111111", None).await), Refusal::PinMismatch { .. }));
    assert_eq!(stage.calls(), [""; 0]);
}
