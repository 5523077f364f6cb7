//! What each part of the strategy contributes, under the same costs.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Experiments)
}
