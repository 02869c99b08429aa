//! Reading a policy: all its faults at once, each with its place.

use core::fmt;

use super::condition::{Condition, Operator};
use super::document::{Actions, Effect, PolicyDocument, Statement};
use super::json::{self, Member, Node, Value};
use super::resource::ResourcePattern;
use super::value::Expected;
use super::wildcard::{Case, Pattern};

/// Most characters of a policy: what RAM takes of a custom one.
pub const CHARS_MAX: usize = 6144;

/// Something in a policy that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// The way to it: `$.Statement[0].Condition.IpAddress["acs:SourceIp"]`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, path, problem } = self;
        write!(f, "line {line}, column {column}, {path}: {problem}")
    }
}

/// Why a text is no policy: at least one fault, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    faults: Vec<Fault>,
}

impl PolicyError {
    /// Everything that is wrong; after a break of JSON itself, only that.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl core::error::Error for PolicyError {}

impl PolicyDocument {
    /// Reads a policy of at most [`CHARS_MAX`] characters.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut parser = Parser { text, faults: Vec::new() };
        match parser.document() {
            Some(document) if parser.faults.is_empty() => Ok(document),
            Some(_) | None => {
                let mut faults = parser.faults;
                faults.sort_by_key(|it| (it.line, it.column));
                Err(PolicyError { faults })
            }
        }
    }
}

/// Collects faults. Each step answers `None` after it has added at least one.
struct Parser<'a> {
    text: &'a str,
    faults: Vec<Fault>,
}

