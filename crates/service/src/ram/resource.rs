//! Resources: `acs:<service>:<region>:<account>:<relative id>`.

use core::fmt;

use super::wildcard::{Case, Pattern};

/// The name of a resource that a request touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceName<'a> {
    /// Service: `cams`.
    pub service: &'a str,
    /// Region: `ap-southeast-1`.
    pub region: &'a str,
    /// Account.
    pub account: &'a str,
    /// What it is within the service; `*` for all of it.
    pub relative_id: &'a str,
}

impl<'a> ResourceName<'a> {
    /// All resources of a service in an account: what every CAMS number operation asks for.
    #[must_use]
    pub const fn everything(service: &'a str, region: &'a str, account: &'a str) -> Self {
        Self { service, region, account, relative_id: "*" }
    }

    /// Reads the five parts; the last may contain colons.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(5, ':');
        if parts.next() != Some("acs") {
            return None;
        }
        let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
        let relative_id = parts.next().filter(|id| !id.is_empty())?;
        Some(Self { service, region, account, relative_id })
    }
}

impl fmt::Display for ResourceName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, relative_id } = self;
        write!(f, "acs:{service}:{region}:{account}:{relative_id}")
    }
}

/// Resources in a policy: all of them, or those whose every part fits. A wildcard never reaches over the
/// colon of the first three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourcePattern {
    /// `*`.
    All,
    /// Service, region, account and relative id.
    Parts(Box<[Pattern; 4]>),
}

impl ResourcePattern {
    /// Reads `*` or a name with wildcards.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let ResourceName { service, region, account, relative_id } = ResourceName::parse(text)?;
        let pattern = |part| Pattern::new(part, Case::Exact);
        Some(Self::Parts(Box::new([service, region, account, relative_id].map(pattern))))
    }

    /// Whether the resource is one of them.
    #[must_use]
    pub fn matches(&self, name: &ResourceName<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Parts(parts) => {
                let names = [name.service, name.region, name.account, name.relative_id];
                parts.iter().zip(names).all(|(pattern, part)| pattern.matches(part))
            }
        }
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Parts(parts) => {
                let [service, region, account, relative_id] = &**parts;
                write!(f, "acs:{service}:{region}:{account}:{relative_id}")
            }
        }
    }
}
