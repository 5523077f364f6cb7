//! `formatter run`: rows of any task to tokens and supervision mask. `formatter render`: one conversation.

use anyhow::{Context, bail};
use chat::{ChatTokenizer, Message};
use clap::{Parser, Subcommand};
use formatter::{Config, Figures, Inputs};
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows of any task to rows ready to train on
#[derive(Parser)]
#[command(name = "formatter", version)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format all rows and print three of them
    Run {
        /// Folder with the model's tokenizer.json
        #[arg(long, value_name = "DIR")]
        tokenizer: PathBuf,
        /// Parquet file of examples or task examples to train on; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        train: Vec<PathBuf>,
        /// Parquet file of examples to evaluate on; may be repeated
        #[arg(long, value_name = "FILE")]
        eval: Vec<PathBuf>,
        /// Folder to write
        #[arg(long, value_name = "DIR", required_unless_present_any = ["check", "print_config"])]
        out: Option<PathBuf>,
        /// Wording of the question: brief, paraphrase, labels; for other tasks direct-v1, paraphrase-v1, after-v1
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
        /// Wording for the evaluation rows, where it is another one
        #[arg(long, value_name = "NAME")]
        eval_template: Option<String>,
        /// File of your own wordings by task, language and split (TOML or JSON), at least one each to train and to evaluate on
        #[arg(long, value_name = "FILE")]
        templates: Option<PathBuf>,
        /// Only the preflight: print three rows and what would be refused, write nothing
        #[arg(long)]
        check: bool,
    },
    /// Print one conversation after the template, and its tokens
    Render {
        /// Folder with the model's tokenizer.json
        #[arg(long, value_name = "DIR")]
        tokenizer: PathBuf,
        /// JSON file with a list of {"role", "content"}
        #[arg(long, value_name = "FILE")]
        messages: PathBuf,
        /// What the template takes for today, such as "26 Jul 2024"
        #[arg(long)]
        date: Option<String>,
        /// End with the header of the assistant's turn
        #[arg(long)]
        add_generation_prompt: bool,
        /// Print {"text", "ids"} as one JSON object
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let Args { common, command } = Args::parse();
    cli::run(&common, || {
        let Some(mut config) = common.load::<Config>()? else { return Ok(()) };
        match command {
            Command::Run { tokenizer, train, eval, out, template, eval_template, templates, check } => {
                config.templates = templates.or(config.templates);
                template.iter().try_for_each(|name| config.set_template(name, false))?;
                eval_template.iter().try_for_each(|name| config.set_template(name, true))?;
                let inputs = Inputs { tokenizer, train, eval };
                match out.filter(|_| !check) {
                    Some(out) => format(&common, &config, &inputs, &out),
                    None => preflight(&config, &inputs),
                }
            }
            Command::Render { tokenizer, messages, date, add_generation_prompt, json } => {
                let bytes = std::fs::read(&messages).with_context(|| format!("{}: cannot read", messages.display()))?;
                let turns: Vec<Message> = serde_json::from_slice(&bytes)
                    .with_context(|| format!("{}: expected a list of {{role, content}}", messages.display()))?;
                let chat = ChatTokenizer::load(&tokenizer, date.as_deref().unwrap_or(&config.date))?;
                let text = chat.render(&turns, add_generation_prompt)?;
                let ids = chat.encode(&text)?;
                if json {
                    cli::say(&serde_json::json!({"text": text, "ids": ids}).to_string());
                } else {
                    let tokens = chat.tokens(&ids);
                    let lines = ids.iter().zip(&tokens).map(|(id, token)| format!("{id:>7}  {token}\n"));
                    cli::say(&format!("{text}\n\n{}", lines.collect::<Vec<_>>().concat().trim_end_matches('\n')));
                }
                Ok(())
            }
        }
    })
}

fn format(common: &cli::Common, config: &Config, inputs: &Inputs, out: &std::path::Path) -> anyhow::Result<()> {
    let progress = cli::progress();
    let options = common.run_options(progress.as_ref());
    let manifest = formatter::run(config, inputs, out, &options)?;
    let examples = out.join("examples.md");
    cli::say(&std::fs::read_to_string(&examples).with_context(|| format!("{}: cannot read", examples.display()))?);
    for (name, value) in &manifest.facts {
        cli::say(&format!("{name}: {value}"));
    }
    for (reason, rows) in &manifest.rows_rejected {
        cli::say(&format!("refused, {reason}: {rows}"));
    }
    cli::say(&format!("{} of {} rows in {}", manifest.rows_kept, manifest.rows_in, out.display()));
    Ok(())
}

fn preflight(config: &Config, inputs: &Inputs) -> anyhow::Result<()> {
    let found = formatter::check(config, inputs, cli::progress().as_ref())?;
    cli::say(&found.examples);
    let line = |name: &str, f: &Figures| {
        let (rows, of, tokens, longest, mean) = (f.rows, f.rows_in, f.tokens, f.longest, f.mean());
        cli::say(&format!(
            "{name}: {rows} of {of} rows in order, {tokens} tokens, {} learned, longest {longest}, mean {mean:.1}; refused: {}",
            f.supervised,
            f.reasons()
        ));
    };
    line("train", &found.train);
    line("eval", &found.eval);
    let refused = found.train.rows_in - found.train.rows + found.eval.rows_in - found.eval.rows;
    if refused > 0 {
        bail!(
            "{refused} rows would be refused; correct them, raise max_tokens, or run without --check to set them aside"
        );
    }
    Ok(())
}
