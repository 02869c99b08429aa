//! The decision: a Deny over an Allow, an Allow over nothing.

use core::fmt;
use std::sync::Arc;

use super::condition::Condition;
use super::document::{Actions, Effect, PolicyDocument, Statement};
use super::parse::PolicyError;
use super::request::{Identity, Principal, Request};
use super::resource::ResourcePattern;
use super::wildcard::Pattern;

/// In which role a policy takes part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// Bounds what anybody but the owner may do in the account.
    Control,
    /// Bounds what one temporary key may do.
    Session,
    /// Gives a user, group or role its permissions, in the whole account.
    Account,
    /// The same within one resource group.
    ResourceGroup,
}

impl PolicyType {
    /// The word on the wire. `AssumeRolePolicy` is missing: it decides who may take a role on, which is
    /// asked elsewhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "ControlPolicy",
            Self::Session => "SessionPolicy",
            Self::Account => "AccountLevelIdentityBasedPolicy",
            Self::ResourceGroup => "ResourceGroupLevelIdentityBasedPolicy",
        }
    }
}

/// A policy that takes part in a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamPolicy {
    /// Its name.
    pub name: Arc<str>,
    /// In which role.
    pub policy_type: PolicyType,
    /// What it says.
    pub document: Arc<PolicyDocument>,
}

impl RamPolicy {
    /// Reads a policy, to take part as a policy of this type.
    pub fn parse(name: &str, policy_type: PolicyType, text: &str) -> Result<Self, PolicyError> {
        let document = Arc::new(PolicyDocument::parse(text)?);
        Ok(Self { name: name.into(), policy_type, document })
    }
}

/// Names a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementRef<'p> {
    /// The policy.
    pub policy: &'p str,
    /// Its place in the policy, from 0.
    pub index: usize,
}

/// What the policies say about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// Yes.
    Allowed(Permit<'p>),
    /// No.
    Denied(Denial<'p>),
}

/// Why a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit<'p> {
    /// The account itself asks.
    Owner,
    /// An identity policy allows it, nothing denies it, and the bounds are kept.
    Statement(StatementRef<'p>, PolicyType),
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial<'p> {
    /// Policies of this type say no.
    pub policy_type: PolicyType,
    /// The Deny that matches; without one nothing of the type allows the request.
    pub by: Option<StatementRef<'p>>,
}

/// How a denial came about (CAMS reference §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPermissionType {
    /// A Deny matches.
    Explicit,
    /// No Allow matches.
    Implicit,
}

impl NoPermissionType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explicit => "ExplicitDeny",
            Self::Implicit => "ImplicitDeny",
        }
    }
}

impl Denial<'_> {
    /// How it came about.
    #[must_use]
    pub const fn no_permission_type(&self) -> NoPermissionType {
        if self.by.is_some() { NoPermissionType::Explicit } else { NoPermissionType::Implicit }
    }
}

impl<'p> Decision<'p> {
    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The statement that decided; none if the owner asks or nothing allows.
    #[must_use]
    pub const fn deciding(&self) -> Option<StatementRef<'p>> {
        match self {
            Self::Allowed(Permit::Owner) => None,
            Self::Allowed(Permit::Statement(statement, _)) => Some(*statement),
            Self::Denied(denial) => denial.by,
        }
    }

    /// The type of the policies that decided; none if the owner asks.
    #[must_use]
    pub const fn policy_type(&self) -> Option<PolicyType> {
        match self {
            Self::Allowed(Permit::Owner) => None,
            Self::Allowed(Permit::Statement(_, policy_type)) => Some(*policy_type),
            Self::Denied(denial) => Some(denial.policy_type),
        }
    }
}

/// Decides a request. Reads each statement at most once and allocates nothing unless a condition asks for
/// the text of a time or an address.
#[must_use]
pub fn evaluate<'p>(
    principal: &Principal<'_>,
    request: &Request<'_>,
    policies: &'p [RamPolicy],
) -> Decision<'p> {
    let is_owner = principal.identity == Identity::Owner;
    for bound in [PolicyType::Control, PolicyType::Session] {
        let skipped = is_owner && bound == PolicyType::Control
            || policies.iter().all(|it| it.policy_type != bound);
        if !skipped && let Err(denial) = weigh(request, policies, &[bound]) {
            return Decision::Denied(denial);
        }
    }
    if is_owner {
        return Decision::Allowed(Permit::Owner);
    }
    match weigh(request, policies, &[PolicyType::Account, PolicyType::ResourceGroup]) {
        Ok(permit) => Decision::Allowed(permit),
        Err(denial) => Decision::Denied(denial),
    }
}

