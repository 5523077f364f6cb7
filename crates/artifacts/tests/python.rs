//! Our Parquet is plain Parquet: Python reads it as it is, where Python is there.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{Decision, Formatted, Language, Sentiment};
use artifacts::{Timestamp, write_all};
use std::path::Path;
use std::process::Command;

/// Reads with pyarrow or, failing that, duckdb, and prints the same lines with either.
const SCRIPT: &str = r#"
import sys
folder = sys.argv[1]
try:
    import pyarrow.parquet as pq
    def read(name):
        table = pq.read_table(folder + "/" + name)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]
    def metadata(name):
        found = pq.read_schema(folder + "/" + name).metadata
        return found[b"seafin.row"].decode(), found[b"seafin.version"].decode()
except ImportError:
    import duckdb
    duckdb.sql("set timezone = 'UTC'")
    def read(name):
        result = duckdb.sql("select * from read_parquet('%s/%s')" % (folder, name))
        return result.columns, [list(row) for row in result.fetchall()]
    def metadata(name):
        rows = duckdb.sql("select key, value from parquet_kv_metadata('%s/%s')" % (folder, name)).fetchall()
        found = {bytes(k): bytes(v) for k, v in rows}
        return found[b"seafin.row"].decode(), found[b"seafin.version"].decode()
def plain(value):
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f") if hasattr(value, "strftime") else repr(value)
for name in sys.argv[2:]:
    columns, rows = read(name)
    print(*metadata(name), *columns)
    for row in rows:
        print(" | ".join(plain(v) for v in row))
"#;

/// An interpreter with pyarrow or duckdb: the one named by `SEAFIN_TEST_PYTHON`, or `python3`.
fn python() -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    let python = std::env::var("SEAFIN_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    for module in ["pyarrow", "duckdb"] {
        match Command::new(&python).arg("-c").arg(format!("import {module}")).output() {
            Ok(output) if output.status.success() => return Ok(python),
            Ok(_) => {}
            Err(e) => return Err(format!("{python}: {e}")),
        }
    }
    Err(format!("{python} has neither pyarrow nor duckdb (name another with SEAFIN_TEST_PYTHON)"))
}

fn read_by(python: &str, folder: &Path, names: &[&str]) -> Vec<String> {
    let output = Command::new(python).arg("-c").arg(SCRIPT).arg(folder).args(names).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn python_reads_every_kind_of_column() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let at: Timestamp = "2025-02-24T00:10:00.000001Z".parse().unwrap();
    let decision = Decision {
        symbol: "BTC".into(),
        bar_at: at,
        decided_at: at.plus_seconds(600),
        position: -0.25,
        sentiment: None,
        technical: Some(0.5),
        news_ids: vec!["n1".into(), "n2".into()],
        confidence: None,
        fact_ids: Vec::new(),
        rationale: "giá giảm".into(),
    };
    write_all(&folder.path().join("decisions.parquet"), &[decision]).unwrap();
    let formatted = Formatted {
        id: "a".into(),
        language: Language::Vietnamese,
        label: Sentiment::Negative,
        messages: "[]".into(),
        text: "t".into(),
        ids: vec![1, u32::MAX],
        supervised: vec![false, true],
        prompt_tokens: 1,
    };
    write_all(&folder.path().join("formatted.parquet"), &[formatted]).unwrap();
    write_all(&folder.path().join("bars.parquet"), &common::bars(20_000)).unwrap();
    let lines = read_by(&python, folder.path(), &["decisions.parquet", "formatted.parquet", "bars.parquet"]);
    assert_eq!(
        lines[..4],
        [
            "decision 1 symbol bar_at decided_at position sentiment technical news_ids rationale",
            "'BTC' | 2025-02-24T00:10:00.000001 | 2025-02-24T00:20:00.000001 | -0.25 | None | 0.5 | ['n1', 'n2'] | 'giá giảm'",
            "formatted 1 id language label messages text ids supervised prompt_tokens",
            "'a' | 'vi' | 'negative' | '[]' | 't' | [1, 4294967295] | [False, True] | 1",
        ]
    );
    assert_eq!(lines.len(), 4 + 1 + 20_000);
    assert!(lines[5].starts_with("'BTC' | 2025-02-24T00:00:00.000000 | "), "{}", lines[5]);
    println!("read by {python}");
}
