//! `/v25.0/NODE/EDGE`: what a request is about.

/// The parts of a path, as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path<'p> {
    /// `v25.0`, or nothing: Graph takes calls without a version, too.
    pub(super) version: Option<&'p str>,
    /// An id, or a word such as `me`.
    pub(super) node: &'p str,
    /// What of the node; empty for the node itself. May have several parts, which no edge here has.
    pub(super) edge: &'p str,
}

impl<'p> Path<'p> {
    /// Takes a path of this dialect apart; `None` for any other path.
    pub(super) fn parse(path: &'p str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let version = Some(first).filter(|first| is_version(first));
        let rest = if version.is_some() { rest } else { path };
        let (node, edge) = rest.split_once('/').unwrap_or((rest, ""));
        let is_ours = if version.is_some() { !node.is_empty() } else { is_id(node) };
        is_ours.then(|| Self { version, node, edge: edge.trim_end_matches('/') })
    }
}

/// `v` and two numbers (§0).
fn is_version(segment: &str) -> bool {
    let digits = |text: &str| {
        (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let numbers = segment.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// Without a version only an id tells that a path is one of this dialect: 15 to 17 digits in practice.
fn is_id(segment: &str) -> bool {
    (10..=20).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_with_a_point_and_ids_are_of_this_dialect() {
        let path = |version, node, edge| Some(Path { version, node, edge });
        for (text, parsed) in [
            ("/v25.0/106540352242922", path(Some("v25.0"), "106540352242922", "")),
            ("/v4.12/me/", path(Some("v4.12"), "me", "")),
            ("/v25.0/1/request_code/", path(Some("v25.0"), "1", "request_code")),
            ("/v25.0/1/a/b", path(Some("v25.0"), "1", "a/b")),
            ("/106540352242922/register", path(None, "106540352242922", "register")),
            ("/v25.0", None),
            ("/v25.0/", None),
            ("/v1/users", None),
            ("/v1/106540352242922", None),
            ("/vx.0/1", None),
            ("/v25.0.1/1", None),
            ("/v25./1", None),
            ("/admin/v1", None),
            ("/clients/a", None),
            ("/123/register", None),
        ] {
            assert_eq!(Path::parse(text), parsed, "{text}");
        }
    }
}
