//! Which databases are looked into, and how they are reached. No password is ever shown.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, bail, ensure};
use futures_util::future::join_all;
use messaging::{
    Doorbell, Store,
    parking::{self, Tables},
};
use sea_orm::{ConnectOptions, Database as SeaOrm, DatabaseConnection};
use serde::Deserialize;
use url::Url;

use crate::output;

/// How long a database may take to let us in.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where to look.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// A service's database: postgres://user:password@host:port/name; may be given several times (in the environment:
    /// separated by commas). Without any, the databases of the platform are taken
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_delimiter = ',',
        global = true
    )]
    database_url: Vec<String>,
    /// The folder of the platform that `make run` has started
    #[arg(long, env = "PLATFORM_DIR", default_value = ".platform", global = true)]
    platform_dir: PathBuf,
}

/// A database that was reached.
#[derive(Debug)]
pub(crate) struct Database {
    /// What people call it.
    pub(crate) name: String,
    pub(crate) store: Store,
}

impl Database {
    pub(crate) const fn db(&self) -> &DatabaseConnection {
        self.store.db()
    }
}

/// What was reached.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) databases: Vec<Database>,
    /// Nothing is missing.
    pub(crate) complete: bool,
}

/// What else the platform knows: nothing where databases are named by hand.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Kafka's addresses.
    pub(crate) brokers: Option<String>,
    /// What stands before the names of topics and groups.
    pub(crate) prefix: Option<String>,
    /// The payment gateway.
    pub(crate) gateway: Option<Url>,
}

/// What the platform writes down of what must run; the part that is needed here.
#[derive(Debug, Deserialize)]
struct Desired {
    processes: Vec<Process>,
}

#[derive(Debug, Deserialize)]
struct Process {
    name: String,
    environment: BTreeMap<String, String>,
}

impl Where {
    /// Opens all of them. One that cannot be reached is told of on standard error, and missing.
    ///
    /// # Errors
    /// There is none to reach.
    pub(crate) async fn open(&self) -> anyhow::Result<Reach> {
        let found = match self.database_url.as_slice() {
            [] => self.of_the_platform()?,
            given => named(given)?,
        };
        let opened = join_all(found.iter().map(|(name, url)| open(name, url))).await;
        let mut reach = Reach {
            databases: Vec::new(),
            complete: true,
        };
        for (database, (name, _)) in opened.into_iter().zip(&found) {
            match database {
                Ok(Some(database)) => reach.databases.push(database),
                // The platform has one that stands for a company of its own.
                Ok(None) if self.database_url.is_empty() => {}
                Ok(None) => {
                    reach.complete = false;
                    output::complain(format_args!(
                        "{name} has no table `parked`: is it the database of a service? (DATABASE_URL and --database-url \
                         name those; without them, the platform's in {} are taken)",
                        self.platform_dir.display()
                    ));
                }
                Err(error) => {
                    reach.complete = false;
                    output::complain(format_args!("{name}: {error:#}"));
                }
            }
        }
        ensure!(!reach.databases.is_empty(), "no database was reached");
        Ok(reach)
    }

    /// What the platform has besides databases.
    ///
    /// # Errors
    /// There is no platform.
    pub(crate) fn surroundings(&self) -> anyhow::Result<Surroundings> {
        if !self.database_url.is_empty() {
            return Ok(Surroundings::default());
        }
        let processes = self.processes()?;
        let told = |name| {
            let mut told = processes.iter().filter_map(|it| it.environment.get(name));
            told.next().cloned()
        };
        Ok(Surroundings {
            brokers: told("KAFKA_BROKERS"),
            prefix: told("TOPIC_PREFIX"),
            gateway: told("GATEWAY_URL").and_then(|url| url.parse().ok()),
        })
    }

    /// What the platform runs.
    fn processes(&self) -> anyhow::Result<Vec<Process>> {
        let path = self.platform_dir.join("desired.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "there is no platform in {} (PLATFORM_DIR names its folder, `make run` starts one); \
                 other databases are named with --database-url",
                self.platform_dir.display()
            )
        })?;
        let Desired { processes } = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged: `make run` writes it anew", path.display()))?;
        Ok(processes)
    }

    /// The databases of the platform's services, by the names of these.
    fn of_the_platform(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut found: Vec<(String, String)> = Vec::new();
        for mut process in self.processes()? {
            // Instances of a service share its database.
            if let Some(url) = process.environment.remove("DATABASE_URL")
                && found.iter().all(|(_, known)| *known != url)
            {
                found.push((process.name, url));
            }
        }
        ensure!(
            !found.is_empty(),
            "the platform in {} names no database: `make run` writes that anew",
            self.platform_dir.display()
        );
        Ok(found)
    }
}

/// Each with a name that shows where it is, and no password.
fn named(given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let name = |text: &String| {
        // What cannot be read is not repeated: it may be a password.
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        let Some(url) = url else {
            bail!("DATABASE_URL must look like postgres://user:password@host:port/name");
        };
        let host = url.host_str().unwrap_or("localhost");
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        Ok((format!("{host}{port}{}", url.path()), text.clone()))
    };
    given.iter().map(name).collect()
}

/// None, when nothing can be parked there.
async fn open(name: &str, url: &str) -> anyhow::Result<Option<Database>> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false);
    let db = SeaOrm::connect(options)
        .await
        .context("it cannot be reached (does it run? `make status` tells it for the platform)")?;
    match parking::tables(&db).await? {
        Tables::None => Ok(None),
        Tables::Outdated => bail!(
            "its tables are of an earlier version; starting its service of this version migrates them"
        ),
        Tables::Ready => Ok(Some(Database {
            name: name.to_owned(),
            store: Store::new(db, Doorbell::silent()).await?,
        })),
    }
}
