//! `cargo run -p service -- --model DIR`

use anyhow::Context;
use clap::Parser;
use providers::{LocalModel, Precision};
use service::{Config, Service};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// Serve a tuned model, and a run's decisions, over HTTP. The key that callers need is read from the environment variable
/// SEAFIN_API_KEY; without it anyone who reaches the address may call
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    /// The model: a folder (Hugging Face form) or a Hub id such as org/name
    #[arg(long, required_unless_present = "print_config")]
    model: Option<String>,
    /// A PEFT adapter folder, as `trainer` writes it
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// Weights in f32, bf16, int8, w8a8 or nf4 [default: as they are stored]
    #[arg(long)]
    precision: Option<Precision>,
    /// The trading agent's decisions.parquet; read again when it changes
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Address and port; 0.0.0.0:8080 lets other machines in
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// The date that the model's chat template prints
    #[arg(long, default_value = "26 Jul 2024")]
    date: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
        config.check()?;
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let variable = |name: &str| std::env::var(name).ok();
        // First of all: a taken port is known before a model is read.
        let listener = TcpListener::bind(&args.listen).with_context(|| format!("{}: cannot listen", args.listen))?;
        let hub = hub::HubConfig::from_environment(variable);
        let folder = providers::find_model(args.model.as_deref().context("--model is missing")?, &hub)?;
        let service = Service {
            model: LocalModel::open_in(&folder, args.adapter.as_deref(), args.precision, &args.date)?,
            decisions: args.decisions.clone(),
            api_key: variable("SEAFIN_API_KEY").filter(|key| !key.is_empty()),
            seed: args.common.seed,
            started: service::seconds_since_1970(),
        };
        cli::say(&format!("http://{}", listener.local_addr()?));
        service::serve(service, &config, listener, service::asked_to_stop())?;
        Ok(())
    })
}
