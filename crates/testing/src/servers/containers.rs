//! Containers of the official images, removed when the process ends, however it ends.

use std::{
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt,
    bollard::models::HostConfig,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};

use super::Servers;

const POSTGRES: (&str, &str) = ("postgres", "18");
const KAFKA: (&str, &str) = ("apache/kafka", "4.3.0");
const PATIENCE: Duration = Duration::from_secs(120);
/// Removes a container when its standard input ends: the kernel closes the pipe when this process dies.
const GUARD: &str = r#"read -r _; docker rm --force --volumes "$1""#;

static RUNNING: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// Whether a Docker daemon answers that has both images. Nothing is pulled for a test.
pub(super) fn available() -> bool {
    let images = [POSTGRES, KAFKA].map(|(name, tag)| format!("{name}:{tag}"));
    Command::new("docker")
        .args(["image", "inspect"])
        .args(images)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(super) async fn start() -> Servers {
    let (database_url, kafka_brokers) = tokio::join!(postgres(), kafka());
    Servers {
        database_url,
        kafka_brokers,
    }
}

async fn postgres() -> String {
    let request = GenericImage::new(POSTGRES.0, POSTGRES.1)
        // On stderr it is said by the server that stays; the one that sets the image up says it on stdout.
        .with_wait_for(WaitFor::message_on_stderr(
            "database system is ready to accept connections",
        ))
        .with_mapped_port(0, 5432.tcp())
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_cmd(["postgres", "-c", "max_connections=300"]);
    let kept = Kept::start(request).await;
    let port = kept
        .container
        .get_host_port_ipv4(5432)
        .await
        .expect("its port is published");
    kept.until_the_end();
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

async fn kafka() -> String {
    // The broker tells its clients where it is, so the port has to be known before it starts.
    let port = native::free().expect("a port is free");
    let request = GenericImage::new(KAFKA.0, KAFKA.1)
        .with_wait_for(WaitFor::message_on_stdout("Kafka Server started"))
        .with_mapped_port(port, 9092.tcp())
        .with_env_var("KAFKA_NODE_ID", "1")
        .with_env_var("KAFKA_PROCESS_ROLES", "broker,controller")
        .with_env_var("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
        .with_env_var("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        .with_env_var("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093")
        .with_env_var(
            "KAFKA_ADVERTISED_LISTENERS",
            format!("PLAINTEXT://127.0.0.1:{port}"),
        )
        .with_env_var(
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        )
        .with_env_var("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
        .with_env_var("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        .with_env_var("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        .with_env_var("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .with_env_var("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false");
    Kept::start(request).await.until_the_end();
    format!("127.0.0.1:{port}")
}

/// A container and the guard that removes it.
struct Kept {
    container: ContainerAsync<GenericImage>,
    _guard: Child,
}

impl Kept {
    /// Starts a container and waits until it is ready. The guard knows its name before it exists: who is killed while
    /// it becomes ready leaves nothing behind either.
    async fn start(request: ContainerRequest<GenericImage>) -> Self {
        let name = format!("test-{}", ambient::new_id());
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let container = request
            .with_container_name(name)
            .with_startup_timeout(PATIENCE)
            .with_host_config_modifier(on_this_machine_only)
            .start()
            .await
            .expect("the container starts");
        Self {
            container,
            _guard: guard,
        }
    }

    /// A value in a static is never dropped; the guard outside outlives it.
    fn until_the_end(self) {
        RUNNING
            .lock()
            .expect("nobody panics while holding it")
            .push(self);
    }
}

/// The servers ask for no password, and Docker publishes ports on all addresses unless told otherwise.
fn on_this_machine_only(config: &mut HostConfig) {
    let bindings = config
        .port_bindings
        .iter_mut()
        .flat_map(|ports| ports.values_mut());
    for binding in bindings.flatten().flatten() {
        binding.host_ip = Some("127.0.0.1".to_owned());
    }
}
