//! The sender that calls, against a trunk under the test's control. Trunks and telephones from other hands:
//! `tests/voice`.

use std::sync::Arc;

use async_trait::async_trait;
use outbound::delivery::contract::{Counterpart, Mood, check};
use outbound::delivery::voice::{VoiceDelivery, VoiceOptions, VoicePorts};
use registration::{CodeMethod, PhoneNumber};
use service::ports::CodeDelivery;
use service::testing::SeededEntropy;

use crate::common::{Ledger, clock};
use crate::telephone::Trunk;

const NAME: &str = "calls";

struct Stage {
    trunk: Trunk,
    sender: Arc<VoiceDelivery>,
}

impl Stage {
    async fn start() -> Self {
        let trunk = Trunk::start().await;
        let options = VoiceOptions {
            name: NAME.to_owned(),
            port: Some(trunk.address.port()),
            ..VoiceOptions::new("127.0.0.1", "441632960000")
        };
        let ports = VoicePorts {
            receipts: Arc::new(Ledger::default()),
            clock: clock(),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        Self { trunk, sender: Arc::new(VoiceDelivery::new(options, ports).unwrap()) }
    }
}

#[async_trait]
impl Counterpart for Stage {
    fn name(&self) -> &str {
        NAME
    }

    fn method(&self) -> CodeMethod {
        CodeMethod::Voice
    }

    fn delivery(&self) -> Arc<dyn CodeDelivery> {
        Arc::clone(&self.sender) as Arc<dyn CodeDelivery>
    }

    async fn arrived(&self) -> Vec<(PhoneNumber, String)> {
        self.trunk.heard().await
    }

    async fn turn(&self, mood: Mood) -> bool {
        self.trunk.turn(mood);
        true
    }
}

#[tokio::test]
async fn calls_keep_the_contract() {
    check(&Stage::start().await).await;
}