impl Parser<'_> {
    fn document(&mut self) -> Option<PolicyDocument> {
        const PATH: &str = "$";
        if let Some((at, _)) = self.text.char_indices().nth(CHARS_MAX) {
            return self.fault(at, PATH, format!("a policy has at most {CHARS_MAX} characters"));
        }
        let node = match json::read(self.text) {
            Ok(node) => node,
            Err(fault) => return self.fault(fault.at, PATH, fault.problem),
        };
        let members = self.members(&node, PATH, &["Version", "Statement"])?;
        let version = self.required(&node, members, PATH, "Version");
        version.and_then(|it| self.word(it, "$.Version", "Version is the text \"1\"", &["1"]));
        let statements = self.required(&node, members, PATH, "Statement")?;
        let statements = self.list(statements, "$.Statement", "statements")?;
        let statements: Vec<_> = statements
            .iter()
            .enumerate()
            .filter_map(|(i, it)| self.statement(it, &format!("$.Statement[{i}]")))
            .collect();
        Some(PolicyDocument { statements })
    }

    fn statement(&mut self, node: &Node, path: &str) -> Option<Statement> {
        let names = ["Effect", "Action", "NotAction", "Resource", "Condition"];
        let members = self.members(node, path, &names)?;
        let effect = self.effect(node, members, path);
        let actions = self.actions(node, members, path);
        let resources = self
            .required(node, members, path, "Resource")
            .and_then(|it| self.texts(it, &format!("{path}.Resource"), "resources", resource));
        let conditions = match find(members, "Condition") {
            Some(it) => self.conditions(&it.value, &format!("{path}.Condition")),
            None => Some(Vec::new()),
        };
        Some(Statement {
            effect: effect?,
            actions: actions?,
            resources: resources?,
            conditions: conditions?,
        })
    }

    fn effect(&mut self, node: &Node, members: &[Member], path: &str) -> Option<Effect> {
        let value = self.required(node, members, path, "Effect")?;
        let path = format!("{path}.Effect");
        let found = self.word(value, &path, "Effect is Allow or Deny", &["Allow", "Deny"])?;
        Some(if found == 0 { Effect::Allow } else { Effect::Deny })
    }

    fn actions(&mut self, node: &Node, members: &[Member], path: &str) -> Option<Actions> {
        let (only, except) = (find(members, "Action"), find(members, "NotAction"));
        let problem = "has exactly one of Action and NotAction";
        match (only, except) {
            (Some(it), None) => {
                let path = format!("{path}.Action");
                self.texts(&it.value, &path, "actions", action).map(Actions::Only)
            }
            (None, Some(it)) => {
                let path = format!("{path}.NotAction");
                self.texts(&it.value, &path, "actions", action).map(Actions::Except)
            }
            (Some(_), Some(second)) => self.fault(second.at, path, problem),
            (None, None) => self.fault(node.at, path, problem),
        }
    }

    fn conditions(&mut self, node: &Node, path: &str) -> Option<Vec<Condition>> {
        let mut conditions = Vec::new();
        for operator in self.named(node, path, "operators")? {
            let path = step(path, &operator.name);
            let Some(known) = Operator::parse(&operator.name) else {
                let names: Vec<_> = Operator::ALL.iter().map(|it| it.name).collect();
                let problem = format!("no operator; there are {}", names.join(", "));
                self.fault::<()>(operator.at, &path, problem);
                continue;
            };
            for key in self.named(&operator.value, &path, "keys").unwrap_or_default() {
                conditions.extend(self.condition(known, key, &step(&path, &key.name)));
            }
        }
        Some(conditions)
    }

    fn condition(
        &mut self,
        operator: &'static Operator,
        key: &Member,
        path: &str,
    ) -> Option<Condition> {
        if !is_key(&key.name) {
            return self.fault(key.at, path, "a key has the form acs:SourceIp: service and name");
        }
        let single = core::slice::from_ref(&key.value);
        let values = match &key.value.value {
            Value::List(_) => self.list(&key.value, path, "values")?,
            Value::Null | Value::Flag(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                single
            }
        };
        let read: Vec<_> =
            values.iter().filter_map(|value| self.expected(operator, value, path)).collect();
        Some(Condition { operator, key: key.name.as_str().into(), values: read })
    }

    fn expected(&mut self, operator: &Operator, node: &Node, path: &str) -> Option<Expected> {
        let text = match &node.value {
            Value::Text(text) | Value::Number(text) => text.as_str(),
            Value::Flag(true) => "true",
            Value::Flag(false) => "false",
            Value::Null | Value::List(_) | Value::Map(_) => {
                return self.fault(node.at, path, "a value is a text, a number, true or false");
            }
        };
        match Expected::parse(operator.comparison, text) {
            Ok(value) => Some(value),
            Err(form) => self.fault(node.at, path, format!("{} takes {form}", operator.name)),
        }
    }

    /// The members of an object in which only these names make sense.
    fn members<'n>(&mut self, node: &'n Node, path: &str, names: &[&str]) -> Option<&'n [Member]> {
        let Value::Map(members) = &node.value else {
            return self.fault(node.at, path, format!("is an object with {}", names.join(", ")));
        };
        for member in members {
            if !names.contains(&member.name.as_str()) {
                let problem = format!("unknown; there are {}", names.join(", "));
                self.fault::<()>(member.at, &step(path, &member.name), problem);
            }
        }
        self.once_each(members, path);
        Some(members)
    }

    /// The members of an object whose names are the writer's choice; at least one.
    fn named<'n>(&mut self, node: &'n Node, path: &str, what: &str) -> Option<&'n [Member]> {
        let Value::Map(members) = &node.value else {
            return self.fault(node.at, path, format!("is an object of {what}"));
        };
        if members.is_empty() {
            return self.fault(node.at, path, format!("has no {what}: leave it out"));
        }
        self.once_each(members, path);
        Some(members)
    }

    /// Readers of JSON disagree about which of two equal names counts, so none may stand twice.
    fn once_each(&mut self, members: &[Member], path: &str) {
        for (i, member) in members.iter().enumerate() {
            if members[..i].iter().any(|before| before.name == member.name) {
                self.fault::<()>(member.at, &step(path, &member.name), "stands here twice");
            }
        }
    }

    fn required<'n>(
        &mut self,
        node: &Node,
        members: &'n [Member],
        path: &str,
        name: &str,
    ) -> Option<&'n Node> {
        match find(members, name) {
            Some(member) => Some(&member.value),
            None => self.fault(node.at, path, format!("{name} is missing")),
        }
    }

    /// Which of the `words` stands here.
    fn word(&mut self, node: &Node, path: &str, problem: &str, words: &[&str]) -> Option<usize> {
        let found = match &node.value {
            Value::Text(text) => words.iter().position(|word| word == text),
            Value::Null | Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                None
            }
        };
        if found.is_some() { found } else { self.fault(node.at, path, problem) }
    }

    fn list<'n>(&mut self, node: &'n Node, path: &str, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) if items.is_empty() => {
                self.fault(node.at, path, format!("needs at least one of the {what}"))
            }
            Value::List(items) => Some(items),
            Value::Null | Value::Flag(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                self.fault(node.at, path, format!("is a list of {what}"))
            }
        }
    }

    /// One text or a list of them, each turned into what it stands for.
    fn texts<T>(
        &mut self,
        node: &Node,
        path: &str,
        what: &str,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<Vec<T>> {
        let nodes = match &node.value {
            Value::Text(_) => core::slice::from_ref(node),
            Value::Null | Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                self.list(node, path, what)?
            }
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for (i, item) in nodes.iter().enumerate() {
            let result = match &item.value {
                Value::Text(text) => read(text),
                Value::Null
                | Value::Flag(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_) => Err("is a text"),
            };
            match result {
                Ok(value) => texts.push(value),
                Err(problem) => _ = self.fault::<()>(item.at, &format!("{path}[{i}]"), problem),
            }
        }
        Some(texts)
    }

    fn fault<T>(&mut self, at: usize, path: &str, problem: impl Into<String>) -> Option<T> {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before[line_start..].chars().count() + 1;
        self.faults.push(Fault { line, column, path: path.to_owned(), problem: problem.into() });
        None
    }
}

fn find<'n>(members: &'n [Member], name: &str) -> Option<&'n Member> {
    members.iter().find(|it| it.name == name)
}

/// The path one name further.
fn step(path: &str, name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && !name.is_empty() { format!("{path}.{name}") } else { format!("{path}[{name:?}]") }
}

fn action(text: &str) -> Result<Pattern, &'static str> {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./*?".contains(&byte))
    };
    let sound = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| part(service) && part(name));
    if sound {
        Ok(Pattern::new(text, Case::Ignored))
    } else {
        Err("an action is * or has the form cams:Get*: service and name")
    }
}

fn resource(text: &str) -> Result<ResourcePattern, &'static str> {
    let visible = !text.chars().any(char::is_control);
    ResourcePattern::parse(text)
        .filter(|_| visible)
        .ok_or("a resource is * or has the form acs:service:region:account:relative-id")
}

fn is_key(name: &str) -> bool {
    name.split_once(':').is_some_and(|(service, key)| {
        !service.is_empty()
            && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !key.is_empty()
            && !key.chars().any(char::is_control)
    })
}
