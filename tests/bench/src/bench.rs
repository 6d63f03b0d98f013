//! What all parts of a run share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use order_service::domain::Order;
use saga::Definition;
use serde_json::Value;
use visitor::client::Client;
use visitor::console::say;
use visitor::{auditor, program};

use crate::load::Http;
use crate::plan::Plan;
use crate::site::Site;
use crate::unloaded;
use crate::world::World;

/// A run, as it goes.
pub(crate) struct Bench {
    pub(crate) site: Site,
    pub(crate) http: Http,
    pub(crate) world: Arc<World>,
    pub(crate) plan: Plan,
    /// The saga that the orders go through.
    pub(crate) definition: Definition<Order>,
    /// The version with which the view shows an order PREPARING.
    pub(crate) preparing: i64,
    seed: AtomicU64,
}

impl Bench {
    /// Makes the world that is ordered in, and has a first order go its way.
    ///
    /// # Errors
    /// A service does not do its part.
    pub(crate) async fn begin(site: Site, plan: Plan, seed: u64) -> anyhow::Result<Self> {
        let client = Client::new(&site.platform)?;
        let now = ambient::now().timestamp_millis();
        let name = format!("bench-{now}-{}", std::process::id());
        let mut bench = Self {
            http: Http::of(&site.platform)?,
            world: Arc::new(World::make(&client, name).await?),
            plan,
            definition: order_service::saga::definition(saga::Policy::default())?,
            preparing: 0,
            seed: AtomicU64::new(seed.wrapping_mul(1_000)),
            site,
        };
        bench.preparing = unloaded::version(&bench).await?;
        Ok(bench)
    }

    /// What does not add up makes everything that was measured worthless: the audit of orders since a moment. What it printed, and
    /// what is broken, in words.
    pub(crate) async fn audit(
        &self,
        operator: Option<&PathBuf>,
        since: &str,
    ) -> (Value, Vec<String>) {
        say("the audit waits for quiet, and looks at everything");
        let finding = match program(operator, "operator") {
            Ok(operator) => auditor::audit(&operator, &self.site.platform, Some(since)).await,
            Err(error) => Err(error),
        };
        match finding {
            Ok(finding) => {
                let broken = finding.violations.into_iter().map(|violation| {
                    let order = violation.order.unwrap_or_else(|| "-".to_owned());
                    format!("order {order}: {}", violation.what)
                });
                (finding.printed, broken.collect())
            }
            Err(error) => {
                let broken = format!("there was no audit: {error:#}");
                (Value::Null, vec![broken])
            }
        }
    }

    /// A seed for the next load: of no other one in this run, so that no key is used twice.
    pub(crate) fn next_seed(&self) -> u64 {
        self.seed.fetch_add(1, Ordering::Relaxed)
    }
}
