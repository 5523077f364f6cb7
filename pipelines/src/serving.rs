//! A run's tuned model and decisions behind HTTP.

use crate::{Args, Run, Step};
use anyhow::Context;
use providers::{LocalModel, Precision};
use service::Service;
use std::net::TcpListener;

/// Brings the decisions (and with them the tuned model) of a run up to date and serves both
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct ServeArgs {
    /// The flags of every binary.
    #[command(flatten)]
    pub run: Args,
    /// Address and port; 0.0.0.0:8080 lets other machines in
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Weights in f32, bf16, int8, w8a8 or nf4 [default: as they are stored]
    #[arg(long)]
    pub precision: Option<Precision>,
    /// What callers need, from the environment variable SEAFIN_API_KEY.
    #[arg(skip)]
    pub api_key: Option<String>,
}

/// Serves until somebody asks it to stop.
///
/// # Errors
/// A stage fails, the address is taken, or the system gives no threads.
pub fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let Some(run) = Run::new(&args.run)? else { return Ok(()) };
    run.config.service.check()?;
    // First of all: a taken port is known before anything is trained.
    let listener = TcpListener::bind(&args.listen).with_context(|| format!("{}: cannot listen", args.listen))?;
    run.bring_up_to_date(Step::Decide)?;
    let date = &run.config.formatter.date;
    let service = Service {
        model: LocalModel::open_in(run.model(), Some(&run.adapter()), args.precision, date)?,
        decisions: Some(run.file("trading-agent", "decisions.parquet")),
        api_key: args.api_key,
        seed: args.run.common.seed,
        started: service::seconds_since_1970(),
    };
    cli::say(&format!("http://{}", listener.local_addr()?));
    Ok(service::serve(service, &run.config.service, listener, service::asked_to_stop())?)
}
