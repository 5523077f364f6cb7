//! The tuned model and its decisions behind HTTP.

use clap::Parser;
use pipelines::serving::{ServeArgs, serve};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = ServeArgs::parse();
    let common = args.run.common.clone();
    cli::run(&common, || {
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let key = std::env::var("SEAFIN_API_KEY").ok();
        args.api_key = key.filter(|key| !key.is_empty());
        serve(args)
    })
}
