//! The program as people and scripts use it, on a real Postgres, beside a service that can be broken and mended.
#![expect(
    clippy::expect_used,
    reason = "tests: a broken precondition ends the test with its reason"
)]

use std::process::{Command, Output};

use messaging::{
    Fault, Handler, Interest, Message, Outgoing, Processor, Raw, Replays, Stamp, Store,
};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use testing::Database;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A service that can do everything, or nothing.
struct Service {
    works: bool,
}

impl Handler for Service {
    type World = ();
    type Effects = ();

    fn interest(&self, _: &str, _: &str) -> Interest {
        Interest::Handle
    }

    async fn load(&self, _: &DatabaseTransaction, _: &[Message]) -> Result<(), DbErr> {
        Ok(())
    }

    fn decide(&self, (): &mut (), _: &Message, _: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        match self.works {
            true => Ok(Vec::new()),
            false => Err(Fault::new("the oven is cold\nand \u{1b}[31mred")),
        }
    }

    async fn save(&self, _: &DatabaseTransaction, (): ()) -> Result<(), DbErr> {
        Ok(())
    }

    fn committed(&self, (): ()) {}
}

struct World {
    database: Database,
    store: Store,
}

impl World {
    async fn new() -> Self {
        let database = Database::migrated(messaging::migrations(1)).await;
        let store = database.store().await;
        Self { database, store }
    }

    fn service(&self, works: bool) -> Processor<Service> {
        Processor::new(self.store.clone(), "bakery", Service { works })
    }

    /// Parks so many messages about a new key; gives the key.
    async fn park(&self, count: usize) -> Uuid {
        let key = ambient::new_id();
        let message = |number| testing::message("bread", "BAKE", key, &json!({ "number": number }));
        let batch = (0..count).map(|number| message(number).into()).collect();
        let parked = self
            .service(false)
            .process(batch, &CancellationToken::new())
            .await;
        assert_eq!(parked.expect("nothing stops it").parked, count);
        key
    }

    async fn replay(&self, works: bool) -> Replays {
        let replayed = self.service(works).replay(&CancellationToken::new()).await;
        replayed.expect("nothing stops it")
    }

    async fn operator(&self, arguments: &[&str]) -> Ran {
        run(&["--database-url", self.database.url()], arguments).await
    }

    /// What the program says as JSON, when all went well.
    async fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.operator(&arguments).await;
        assert_eq!(ran.code, 0, "{}", ran.complaints);
        serde_json::from_str(&ran.said).expect("it is JSON")
    }
}

struct Ran {
    code: i32,
    said: String,
    complaints: String,
}

async fn run(place: &[&str], arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command.args(place).arg("dead-letters").args(arguments);
    command
        .env_remove("DATABASE_URL")
        .env_remove("PLATFORM_DIR");
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it ran").expect("it starts");
    Ran {
        code: status.code().expect("it ended by itself"),
        said: String::from_utf8(stdout).expect("text"),
        complaints: String::from_utf8(stderr).expect("text"),
    }
}

const SIGNED: [&str; 4] = ["--by", "ann", "--why", "lit the oven"];

fn signed<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(SIGNED).collect()
}

#[tokio::test]
async fn what_is_parked_is_listed_in_order_for_people_and_for_scripts() {
    let world = World::new().await;
    assert_eq!(world.operator(&["list"]).await.said, "nothing is parked\n");
    let (one, other) = (world.park(2).await, world.park(1).await);
    let listed = world.operator(&["list"]).await;
    assert_eq!(listed.code, 0);
    let lines: Vec<&str> = listed.said.lines().collect();
    assert_eq!(lines.len(), 5, "{}", listed.said);
    assert!(lines[0].starts_with("SERVICE") && lines[1].contains(&one.to_string()));
    // What a message says cannot break the table or command the terminal.
    assert!(
        lines[1].ends_with("failed: the oven is cold\\nand \\u{1b}[31mred"),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with("waits") && lines[3].contains(&other.to_string()));
    assert_eq!(lines[4], "3 messages, 2 of which hold up the others");
    let shouted = one.to_string().to_uppercase();
    let mine = world
        .json(&["list", "--service", "bakery", "--order", &shouted])
        .await;
    assert_eq!(
        (&mine[0]["place"], &mine[1]["place"], &mine[2]),
        (&json!(1), &json!(2), &json!(null))
    );
    assert_eq!(
        world.json(&["list", "--service", "cellar"]).await,
        json!([])
    );
    let page = world.operator(&["list", "--limit", "1"]).await;
    assert!(
        page.said.ends_with("1 of 3 messages; --limit shows more\n"),
        "{}",
        page.said
    );
}

#[tokio::test]
async fn an_order_is_replayed_when_its_cause_is_mended_and_the_command_tells_what_came_of_it() {
    let world = World::new().await;
    let key = world.park(3).await.to_string();
    let replay = signed(&["replay", "--order", &key, "--wait", "30"]);

    let replaying = async |works: bool| {
        testing::eventually("the request", async || {
            (world.replay(works).await != Replays::default()).then_some(())
        })
        .await;
    };
    let (failed, ()) = tokio::join!(world.operator(&replay), replaying(false));
    assert_eq!(failed.code, 1);
    assert!(
        failed.complaints.contains("has failed again in bakery"),
        "{}",
        failed.complaints
    );
    let (done, ()) = tokio::join!(world.operator(&replay), replaying(true));
    assert_eq!((done.code, done.complaints.as_str()), (0, ""));
    assert!(done.said.ends_with("replayed: 3\n"), "{}", done.said);

    let history = world.json(&["history", "--order", &key]).await;
    let actions: Vec<&Value> = history
        .as_array()
        .expect("a list")
        .iter()
        .map(|deed| &deed["action"])
        .collect();
    assert_eq!(
        actions,
        ["FAILED_AGAIN", "REPLAYED", "REPLAYED", "REPLAYED"]
    );
    assert_eq!(
        (&history[0]["requestedBy"], &history[0]["why"]),
        (&json!("ann"), &json!("lit the oven"))
    );
    let again = world.operator(&replay).await;
    assert_eq!(again.code, 1);
    assert!(
        again.complaints.contains("nothing about"),
        "{}",
        again.complaints
    );
}

