//! Run the decisions against prices and report.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::Backtest)
}
