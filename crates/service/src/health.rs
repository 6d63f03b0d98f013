//! How the process feels: whether it can do its work, and what it tells about its surroundings.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::DatabaseConnection;
use serde::Serialize;
use serde_json::Value;

/// A database that takes longer than this to answer counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

type Report = Arc<dyn Fn() -> Value + Send + Sync>;

/// What decides about readiness, and what is told beside it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<Parts>>,
}

#[derive(Clone, Default)]
struct Parts {
    databases: Vec<DatabaseConnection>,
    reports: BTreeMap<&'static str, Report>,
}

/// The answer of `GET /health/ready`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// Whether this process can do its work.
    pub(crate) ready: bool,
    /// `up` or why not; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    /// What else the process tells; none of it decides.
    #[serde(flatten)]
    reports: BTreeMap<&'static str, Value>,
}

impl Health {
    /// From now on the process is ready only while this database answers.
    pub fn database(&self, db: DatabaseConnection) {
        self.change(|parts| parts.databases.push(db));
    }

    /// Tells about `part` at `/health/ready`. It does not decide: what is away there is waited for.
    pub fn inform(&self, part: &'static str, report: impl Fn() -> Value + Send + Sync + 'static) {
        self.change(|parts| drop(parts.reports.insert(part, Arc::new(report))));
    }

    /// Tells at `/health/ready` what a consumer knows of Kafka. While Kafka is away, the process stays ready: what it
    /// writes waits in its outbox.
    pub fn kafka(&self, status: Arc<messaging::consumer::Status>) {
        self.inform(
            "kafka",
            move || serde_json::json!({ "up": status.is_up(), "partitions": status.partitions() }),
        );
    }

    /// How things are now.
    pub(crate) async fn readiness(&self) -> Readiness {
        let parts = self
            .parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let reports = parts
            .reports
            .iter()
            .map(|(name, report)| (*name, report()))
            .collect();
        let mut database = None;
        for db in parts.databases {
            match answers(db).await {
                Ok(()) => database = Some("up".to_owned()),
                Err(reason) => {
                    return Readiness {
                        ready: false,
                        database: Some(reason),
                        reports,
                    };
                }
            }
        }
        Readiness {
            ready: true,
            database,
            reports,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        change(&mut self.parts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Asks in a task of its own: nothing that talks to a database may be cancelled half-way.
async fn answers(db: DatabaseConnection) -> Result<(), String> {
    let ping = tokio::spawn(async move { db.ping().await });
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => {
            tracing::debug!(%error, "the database does not answer");
            Err("down".to_owned())
        }
        Ok(Err(_)) => Err("down".to_owned()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}
