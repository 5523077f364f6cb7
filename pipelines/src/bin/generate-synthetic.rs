//! Generate English rows with the local model and keep what passes verification.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Synthetic)
}