/// What policies of these types say together: the first Deny that matches, else the first Allow.
fn weigh<'p>(
    request: &Request<'_>,
    policies: &'p [RamPolicy],
    types: &[PolicyType],
) -> Result<Permit<'p>, Denial<'p>> {
    let mut permit = None;
    for &policy_type in types {
        for policy in policies.iter().filter(|it| it.policy_type == policy_type) {
            for (index, statement) in policy.document.statements().iter().enumerate() {
                // A second Allow adds nothing to the first.
                let idle = statement.effect() == Effect::Allow && permit.is_some();
                if idle || !statement.matches(request) {
                    continue;
                }
                let found = StatementRef { policy: &policy.name, index };
                match statement.effect() {
                    Effect::Deny => return Err(Denial { policy_type, by: Some(found) }),
                    Effect::Allow => permit = Some(Permit::Statement(found, policy_type)),
                }
            }
        }
    }
    permit.ok_or(Denial { policy_type: types[0], by: None })
}

/// A decision, and what each statement had to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// What [`evaluate`] says.
    pub decision: Decision<'p>,
    /// Every statement of every policy, in their order.
    pub statements: Vec<Considered<'p>>,
}

/// A statement and what it had to do with a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered<'p> {
    /// Which statement.
    pub statement: StatementRef<'p>,
    /// In which role its policy takes part.
    pub policy_type: PolicyType,
    /// What it would do.
    pub effect: Effect,
    /// Whether it decides, matches or does not.
    pub finding: Finding<'p>,
}

/// What a statement has to do with a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding<'p> {
    /// It decides.
    Decides,
    /// It matches, but another decides: a Deny, an Allow before it, or a step before its own.
    Matches,
    /// It does not match, for all these reasons.
    Differs(Vec<Mismatch<'p>>),
}

/// One way in which a statement does not match. Its text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch<'p> {
    /// The action is none of these.
    Action(&'p [Pattern]),
    /// The action is excepted by this one.
    Excepted(&'p Pattern),
    /// The resource is none of these.
    Resource(&'p [ResourcePattern]),
    /// A condition does not hold.
    Condition {
        /// The condition.
        condition: &'p Condition,
        /// The request's value; `None` if it has none.
        actual: Option<String>,
    },
}

/// Decides a request and says of each statement why it decides or not.
#[must_use]
pub fn explain<'p>(
    principal: &Principal<'_>,
    request: &Request<'_>,
    policies: &'p [RamPolicy],
) -> Explanation<'p> {
    let decision = evaluate(principal, request, policies);
    let deciding = decision.deciding().zip(decision.policy_type());
    let mut statements = Vec::new();
    for policy in policies {
        for (index, statement) in policy.document.statements().iter().enumerate() {
            let name = StatementRef { policy: &policy.name, index };
            let mismatches = mismatches(statement, request);
            let finding = if !mismatches.is_empty() {
                Finding::Differs(mismatches)
            } else if deciding == Some((name, policy.policy_type)) {
                Finding::Decides
            } else {
                Finding::Matches
            };
            let policy_type = policy.policy_type;
            let effect = statement.effect();
            statements.push(Considered { statement: name, policy_type, effect, finding });
        }
    }
    Explanation { decision, statements }
}

fn mismatches<'p>(statement: &'p Statement, request: &Request<'_>) -> Vec<Mismatch<'p>> {
    let mut found = Vec::new();
    match &statement.actions {
        Actions::Only(patterns) if !patterns.iter().any(|it| it.matches(request.action)) => {
            found.push(Mismatch::Action(patterns));
        }
        Actions::Except(patterns) => {
            let by = patterns.iter().find(|it| it.matches(request.action));
            found.extend(by.map(Mismatch::Excepted));
        }
        Actions::Only(_) => {}
    }
    if !statement.resources.iter().any(|it| it.matches(&request.resource)) {
        found.push(Mismatch::Resource(&statement.resources));
    }
    let failing = statement.conditions.iter().filter(|it| !it.holds(&request.context));
    found.extend(failing.map(|condition| {
        let actual = request.context.value(condition.key()).map(|it| it.to_string());
        Mismatch::Condition { condition, actual }
    }));
    found
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(patterns) => write!(f, "the action is not {}", listed(patterns)),
            Self::Excepted(pattern) => write!(f, "NotAction {pattern} excepts the action"),
            Self::Resource(patterns) => write!(f, "the resource is not {}", listed(patterns)),
            Self::Condition { condition, actual: Some(actual) } => {
                write!(f, "{condition} does not hold: it is {actual}")
            }
            Self::Condition { condition, actual: None } => {
                write!(f, "{condition} does not hold: the request has no {}", condition.key())
            }
        }
    }
}

fn listed(patterns: &[impl fmt::Display]) -> String {
    let texts: Vec<_> = patterns.iter().map(ToString::to_string).collect();
    texts.join(" or ")
}
