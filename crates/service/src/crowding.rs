//! How many claims one account may put on a number.
//!
//! A number is one record with all claims on it, and an account can have as many WABAs as it likes. Without a
//! bound it could make the record of somebody else's number so large that every step with it takes long.

use core::time::Duration;

use registration::{AccountId, NumberRecord, Timestamp};

use crate::ports::Spend;
use crate::spending::window;

/// Claims that a number has at ease, whosever: up to here nothing is counted.
const AT_EASE: usize = 16;

/// Claims that one account adds to a number beyond that in a day (UTC; our choice, nobody needs so many).
const PER_ACCOUNT_AND_DAY: u64 = 16;

const DAY: Duration = Duration::from_hours(24);

/// Budgets of this name count claims.
const CLAIMS: &str = "claims/";

/// What the account that asks has to have left for the claim that a decision makes, if it makes one.
pub(crate) fn for_claim(
    account: &AccountId,
    before: &NumberRecord,
    after: &NumberRecord,
    now: Timestamp,
) -> Option<Spend> {
    let is_new = after.claims.len() > before.claims.len();
    (is_new && before.claims.len() >= AT_EASE).then(|| {
        let (day, resets_at) = window(now, DAY);
        let key = format!("{CLAIMS}{account}/{}/{day}", before.number.digits());
        Spend { key, amount: 1, limit: PER_ACCOUNT_AND_DAY, resets_at, enforced: true }
    })
}

/// Whether a budget counts claims.
pub(crate) fn counts_claims(key: &str) -> bool {
    key.starts_with(CLAIMS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use registration::{CustomerSpaceId, PhoneNumber, Refusal, TextId as _, VerifiedName, WabaId};

    use super::*;
    use crate::directory::{Account, Entity, Space, Waba};
    use crate::hashing::{HashCost, Hasher};
    use crate::keys::{KeyRing, MasterKeys};
    use crate::numbers::ClaimName;
    use crate::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal};
    use crate::service::Ports;
    use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
    use crate::{Caller, Policy, Refused, Service, ServiceError};

    struct NoDelivery;

    #[async_trait::async_trait]
    impl CodeDelivery for NoDelivery {
        async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
            panic!("nothing is sent here")
        }
    }

    struct World {
        service: Service,
        clock: Arc<ManualClock>,
    }

    impl World {
        fn new() -> Self {
            let entropy = Arc::new(SeededEntropy::new(1));
            let clock = Arc::new(ManualClock::default());
            let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
            let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
            let ports = Ports {
                store: Arc::new(MemoryStore::new()),
                clock: clock.clone(),
                entropy,
                delivery: Arc::new(NoDelivery),
                rehearsal: Arc::new(NoRehearsal),
            };
            Self { service: Service::new(ports, keys, hasher, Policy::default()), clock }
        }

        /// An account with WABAs called after it.
        async fn with(self, name: &str, wabas: usize) -> Self {
            let created_at = self.service.now();
            let account = || AccountId::parse(name).unwrap();
            let space = || CustomerSpaceId::parse(name).unwrap();
            let named = || name.to_owned();
            let waba = |n| Waba {
                id: waba(name, n),
                account: account(),
                space: space(),
                name: named(),
                contact_email: None,
                created_at,
            };
            let subscribed = true;
            let mut entities = vec![
                Entity::Account(Account { id: account(), name: named(), subscribed, created_at }),
                Entity::Space(Space { id: space(), account: account(), name: named(), created_at }),
            ];
            entities.extend((0..wabas).map(waba).map(Entity::Waba));
            for entity in entities {
                self.service.add_entity(&Caller::operator(), entity).await.unwrap();
            }
            self
        }

        /// How many of these WABAs get a claim, and when the rest may come back.
        async fn claim(
            &self,
            name: &str,
            wabas: core::ops::Range<usize>,
        ) -> (usize, Option<Timestamp>) {
            let account = AccountId::parse(name);
            let caller = Caller { account, dialect: "cams", actor: name.to_owned() };
            let shown = VerifiedName::parse("Lucky Shrub").unwrap();
            let claim = ClaimName { name: shown, certificate_serial: None, is_vouched_for: true };
            let (mut made, mut opens_at) = (0, None);
            for n in wabas {
                match self.service.add_number(&caller, &waba(name, n), number(), &claim).await {
                    Ok(_) => made += 1,
                    Err(ServiceError::Refused(Refused {
                        refusal: Refusal::TooManyRequests { opens_at: at },
                        ..
                    })) => opens_at = Some(at),
                    Err(error) => panic!("{error}"),
                }
            }
            (made, opens_at)
        }
    }

    fn waba(account: &str, n: usize) -> WabaId {
        WabaId::parse(&format!("{account}-{n}")).unwrap()
    }

    fn number() -> PhoneNumber {
        PhoneNumber::parse("+447700900123").unwrap()
    }

    #[tokio::test]
    async fn one_account_cannot_crowd_the_record_of_a_number() {
        let world = World::new().with("mallory", 60).await.with("owner", 2).await;
        let (made, opens_at) = world.claim("mallory", 0..60).await;
        assert_eq!(made, 32);
        let (_, midnight) = window(world.service.now(), DAY);
        assert_eq!(opens_at, Some(midnight));
        let claims = world.service.number(number()).await.unwrap().unwrap().claims.len();
        assert_eq!(claims, 32);
        // Others are not in its way, nor is it in theirs; what is there already is no new claim.
        assert_eq!(world.claim("owner", 0..2).await, (2, None));
        assert_eq!(world.claim("mallory", 0..32).await, (32, None));
        world.clock.advance(midnight.since(world.service.now()));
        assert_eq!(world.claim("mallory", 32..60).await.0, 16);
    }
}
