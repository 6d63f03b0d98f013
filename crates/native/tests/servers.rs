//! The private servers, started for real. The first run fetches them with Maven.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use native::{Ephemeral, Server};

#[test]
fn a_dropped_postgres_is_gone() {
    let postgres = Ephemeral::postgres(&installation()).unwrap();
    let port = postgres.server.port();
    assert!(postgres.server.answers());
    drop(postgres);
    assert!(!native::in_use(port));
}

#[test]
fn a_dropped_kafka_is_gone() {
    let kafka = Ephemeral::kafka(&installation()).unwrap();
    let port = kafka.server.port();
    assert!(kafka.server.answers());
    drop(kafka);
    assert!(!native::in_use(port));
}

#[test]
fn a_server_dies_with_the_process_that_asked_for_it_even_by_sigkill() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "owner_that_gets_killed",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let port = lines
        .find_map(|line| line.strip_prefix("port=")?.parse::<u16>().ok())
        .unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while native::in_use(port) {
        assert!(
            Instant::now() < deadline,
            "Postgres outlived its owner by 20 s"
        );
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "the victim of a_server_dies_with_the_process_that_asked_for_it_even_by_sigkill"]
fn owner_that_gets_killed() {
    let postgres = Ephemeral::postgres(&installation()).unwrap();
    println!("\nport={}", postgres.server.port());
    std::thread::park();
}

#[expect(
    clippy::unwrap_used,
    reason = "a test without its servers has nothing to test"
)]
fn installation() -> native::Installation {
    native::install(&native::folder()).unwrap()
}