#[tokio::test]
async fn a_message_that_waits_is_not_replayed_before_the_one_it_waits_for() {
    let world = World::new().await;
    world.park(2).await;
    let listed = world.json(&["list"]).await;
    let ids = [0, 1].map(|place: usize| listed[place]["id"].as_str().expect("an id").to_owned());
    let refused = world.operator(&signed(&["replay", &ids[1]])).await;
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .complaints
            .contains(&format!("waits behind {}", ids[0])),
        "{}",
        refused.complaints
    );
    assert_eq!(world.operator(&signed(&["replay", &ids[0]])).await.code, 0);
    let twice = world.operator(&signed(&["replay", &ids[0]])).await;
    assert!(
        twice.said.contains("ann has asked for a replay already"),
        "{}",
        twice.said
    );
    assert_eq!(world.replay(true).await.replayed, 2);
}

#[tokio::test]
async fn a_wait_in_vain_says_so_and_everything_of_a_service_is_replayed_later() {
    let world = World::new().await;
    for _ in 0..3 {
        world.park(2).await;
    }
    let everything = ["replay", "--service", "bakery", "--all"];
    let waited = [&signed(&everything)[..], &["--wait", "0"]].concat();
    let in_vain = world.operator(&waited).await;
    assert_eq!(in_vain.code, 1);
    assert!(
        in_vain.complaints.contains("lines: 3"),
        "{}",
        in_vain.complaints
    );
    assert_eq!(world.replay(true).await.replayed, 6);
    let nothing = world.json(&signed(&everything)).await;
    assert_eq!(
        nothing,
        json!({"lines": [], "outstanding": 0, "history": []})
    );
}

#[tokio::test]
async fn a_discarded_message_can_still_be_shown_with_who_and_why() {
    let world = World::new().await;
    let key = world.park(2).await;
    let id = world.json(&["list"]).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let shown = world.operator(&["show", &id]).await;
    assert_eq!(shown.code, 0);
    assert!(
        shown.said.contains("\"number\": 0") && shown.said.contains("ce_type"),
        "{}",
        shown.said
    );
    let discarded = world.operator(&signed(&["discard", &id])).await;
    assert_eq!(discarded.code, 0);
    assert!(discarded.said.contains(&format!("1 more wait in its line; when they can do without it: operator dead-letters replay --service bakery --order {key}")), "{}", discarded.said);
    let shown = world.json(&["show", &id]).await;
    assert_eq!(
        (&shown["parked"], &shown["value"]),
        (&json!(null), &json!({"number": 0}))
    );
    assert_eq!(shown["history"][0]["action"], "DISCARDED");
    let twice = world.operator(&signed(&["discard", &id])).await;
    assert_eq!(twice.code, 1);
    assert!(
        twice.complaints.contains("no message is parked as"),
        "{}",
        twice.complaints
    );
}

#[tokio::test]
async fn what_is_no_text_is_shown_in_digits() {
    let world = World::new().await;
    let raw = Raw {
        topic: "bread".into(),
        partition: 0,
        offset: 1,
        key: None,
        headers: vec![],
        payload: vec![0xff, 0x00],
        at: None,
    };
    let parked = world
        .service(true)
        .process(vec![raw.into()], &CancellationToken::new())
        .await;
    assert_eq!(parked.expect("nothing stops it").parked, 1);
    let listed = world.json(&["list"]).await;
    let id = listed[0]["id"].as_str().expect("an id");
    assert_eq!(
        world.json(&["show", id]).await["value"],
        json!({"hex": "ff00"})
    );
}

#[tokio::test]
async fn wrong_usage_is_told_from_what_did_not_work_and_no_password_is_shown() {
    let world = World::new().await;
    let nobody = Uuid::nil().to_string();
    for wrong in [
        &["replay", "--by", "ann", "--why", "so"][..],
        &["replay", "--all", "--by", "ann", "--why", "so"],
        &["replay", &nobody],
        &["replay", &nobody, "--by", " ", "--why", "so"],
        &["discard", &nobody, "--by", "ann"],
        &["discard", "not-an-id", "--by", "ann", "--why", "so"],
        &["burn"],
    ] {
        assert_eq!(world.operator(wrong).await.code, 2, "{wrong:?}");
    }
    for url in [
        "postgres://ann:hunter2@127.0.0.1:1/none",
        "mysql://ann:hunter2@host/none",
        "hunter2",
    ] {
        let ran = run(&["--database-url", url], &["list"]).await;
        assert_eq!(ran.code, 1);
        assert!(!ran.complaints.contains("hunter2"), "{}", ran.complaints);
    }
    let nowhere = run(&["--platform-dir", "/nowhere"], &["list"]).await;
    assert_eq!(nowhere.code, 1);
    assert!(
        nowhere.complaints.contains("no platform in /nowhere"),
        "{}",
        nowhere.complaints
    );
    let empty = Database::new().await;
    let ran = run(
        &[
            "--database-url",
            empty.url(),
            "--database-url",
            world.database.url(),
        ],
        &["list"],
    )
    .await;
    assert_eq!(
        (ran.code, ran.said.as_str()),
        (1, "nothing is parked\n"),
        "the other one was reached"
    );
    assert!(
        ran.complaints.contains("has no table `parked`"),
        "{}",
        ran.complaints
    );
}
