//! The answers to the brief's questions, with the figures of a run.

use clap::Parser;
use pipelines::findings::{FindingsArgs, write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = FindingsArgs::parse();
    cli::run(&args.common, || {
        for path in write(&args)? {
            cli::say(&path.display().to_string());
        }
        Ok(())
    })
}
