//! This crate is pure because it can reach nothing that is not.

#[test]
fn nothing_that_does_input_or_output_is_within_reach() {
    let manifest = include_str!("../../Cargo.toml");
    let dependencies = manifest.split("[dependencies]\n").nth(1).unwrap();
    let names = dependencies.lines().take_while(|line| !line.is_empty());
    let names: Vec<&str> = names.filter_map(|line| line.split('.').next()).collect();
    assert_eq!(names, ["chrono", "serde", "thiserror", "uuid"]);
}
