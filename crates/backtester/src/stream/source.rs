use crate::Error;
use artifacts::Reader;
use artifacts::rows::Bar;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Batches read ahead of the engine.
const AHEAD: usize = 4;

/// The Parquet files of a path: itself, or those in a folder by name.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let io = |source| artifacts::Error::Io { path: path.to_path_buf(), action: "read", source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        if file.extension().is_some_and(|e| e == "parquet") {
            found.push(file);
        }
    }
    if found.is_empty() {
        return Err(artifacts::Error::Missing { path: path.join("*.parquet") }.into());
    }
    found.sort();
    Ok(found)
}

/// Rows of all files in order. Gives up when nobody listens any more.
fn read(files: &[PathBuf], symbol: Option<&str>, to: &SyncSender<Result<Vec<Bar>, Error>>) -> Result<(), Error> {
    let mut last: Option<Bar> = None;
    for file in files {
        for batch in Reader::<Bar>::open(file)? {
            let mut batch = batch?;
            if let Some(symbol) = symbol {
                batch.retain(|b| b.symbol == symbol);
            }
            // within one batch the reader has seen to the order of times
            for (before, bar) in last.iter().chain(batch.iter()).zip(batch.iter()) {
                if before.symbol != bar.symbol {
                    let choices = format!("{}, {}", before.symbol, bar.symbol);
                    return Err(Error::SeveralInstruments { choices }.within(file));
                }
            }
            if let (Some(before), Some(bar)) = (&last, batch.first())
                && before.event_at >= bar.event_at
            {
                return Err(Error::PartOrder { bar_at: bar.event_at, before: before.event_at }.within(file));
            }
            last = batch.last().cloned().or(last);
            if to.send(Ok(batch)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Calls `each` with every bar and whether it is the last, while another thread reads ahead: memory does not grow with the
/// number of bars.
pub(crate) fn for_each(
    files: &[PathBuf],
    symbol: Option<&str>,
    mut each: impl FnMut(&Bar, bool) -> Result<(), Error>,
) -> Result<u64, Error> {
    let (to, batches): (_, Receiver<Result<Vec<Bar>, Error>>) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Err(e) = read(files, symbol, &to) {
                // nobody listens any more only after an error of their own
                to.send(Err(e)).ok();
            }
        });
        let mut count = 0;
        let mut held: Option<Bar> = None;
        for batch in batches {
            for bar in batch? {
                count += 1;
                if let Some(before) = held.replace(bar) {
                    each(&before, false)?;
                }
            }
        }
        if let Some(last) = held {
            each(&last, true)?;
        }
        Ok(count)
    })
}
