//! Fetches the pinned servers from Maven Central, once; offline from then on.

use std::env;
use std::env::consts::{ARCH, OS};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, launch, reachable};

const POSTGRES: &str = "18.1.0";
const KAFKA: &str = "4.3.0";
const KAFKA_POM: &str = include_str!("kafka/pom.xml");
/// The Maven plugin that fetches, pinned too: an older Maven would bring another version.
const FETCH: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// Where the servers are.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Holds `bin/postgres` and `bin/initdb`.
    pub postgres: PathBuf,
    /// Holds Kafka's jars.
    pub kafka: PathBuf,
}

/// The folder that the platform and the tests share: `NATIVE_SERVERS`, or `.platform/servers` at
/// the root of the workspace that this crate was compiled in.
#[must_use]
pub fn folder() -> PathBuf {
    env::var_os("NATIVE_SERVERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.platform/servers"),
        PathBuf::from,
    )
}

/// Puts both servers into `folder`, unless they are there. Safe to call from several processes.
///
/// # Errors
/// When Maven, tar or the network fails, or the machine is of an unknown kind.
pub fn install(folder: &Path) -> Result<Installation, Error> {
    let folder = reachable(folder)?;
    let installation = Installation {
        postgres: folder.join(format!("postgres-{POSTGRES}")),
        kafka: folder.join(format!("kafka-{KAFKA}")),
    };
    if installation.postgres.exists() && installation.kafka.exists() {
        return Ok(installation);
    }
    let lock = folder.join("install.lock");
    let lock = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(Error::file("lock", lock))?;
    complete(&installation.postgres, fetch_postgres)?;
    complete(&installation.kafka, fetch_kafka)?;
    drop(lock);
    Ok(installation)
}

/// Fills a folder under another name and renames it: what exists is whole.
fn complete(target: &Path, fetch: fn(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if target.exists() {
        return Ok(());
    }
    let partial = target.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
    }
    fs::create_dir_all(&partial).map_err(Error::file("create", &partial))?;
    fetch(&partial)?;
    fs::rename(&partial, target).map_err(Error::file("rename", &partial))
}

fn fetch_postgres(folder: &Path) -> Result<(), Error> {
    let machine = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64v8",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64v8",
        (os, arch) => return Err(Error::Unsupported { os, arch }),
    };
    let artifact =
        format!("io.zonky.test.postgres:embedded-postgres-binaries-{machine}:{POSTGRES}");
    let jar = folder.join("jar");
    maven(
        folder,
        "unpack",
        &[
            format!("-Dartifact={artifact}"),
            format!("-DoutputDirectory={}", jar.display()),
        ],
    )?;
    let archive = fs::read_dir(&jar)
        .map_err(Error::file("read", &jar))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "txz"))
        .ok_or_else(|| {
            Error::file("find an archive in", &jar)(std::io::ErrorKind::NotFound.into())
        })?;
    launch::output(
        Command::new("tar")
            .arg("-xJf")
            .arg(archive)
            .arg("-C")
            .arg(folder),
    )?;
    fs::remove_dir_all(&jar).map_err(Error::file("remove", &jar))
}

fn fetch_kafka(folder: &Path) -> Result<(), Error> {
    let pom = folder.join("pom.xml");
    fs::write(&pom, KAFKA_POM).map_err(Error::file("write", &pom))?;
    let target = format!("-DoutputDirectory={}", folder.display());
    maven(
        folder,
        "copy-dependencies",
        &[target, "-DincludeScope=runtime".to_owned()],
    )
}

/// Runs one goal. Strict checksums: a damaged download must not be installed.
fn maven(folder: &Path, goal: &str, args: &[String]) -> Result<(), Error> {
    let mut command = Command::new("mvn");
    command
        .args(["-q", "-B", "--strict-checksums", &format!("{FETCH}:{goal}")])
        .args(args)
        .current_dir(folder);
    launch::output(&mut command).map(drop)
}
