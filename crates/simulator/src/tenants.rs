//! Who takes part: two accounts with WABAs and clients, and the numbers they fight over.

use registration::{AccountId, ClientId, CustomerSpaceId, TextId, Timestamp, WabaId};
use service::directory::{Account, Client, Entity, Space, Waba};
use service::numbering::{Planned, plan_e164};

/// Somebody who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Who pays.
    pub account: AccountId,
    /// For which WABA.
    pub waba: WabaId,
    /// The On-Premises client, if the call comes from one.
    pub client: Option<ClientId>,
}

/// All who take part.
#[derive(Debug)]
pub struct Tenants {
    /// Who calls: each WABA through a client and without one.
    pub parties: Vec<Party>,
    /// What they call about.
    pub numbers: Vec<Planned>,
}

/// Fictitious numbers: three mobiles that everybody wants, one that could be either, a landline, and one
/// that can take no code.
const NUMBERS: [&str; 6] = [
    "+447700900001",
    "+447700900002",
    "+447700900003",
    "+15550000001",
    "+33199000001",
    "+449098790001",
];

impl Tenants {
    /// Two accounts, each with two WABAs and three clients; two clients share a WABA.
    #[must_use]
    pub fn new() -> Self {
        let mut parties = Vec::new();
        for account in ["north", "south"] {
            for (waba, client) in
                [("1", None), ("1", Some("a")), ("1", Some("b")), ("2", Some("c"))]
            {
                parties.push(Party {
                    account: id(account),
                    waba: id(&format!("{account}-{waba}")),
                    client: client.map(|client| id(&format!("{account}-{client}"))),
                });
            }
        }
        let numbers = NUMBERS.iter().filter_map(|number| plan_e164(number).ok()).collect();
        Self { parties, numbers }
    }

    /// The parts of the directory, parents first; some come more than once.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        self.parties.iter().flat_map(|party| entities_of(party).into_iter().flatten())
    }

    /// Whose client it is.
    #[must_use]
    pub fn account_of(&self, client: &ClientId) -> Option<&AccountId> {
        let party = self.parties.iter().find(|party| party.client.as_ref() == Some(client));
        party.map(|party| &party.account)
    }
}

impl Default for Tenants {
    fn default() -> Self {
        Self::new()
    }
}

impl Party {
    /// The client as the directory has it.
    #[must_use]
    pub fn client_entity(&self) -> Option<Client> {
        Some(Client {
            id: self.client.clone()?,
            account: self.account.clone(),
            waba: self.waba.clone(),
            host: None,
            retired: false,
            api_key_sha256: None,
            shards: 1,
            restarting_until: Timestamp::default(),
            created_at: Timestamp::default(),
        })
    }
}

fn entities_of(party: &Party) -> [Option<Entity>; 4] {
    let (id_of, created_at) = (&party.account, Timestamp::default());
    let name = String::from("simulated");
    let account = Account { id: id_of.clone(), name: name.clone(), subscribed: true, created_at };
    let space = id::<CustomerSpaceId>(id_of.as_str());
    let waba = Waba {
        id: party.waba.clone(),
        account: id_of.clone(),
        space: space.clone(),
        name: name.clone(),
        contact_email: None,
        created_at,
    };
    let space = Space { id: space, account: id_of.clone(), name, created_at };
    [
        Some(Entity::Account(account)),
        Some(Entity::Space(space)),
        Some(Entity::Waba(waba)),
        party.client_entity().map(Entity::Client),
    ]
}

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).expect("the names above are identifiers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_a_plan() {
        assert_eq!(Tenants::new().numbers.len(), NUMBERS.len());
    }
}
