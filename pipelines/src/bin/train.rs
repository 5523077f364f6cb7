//! Fine-tune the base model with LoRA.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Train)
}
