//! Conditions: operator, key, values.

use core::cmp::Ordering;
use core::fmt;

use super::request::Context;
use super::value::{Expected, TextCase};

/// How a value of a request is compared with one of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Text(TextCase),
    Like,
    Number(Relation),
    Date(Relation),
    Flag,
    Network,
}

/// Where the request's value has to stand, seen from the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(super) const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// An operator of the language.
#[derive(Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its name in a policy.
    pub name: &'static str,
    pub(super) comparison: Comparison,
    /// Holds exactly where the comparison does not.
    pub(super) negated: bool,
}

const fn plain(name: &'static str, comparison: Comparison) -> Operator {
    Operator { name, comparison, negated: false }
}

const fn negated(name: &'static str, comparison: Comparison) -> Operator {
    Operator { name, comparison, negated: true }
}

impl Operator {
    /// All operators, as the reference lists them.
    pub const ALL: &'static [Self] = &[
        plain("StringEquals", Comparison::Text(TextCase::Exact)),
        negated("StringNotEquals", Comparison::Text(TextCase::Exact)),
        plain("StringEqualsIgnoreCase", Comparison::Text(TextCase::Ignored)),
        negated("StringNotEqualsIgnoreCase", Comparison::Text(TextCase::Ignored)),
        plain("StringLike", Comparison::Like),
        negated("StringNotLike", Comparison::Like),
        plain("NumericEquals", Comparison::Number(Relation::Equal)),
        negated("NumericNotEquals", Comparison::Number(Relation::Equal)),
        plain("NumericLessThan", Comparison::Number(Relation::Less)),
        plain("NumericLessThanEquals", Comparison::Number(Relation::LessOrEqual)),
        plain("NumericGreaterThan", Comparison::Number(Relation::Greater)),
        plain("NumericGreaterThanEquals", Comparison::Number(Relation::GreaterOrEqual)),
        plain("DateEquals", Comparison::Date(Relation::Equal)),
        negated("DateNotEquals", Comparison::Date(Relation::Equal)),
        plain("DateLessThan", Comparison::Date(Relation::Less)),
        plain("DateLessThanEquals", Comparison::Date(Relation::LessOrEqual)),
        plain("DateGreaterThan", Comparison::Date(Relation::Greater)),
        plain("DateGreaterThanEquals", Comparison::Date(Relation::GreaterOrEqual)),
        plain("Bool", Comparison::Flag),
        plain("IpAddress", Comparison::Network),
        negated("NotIpAddress", Comparison::Network),
    ];

    /// The operator called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|it| it.name == name)
    }
}

/// One key under one operator; holds if one of the values fits, or with a negated operator if none does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub(super) operator: &'static Operator,
    pub(super) key: Box<str>,
    pub(super) values: Vec<Expected>,
}

impl Condition {
    /// Whether it holds. A key that the request does not have fits no value.
    pub(super) fn holds(&self, context: &Context<'_>) -> bool {
        let fits = context
            .value(&self.key)
            .is_some_and(|actual| self.values.iter().any(|value| value.fits(actual)));
        fits != self.operator.negated
    }

    /// Its key, such as `acs:SourceIp`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.name, self.key)?;
        for (i, value) in self.values.iter().enumerate() {
            write!(f, "{} {value}", if i == 0 { "" } else { " or" })?;
        }
        Ok(())
    }
}
