//! One part changed at a time: `sentiment` compares ways to teach the model, `trading` parts of the strategy.

use clap::Parser;
use pipelines::{Args, Step};
use std::process::ExitCode;

/// What is compared.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Data, rank, prompts and baselines of the sentiment model, over several seeds
    Sentiment,
    /// Parts of the trading strategy, under the same costs
    Trading,
}

/// Experiments: the same judge, one part changed at a time
#[derive(Debug, Parser)]
#[command(version)]
struct Experiments {
    #[arg(value_enum, default_value = "trading")]
    what: What,
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    let Experiments { what, args } = Experiments::parse();
    let step = match what {
        What::Sentiment => Step::Ablation,
        What::Trading => Step::Experiments,
    };
    pipelines::bring_up_to_date(&args, step)
}
