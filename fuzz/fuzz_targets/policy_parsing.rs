//! A text is a policy that decides, or its faults are named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use registration::{AccountId, TextId as _, Timestamp};
use service::ram::{
    Context, Identity, PolicyType, Principal, RamPolicy, Request, ResourceName, evaluate, explain,
};

fuzz_target!(|text: &str| {
    match RamPolicy::parse("fuzz", PolicyType::Account, text) {
        Err(error) => assert!(!error.faults().is_empty()),
        Ok(policy) => {
            let account = AccountId::parse("default").expect("an id");
            let principal =
                Principal { account: &account, identity: Identity::User { name: "ci" } };
            let request = Request {
                action: "cams:GetChatappVerifyCode",
                resource: ResourceName::everything("cams", "ap-southeast-1", "default"),
                context: Context {
                    current_time: Timestamp::from_millis(1_795_320_000_000),
                    secure_transport: true,
                    source_ip: "192.0.2.9".parse().ok(),
                    mfa_present: Some(false),
                    more: &[],
                },
            };
            let policies = [policy];
            let decision = evaluate(&principal, &request, &policies);
            assert_eq!(explain(&principal, &request, &policies).decision, decision);
        }
    }
});
