//! The whole pipeline as one run folder: which stage reads what, under which settings. Each binary beside this library
//! brings one deliverable up to date, with whatever it needs; stages whose inputs did not change are skipped.

pub mod ablation;
mod args;
pub mod audit;
mod config;
mod deliverables;
pub mod findings;
mod lazy_model;
mod official_test;
mod reasoning;
mod run;
pub mod serving;
mod summary;
pub mod trading;
pub mod twins;

pub use args::Args;
pub use config::RunConfig;
pub use run::{Run, Step};

use clap::Parser;
use std::process::ExitCode;

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// The `main` of every binary here: bring `step` up to date and say what came of it.
pub fn main(step: Step) -> ExitCode {
    bring_up_to_date(&Args::parse(), step)
}

/// As [`main`], with flags that were read already.
pub fn bring_up_to_date(args: &Args, step: Step) -> ExitCode {
    cli::run(&args.common, || {
        let Some(run) = Run::new(args)? else { return Ok(()) };
        run.bring_up_to_date(step)?;
        cli::say(&summary::of(&run, step)?);
        Ok(())
    })
}
