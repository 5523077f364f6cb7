//! Clean, deduplicate, split and select the texts; bring in prices and news.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipelines::main(pipelines::Step::PrepareData)
}
