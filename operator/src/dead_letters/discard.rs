//! Giving up on a message.

use clap::Args;
use messaging::parking::{self, Discarded};
use uuid::Uuid;

use super::{Reason, unknown};
use crate::{
    databases::Database,
    output::{self, plain},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The id under which the message is parked
    id: Uuid,
    #[command(flatten)]
    reason: Reason,
}

pub(super) async fn run(
    arguments: &Arguments,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    let id = arguments.id;
    for database in databases {
        let request = arguments.reason.request();
        let Some(discarded) = parking::discard(&database.store, id, request).await? else {
            continue;
        };
        if json {
            output::json(&discarded)?;
        } else {
            tell(&discarded);
        }
        return Ok(true);
    }
    unknown(id, databases)
}

fn tell(discarded: &Discarded) {
    output::say("discarded; `operator dead-letters history` has who, why, and its id for `show`");
    let Discarded {
        consumer,
        line,
        left,
    } = discarded;
    if *left > 0 {
        output::say(format_args!(
            "{left} more wait in its line; when they can do without it: \
             operator dead-letters replay --service {consumer} --order {} --by WHO --why TEXT",
            plain(line)
        ));
    }
}
