//! A policy as it is evaluated.

use core::fmt;

use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::request::Request;
use super::resource::ResourcePattern;
use super::wildcard::Pattern;

/// A policy that was read without a fault: at least one statement, every value in the form in which it
/// is compared. [`PolicyDocument::parse`] is the only way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    pub(super) statements: Vec<Statement>,
}

/// Allows or denies what it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Actions,
    pub(super) resources: Vec<ResourcePattern>,
    pub(super) conditions: Vec<Condition>,
}

/// What a statement does with a request that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows it, unless another statement denies it.
    Allow,
    /// Denies it.
    Deny,
}

/// The actions that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// `Action`: these.
    Only(Vec<Pattern>),
    /// `NotAction`: all but these.
    Except(Vec<Pattern>),
}

impl Effect {
    /// The word in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl Actions {
    fn matches(&self, action: &str) -> bool {
        match self {
            Self::Only(patterns) => patterns.iter().any(|it| it.matches(action)),
            Self::Except(patterns) => !patterns.iter().any(|it| it.matches(action)),
        }
    }
}

impl Statement {
    /// What it does with a request that it matches.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The actions that it is about.
    #[must_use]
    pub const fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Whether action, resource and every condition fit.
    pub(super) fn matches(&self, request: &Request<'_>) -> bool {
        self.actions.matches(request.action)
            && self.resources.iter().any(|it| it.matches(&request.resource))
            && self.conditions.iter().all(|it| it.holds(&request.context))
    }

    fn to_json(&self) -> Value {
        let texts = |patterns: &[Pattern]| patterns.iter().map(Pattern::to_string).collect();
        let (name, patterns): (&str, Vec<String>) = match &self.actions {
            Actions::Only(patterns) => ("Action", texts(patterns)),
            Actions::Except(patterns) => ("NotAction", texts(patterns)),
        };
        let resources: Vec<_> = self.resources.iter().map(ToString::to_string).collect();
        let mut statement =
            json!({ "Effect": self.effect.as_str(), name: patterns, "Resource": resources });
        if !self.conditions.is_empty() {
            statement["Condition"] = self.conditions_to_json();
        }
        statement
    }

    fn conditions_to_json(&self) -> Value {
        let mut operators = Map::new();
        for condition in &self.conditions {
            let values: Vec<_> = condition.values.iter().map(ToString::to_string).collect();
            let keys = operators.entry(condition.operator.name).or_insert_with(|| json!({}));
            keys[&*condition.key] = json!(values);
        }
        Value::Object(operators)
    }
}

impl PolicyDocument {
    /// Its statements, in their order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

impl fmt::Display for PolicyDocument {
    /// Compact JSON with every list written out; reads back as the same policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statements: Vec<_> = self.statements.iter().map(Statement::to_json).collect();
        json!({ "Version": "1", "Statement": statements }).fmt(f)
    }
}
