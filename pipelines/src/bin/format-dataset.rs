//! Rows to messages, chat template, tokens and supervision mask; shows three examples.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Format)
}
