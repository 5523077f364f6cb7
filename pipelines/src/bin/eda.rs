//! What is in the data: one report for both languages.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Eda)
}
