//! A model card: the `README.md` that the Hub shows beside an adapter, written from what the run recorded.

use artifacts::Manifest;
use serde_json::Value;
use std::fmt::Write;

/// The card of the adapter whose run has this manifest. Deterministic: it says what the manifest says.
pub fn card(manifest: &Manifest, name: &str) -> String {
    let config = &manifest.config;
    let base = config.get("base_model_name").and_then(Value::as_str).unwrap_or("unknown");
    let mut out = String::from("---\n");
    let _ = writeln!(out, "base_model: {}", quoted(base));
    out.push_str("library_name: peft\npipeline_tag: text-generation\n");
    out.push_str("language:\n- en\n- vi\n");
    out.push_str("tags:\n- lora\n- sentiment-analysis\n- finance\n- seafin\n");
    let _ = write!(out, "---\n\n# {name}\n\n");
    let _ = writeln!(
        out,
        "A LoRA adapter for `{base}`: it answers a question about the sentiment of a text with `negative`, `neutral` or `positive`.\n"
    );
    out.push_str("## Use\n\n```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n");
    let _ = writeln!(out, "base = AutoModelForCausalLM.from_pretrained({})", python(base));
    let _ = writeln!(out, "model = PeftModel.from_pretrained(base, {})\n```\n", python(name));

    out.push_str("## Figures\n\n| figure | value |\n|---|---|\n");
    for (key, value) in &manifest.facts {
        if !value.is_null() {
            let _ = writeln!(out, "| {} | {} |", key.replace('_', " "), cell(value));
        }
    }
    let _ = writeln!(out, "| rows | {} |", manifest.rows_kept);
    out.push_str("\n## Settings\n\n| setting | value |\n|---|---|\n");
    settings(&mut out, "", config);
    let _ = writeln!(out, "| seed | {} |", manifest.seed.0);
    out.push_str("\n## Data and files\n\nblake3 of what was read and written:\n\n| file | blake3 |\n|---|---|\n");
    for (kind, files) in [("read", &manifest.inputs), ("written", &manifest.outputs)] {
        for file in files {
            // The last part: whoever trained keeps their folders to themselves.
            let last = file.path.rsplit('/').next().unwrap_or(&file.path);
            let _ = writeln!(out, "| {kind}: {last} | `{}` |", file.blake3);
        }
    }
    let _ = write!(
        out,
        "\nMade by seafin {} (stage `{}`, version {}). Equal inputs, settings and seed give the same adapter, byte for byte.\n",
        manifest.code_version, manifest.stage, manifest.stage_version
    );
    out
}

fn settings(out: &mut String, at: &str, value: &Value) {
    if let Some(fields) = value.as_object() {
        for (key, value) in fields {
            let name = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            settings(out, &name, value);
        }
    } else {
        let _ = writeln!(out, "| {at} | {} |", cell(value));
    }
}

/// A value as a cell of a table: a bar would end it.
fn cell(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.replace('|', "\\|").replace('\n', " ")
}

/// A YAML string; JSON's quoting is YAML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn python(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::Seed;
    use artifacts::manifest::FileRecord;
    use serde_json::json;

    #[test]
    fn the_card_says_what_the_manifest_says_and_no_folder_of_its_maker() {
        let file = |path: &str| FileRecord { path: path.into(), blake3: "ab12".into(), rows: None };
        let manifest = Manifest {
            stage: "trainer".into(),
            stage_version: 2,
            code_version: "0.1.0".into(),
            seed: Seed(7),
            config: json!({"base_model_name": "org/base", "lora": {"r": 16}, "savings": "all"}),
            inputs: vec![file("/home/someone/model"), file("../formatter/train.parquet")],
            outputs: vec![file("adapter")],
            rows_in: 10,
            rows_kept: 10,
            rows_rejected: std::collections::BTreeMap::new(),
            facts: [("final_loss".to_owned(), json!(0.25)), ("best_update".to_owned(), Value::Null)].into(),
        };
        let card = card(&manifest, "me/adapter");
        let head = card.split("---\n").nth(1).unwrap();
        assert!(head.contains("base_model: \"org/base\"\nlibrary_name: peft\n"), "{head}");
        for expected in ["| final loss | 0.25 |", "| lora.r | 16 |", "| seed | 7 |", "| read: train.parquet | `ab12` |"]
        {
            assert!(card.contains(expected), "{card}");
        }
        assert!(!card.contains("/home") && !card.contains("best update"), "{card}");
    }
}
