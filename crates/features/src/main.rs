//! `cargo run -p features -- --help`

fn main() {}
