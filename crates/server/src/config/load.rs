//! Puts the layers together.

use std::io;
use std::path::Path;

use serde::Deserialize;
use toml::Table;

use super::defaults;
use super::layers::{Environment, Flag, Layers, Setting};
use super::open::{self, Named};
use super::problem::{Origin, Problem, Problems};
use super::rules;
use super::sections::Config;

/// A sound configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings in force.
    pub config: Config,
    /// Each setting in force with its origin, by key.
    pub settings: Vec<Setting>,
}

/// Reads `file` (where one is given), then `environment`, then `flags` over the defaults.
///
/// Either everything is sound, or every mistake of every layer is reported, also one that a higher layer
/// would have hidden.
pub fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &[Flag],
) -> Result<Loaded, Problems> {
    load_read(file.map(|path| (path, std::fs::read_to_string(path))), environment, flags)
}

/// The same of a file that was read before, or whose reading failed.
pub fn load_read(
    file: Option<(&Path, io::Result<String>)>,
    environment: &Environment,
    flags: &[Flag],
) -> Result<Loaded, Problems> {
    let defaults = defaults::table();
    let mut layers = Layers::new(&defaults);
    match file {
        Some((path, Ok(text))) => layers.add_file(path, &text),
        Some((path, Err(error))) => {
            let message = if error.kind() == io::ErrorKind::InvalidData {
                "is not UTF-8; save it as that".to_owned()
            } else {
                format!("cannot read: {error}")
            };
            let origin = Origin::File { path: path.to_owned(), line: 0 };
            layers.problems.push(Problem::new(origin, "", message));
        }
        None => {}
    }
    layers.add_environment(environment);
    layers.add_flags(flags);
    let Layers { settings, open, mut problems, .. } = layers;
    let named = open::read(&open, environment, &mut problems);
    problems.extend(settings.iter().filter_map(|setting| check(&defaults, setting)));
    if !problems.is_empty() {
        problems.sort();
        return Err(Problems(problems));
    }
    combine(&defaults, settings, open, named)
}

/// Tries one setting alone on top of the defaults: as those are sound, a refusal is about the setting.
/// This is how all mistakes are found although a deserialiser stops at the first.
fn check(defaults: &Table, setting: &Setting) -> Option<Problem> {
    let mut table = defaults.clone();
    defaults::put(&mut table, &setting.key, setting.value.clone());
    let error = Config::deserialize(table).err()?;
    Some(Problem::new(setting.origin.clone(), &setting.key, error.message()))
}

fn combine(
    defaults: &Table,
    layers: Vec<Setting>,
    open: Vec<Setting>,
    named: Named,
) -> Result<Loaded, Problems> {
    let mut table = defaults.clone();
    let mut settings: Vec<Setting> = defaults::settings(defaults)
        .into_iter()
        .map(|(key, value)| Setting { key, value, origin: Origin::Default })
        .collect();
    for setting in layers {
        defaults::put(&mut table, &setting.key, setting.value.clone());
        if let Some(held) = settings.iter_mut().find(|held| held.key == setting.key) {
            *held = setting;
        }
    }
    settings.extend(open);
    let mut config = Config::deserialize(table)
        .map_err(|error| Problems(vec![Problem::new(Origin::Default, "", error.message())]))?;
    config.named = named;
    let mut problems: Vec<Problem> = rules::broken(&config)
        .into_iter()
        .map(|(key, message)| Problem::new(origin_of(&settings, &key), &key, message))
        .collect();
    if problems.is_empty() {
        return Ok(Loaded { config, settings });
    }
    problems.sort();
    Err(Problems(problems))
}

fn origin_of(settings: &[Setting], key: &str) -> Origin {
    // A whole table is blamed where its first setting stands.
    let below = |it: &&Setting| it.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    let held = settings.iter().find(|it| it.key == key).or_else(|| settings.iter().find(below));
    held.map_or(Origin::Default, |setting| setting.origin.clone())
}

#[cfg(test)]
mod tests {
    use registration::Limits;

    use super::*;

    #[test]
    fn the_defaults_are_sound_and_those_of_the_rules() {
        let loaded = load(None, &Environment::default(), &[]).unwrap();
        assert_eq!(loaded.config.limits(), Limits::default());
        assert!(loaded.config.accepts_foreign_certificates());
        assert!(loaded.settings.iter().all(|setting| setting.origin == Origin::Default));
    }
}
