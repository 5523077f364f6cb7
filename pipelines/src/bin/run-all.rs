//! Everything, from raw data to a back-tested decision.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::All)
}
