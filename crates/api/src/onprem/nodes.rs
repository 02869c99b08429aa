//! The nodes of a client with shards, as health and support list them (On-Premises reference §5.1, §5.4).

use service::directory::Client;

/// One node that a cluster reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `host:container`.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// First and last of each range of shards that it owns; -1 is the control shard.
    pub shards: Vec<[i8; 2]>,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Registers, configures, assigns shards; has a link.
    PrimaryMaster,
    /// Stands by, without a link.
    SecondaryMaster,
    /// Has the link of its shard.
    Coreapp,
}

impl Role {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrimaryMaster => "primary_master",
            Self::SecondaryMaster => "secondary_master",
            Self::Coreapp => "coreapp",
        }
    }
}

/// Two masters and a Coreapp per shard; none for a client with one shard, which is a single instance.
#[must_use]
pub fn nodes(client: &Client) -> Vec<Node> {
    if client.shards <= 1 {
        return Vec::new();
    }
    let node = |container: String, role, shards| {
        let name = format!("{}:{container}", client.id);
        Node { name, role, shards }
    };
    let mut nodes = vec![
        node("master-1".to_owned(), Role::PrimaryMaster, vec![[-1, -1]]),
        node("master-2".to_owned(), Role::SecondaryMaster, Vec::new()),
    ];
    // Shard counts end at 32.
    for shard in 0..i8::try_from(client.shards).unwrap_or(i8::MAX) {
        let container = format!("coreapp-{}", i16::from(shard) + 1);
        nodes.push(node(container, Role::Coreapp, vec![[shard, shard]]));
    }
    nodes
}
