//! Evaluate base, tuned model and baselines on the official test rows: once, after all choices.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::OfficialTest)
}
