//! The process.

fn main() -> std::process::ExitCode {
    service::main::<message_relay::Config, _, _>("message-relay", 8083, message_relay::run)
}
