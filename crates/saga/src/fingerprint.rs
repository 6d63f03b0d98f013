//! A text that changes when the structure of a definition changes.

use std::fmt::Write;

use crate::{Action, Ask, Definition, Say};

/// FNV-1a, 64 bits: no secret is kept here, only an accident noticed.
const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl<D> Definition<D> {
    /// A text that changes when steps, replies, undos, waits or announcements change, and stays the same everywhere
    /// otherwise: pin it in a test, so that nobody changes the structure without a new version. Patience is left out.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = self.outline().bytes().fold(OFFSET_BASIS, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        format!("{}-{}-{hash:016x}", self.name, self.version)
    }

    /// The structure as text, one line for each thing that is said or waited for.
    #[must_use]
    pub fn outline(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let role = if step.pivot { "pivot" } else { "step" };
            line(&mut text, role, &step.name);
            match &step.action {
                Action::Ask(ask) => asked(&mut text, "ask", ask),
                Action::Wait(event) => line(&mut text, "  wait", &event.kind),
            }
            if let Some(undo) = &step.undo {
                asked(&mut text, "undo", undo);
            }
            if let Some(cancel) = &step.cancel {
                asked(&mut text, "cancel", cancel);
            }
            said(&mut text, "  announce", &step.announce);
        }
        said(&mut text, "rolled back", &self.announce_rolled_back);
        if let Some(cancellation) = &self.cancellation {
            line(&mut text, "cancellable until", &cancellation.until);
            if let Some(arbiter) = &cancellation.arbiter {
                line(&mut text, "decided from", &arbiter.from);
                asked(&mut text, "arbiter", &arbiter.ask);
            }
            said(&mut text, "  announce", &cancellation.announce);
        }
        text
    }
}

fn asked<D>(text: &mut String, word: &str, ask: &Ask<D>) {
    line(
        text,
        &format!("  {word} {}", ask.command.to),
        &ask.command.kind,
    );
    for kind in ask.accepted() {
        line(text, "    granted by", kind);
    }
    for kind in ask.refused() {
        line(text, "    refused by", kind);
    }
}

fn said<D>(text: &mut String, word: &str, news: &[Say<D>]) {
    for news in news {
        line(text, &format!("{word} {}", news.to), &news.kind);
    }
}

fn line(text: &mut String, word: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{word} {value}");
}
