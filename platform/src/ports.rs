//! Ports: are they free, and which could be.

use anyhow::bail;

use crate::layout::Layout;
use crate::processes::{self, SERVICES};
use crate::settings::Settings;
use crate::spec::Spec;
use crate::{run, servers};

const OFFSET_STEP: u16 = 1_000;
/// Above this, Kafka's port would fall among those that the kernel gives to outgoing connections.
const OFFSETS: u16 = 12;

/// Refuses to go on when a stranger listens where one of `specs` would.
pub(crate) fn require(layout: &Layout, specs: &[Spec]) -> anyhow::Result<()> {
    let running = run::all(layout)?;
    let own = |port| {
        running
            .iter()
            .any(|record| record.spec.port == port && record.alive())
    };
    let taken: Vec<String> = specs
        .iter()
        .filter(|spec| !own(spec.port) && native::in_use(spec.port))
        .map(|spec| {
            format!(
                "  port {} on 127.0.0.1, which {} needs",
                spec.port, spec.name
            )
        })
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        "in use by other programs:\n{}\nStop them (`ss -ltnp` or `lsof -i` tells who they are), \
         or move the whole platform: PORT_OFFSET=1000",
        taken.join("\n")
    );
}

/// An offset whose ports are all free. Where it looks first depends on the process, so that two
/// who ask at once get different answers, most of the time.
pub(crate) fn free_offset(settings: &Settings) -> anyhow::Result<u16> {
    let first = u16::try_from(std::process::id() % u32::from(OFFSETS))?;
    for turn in 0..OFFSETS {
        let offset = ((first + turn) % OFFSETS + 1) * OFFSET_STEP;
        let settings = settings.moved_by(offset);
        if !all(&settings)?.into_iter().any(native::in_use) {
            return Ok(offset);
        }
    }
    bail!(
        "no multiple of {OFFSET_STEP} up to {} has all its ports free",
        OFFSETS * OFFSET_STEP
    )
}

fn all(settings: &Settings) -> anyhow::Result<Vec<u16>> {
    let mut ports = servers::ports(settings).to_vec();
    for service in &SERVICES {
        ports.extend(
            (0..settings.instances(service.name)?)
                .map(|slot| processes::port(settings, service, slot)),
        );
    }
    Ok(ports)
}
