//! W3C Trace Context: which trace a piece of work belongs to, and which step of it caused the work.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The length of a `traceparent` of version 00, in bytes.
const LENGTH: usize = 55;
/// The flags that this version knows: sampled (1) and random trace id (2). Others are not passed on, as the standard asks.
const KNOWN_FLAGS: u8 = 0b11;
const SAMPLED: u8 = 0b01;

/// A position in a trace: what a `traceparent` header says.
///
/// `Display` writes the header (version 00), `FromStr` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// Why a text is no `traceparent`. The standard asks to ignore such a header and to start a new trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It does not have the form `00-<32 hex>-<16 hex>-<2 hex>`.
    #[error(
        "traceparent is not of the form 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case"
    )]
    Form,
    /// The version `ff` is forbidden.
    #[error("traceparent has the forbidden version ff")]
    Version,
    /// An id of zeros means that there is none.
    #[error("traceparent has an id of zeros")]
    Zero,
}

impl TraceParent {
    /// The start of a new, sampled trace.
    #[must_use]
    pub fn new_root() -> Self {
        Self {
            trace_id: random().as_u128(),
            span_id: new_span_id(),
            flags: SAMPLED,
        }
    }

    /// A new step of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            span_id: new_span_id(),
            ..self
        }
    }

    /// The step of the same trace that publishes the message `id`: no randomness, so that pure code may use it.
    /// The span id is the random tail of the id.
    #[must_use]
    pub fn publishing(self, id: Uuid) -> Self {
        let (_, tail) = id.as_u64_pair();
        Self {
            span_id: tail.max(1),
            ..self
        }
    }

    /// The id that all steps of the trace share.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The id of this step.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// Whether the caller records this trace.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

impl FromStr for TraceParent {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut fields = text.splitn(5, '-');
        let mut next = |digits| hex(fields.next(), digits);
        let version = next(2)?;
        let (trace_id, span_id, flags) = (next(32)?, next(16)?, next(2)?);
        // A later version may say more behind a further dash; version 00 may not.
        if version == 0 && text.len() != LENGTH {
            return Err(Invalid::Form);
        }
        if version == 0xff {
            return Err(Invalid::Version);
        }
        if trace_id == 0 || span_id == 0 {
            return Err(Invalid::Zero);
        }
        let span_id = u64::try_from(span_id).map_err(|_| Invalid::Form)?;
        let flags = u8::try_from(flags).map_err(|_| Invalid::Form)?;
        Ok(Self {
            trace_id,
            span_id,
            flags: flags & KNOWN_FLAGS,
        })
    }
}

/// Reads exactly `digits` lower-case hex digits.
fn hex(field: Option<&str>, digits: usize) -> Result<u128, Invalid> {
    let field = field
        .filter(|field| field.len() == digits)
        .ok_or(Invalid::Form)?;
    if !field
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(Invalid::Form);
    }
    u128::from_str_radix(field, 16).map_err(|_| Invalid::Form)
}

/// The variant bits of a UUID lie in its lower half, so that neither half is ever zero.
fn new_span_id() -> u64 {
    random().as_u64_pair().1
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one door to randomness"
)]
fn random() -> Uuid {
    Uuid::new_v4()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written_back() {
        let parent: TraceParent = EXAMPLE.parse().unwrap();
        assert_eq!(parent.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(parent.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert!(parent.is_sampled());
        assert_eq!(parent.to_string(), EXAMPLE);
    }

    #[test]
    fn a_child_stays_in_the_trace_and_has_an_id_of_its_own() {
        let parent: TraceParent = EXAMPLE.parse().unwrap();
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child.span_id(), parent.span_id());
        assert_eq!(child.is_sampled(), parent.is_sampled());
    }

    #[test]
    fn a_new_root_can_be_read_by_others() {
        let root = TraceParent::new_root();
        assert_eq!(root.to_string().parse(), Ok(root));
        assert_ne!(root.trace_id(), TraceParent::new_root().trace_id());
    }

    #[test]
    fn a_later_version_may_say_more_and_its_flags_are_not_passed_on() {
        let text =
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-f9-what-the-future-will-be";
        assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), EXAMPLE);
    }

    #[test]
    fn what_breaks_the_standard_is_refused() {
        let refused = |text: &str| text.parse::<TraceParent>().unwrap_err();
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        ] {
            assert_eq!(refused(text), Invalid::Form, "{text}");
        }
        assert_eq!(
            refused("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Invalid::Version
        );
        assert_eq!(
            refused("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            Invalid::Zero
        );
        assert_eq!(
            refused("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
            Invalid::Zero
        );
    }
}
