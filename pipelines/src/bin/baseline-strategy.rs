//! One decision in [-1, 1] for each bar.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Decide)
}
