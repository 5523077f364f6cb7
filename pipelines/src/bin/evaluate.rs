//! Compare the base and the tuned model on the evaluation rows.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Evaluate)
}
