//! What each service can be set to. It says so itself (`--help`), so nothing here has to follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::processes::SERVICES;

/// The names of the settings of each service.
pub(crate) type Known = BTreeMap<&'static str, BTreeSet<String>>;

/// Asks all services; their programs lie in `programs`.
pub(crate) fn settings(programs: &Path) -> anyhow::Result<Known> {
    SERVICES
        .iter()
        .map(|service| Ok((service.name, of(&programs.join(service.name))?)))
        .collect()
}

fn of(program: &Path) -> anyhow::Result<BTreeSet<String>> {
    let help = Command::new(program)
        .arg("--help")
        .env_clear()
        .output()
        .with_context(|| {
            format!(
                "cannot start {}: `make compile` builds it",
                program.display()
            )
        })?;
    let names = names(&String::from_utf8_lossy(&help.stdout));
    ensure!(
        help.status.success() && !names.is_empty(),
        "{} --help names no settings",
        program.display()
    );
    Ok(names)
}

/// The variables that the text of a `--help` names: `[env: LOG=]`.
fn names(help: &str) -> BTreeSet<String> {
    let is_part = |letter: &char| letter.is_ascii_uppercase() || matches!(letter, '_' | '0'..='9');
    let named = help.split("[env: ").skip(1);
    named
        .map(|rest| rest.chars().take_while(is_part).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_names_its_variables() {
        let help = "--log <LOG>\n  What to log\n\n  [env: LOG=info]\n  [default: info]\n\n[env: DATABASE_URL]";
        let expected = ["DATABASE_URL", "LOG"].map(str::to_owned);
        assert_eq!(names(help), BTreeSet::from(expected));
    }
}
