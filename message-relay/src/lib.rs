//! message-relay
