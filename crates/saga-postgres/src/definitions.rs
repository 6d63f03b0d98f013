//! The definitions that a service runs: the one that new sagas begin with, and those that old ones finish on.

use saga::{Definition, Instance};

/// The definitions that a service runs.
pub struct Definitions<D> {
    current: Definition<D>,
    former: Vec<Definition<D>>,
}

/// Why a definition cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It breaks a rule of its own.
    #[error(transparent)]
    Definition(#[from] saga::Invalid),
    /// It cannot stand beside another one.
    #[error(
        "definition {name:?} has version {version} already: a changed definition needs a new one"
    )]
    Repeated {
        /// Its name.
        name: String,
        /// Its version.
        version: u32,
    },
}

impl<D> From<Definition<D>> for Definitions<D> {
    fn from(current: Definition<D>) -> Self {
        Self {
            current,
            former: Vec::new(),
        }
    }
}

impl<D> Definitions<D> {
    /// The one that new sagas begin with.
    #[must_use]
    pub const fn current(&self) -> &Definition<D> {
        &self.current
    }

    /// Adds one on which sagas that began with it finish.
    ///
    /// # Errors
    /// There is one of this name and version.
    pub fn and(mut self, former: Definition<D>) -> Result<Self, Invalid> {
        let (name, version) = (former.name().to_owned(), former.version());
        if self
            .all()
            .any(|known| known.name() == name && known.version() == version)
        {
            return Err(Invalid::Repeated { name, version });
        }
        self.former.push(former);
        Ok(self)
    }

    /// The one that an instance began with.
    #[must_use]
    pub fn of(&self, instance: &Instance) -> Option<&Definition<D>> {
        self.all().find(|definition| {
            definition.name() == instance.definition && definition.version() == instance.version
        })
    }

    /// Each by itself, as the services had it whose only one it was: what began there is under way still.
    pub fn apart(self) -> impl Iterator<Item = Self> {
        std::iter::once(self.current)
            .chain(self.former)
            .map(Self::from)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Definition<D>> {
        std::iter::once(&self.current).chain(&self.former)
    }
}
