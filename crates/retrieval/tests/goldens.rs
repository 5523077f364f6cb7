//! Against other implementations: bm25s, rank_bm25, torch. Each golden file names its maker.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use common::{cosine, golden, tiny_bert};
use retrieval::{BertEmbedder, Bm25, Bm25Weights, Embedder, Error};
use serde_json::Value;
use std::path::Path;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn bm25_scores_are_those_of_bm25s_and_of_rank_bm25() {
    let golden = golden("bm25.json");
    let mut index = Bm25::new(Bm25Weights { k1: golden["k1"].as_f64().unwrap(), b: golden["b"].as_f64().unwrap() });
    for text in golden["texts"].as_array().unwrap() {
        index.push(text.as_str().unwrap());
    }
    let mut scored = 0;
    for case in golden["cases"].as_array().unwrap() {
        // The golden scores were made from an index of the first `known` texts only; ours holds all 60.
        let known = case["known"].as_u64().unwrap() as usize;
        let ours = index.scores(case["query"].as_str().unwrap(), known);
        // bm25s computes in float32.
        for (name, tolerance) in [("bm25s", 2e-6), ("rank_bm25", 1e-12)] {
            let theirs = numbers(&case[name]);
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() < tolerance, "{name}, {}: {a} against {b}", case["query"]);
            }
        }
        scored += ours.iter().filter(|s| **s > 0.0).count();
    }
    assert!(scored > 300, "{scored} scores above 0");
}

#[test]
fn a_small_bert_gives_the_vectors_that_torch_gives() {
    let golden = golden("bert.json");
    let folder = tiny_bert(&golden);
    let model = BertEmbedder::open(folder.path()).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (32, 24));
    let rows = golden["rows"].as_array().unwrap();
    let texts: Vec<&str> = rows.iter().map(|r| r["text"].as_str().unwrap()).collect();
    for (row, ours) in rows.iter().zip(model.embed(&texts).unwrap()) {
        for (a, b) in ours.iter().zip(numbers(&row["vector"])) {
            assert!((f64::from(*a) - b).abs() < 2e-6, "{}: {a} against {b}", row["text"]);
        }
    }
}

#[test]
fn a_vector_depends_on_no_other_text_of_the_call() {
    let golden = golden("bert.json");
    let folder = tiny_bert(&golden);
    let model = BertEmbedder::open(folder.path()).unwrap();
    let texts = ["profit", "rates rise and gold falls and rates rise", "", "the bank"];
    let together = model.embed(&texts).unwrap();
    for (text, vector) in texts.iter().zip(together) {
        assert_eq!(model.embed(&[text]).unwrap(), [vector]);
    }
}

#[test]
fn a_model_folder_that_cannot_embed_says_which_file_and_why() {
    let golden = golden("bert.json");
    let broken = |change: &dyn Fn(&Path)| {
        let folder = tiny_bert(&golden);
        change(folder.path());
        BertEmbedder::open(folder.path()).unwrap_err().to_string()
    };
    let edit = |folder: &Path, file: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(folder.join(file), text.replace(from, to)).unwrap();
    };
    let message = broken(&|f| std::fs::remove_file(f.join("model.safetensors")).unwrap());
    assert!(message.contains("model.safetensors") && message.contains("tokenizer.json"), "{message}");
    let message = broken(&|f| edit(f, "config.json", "\"bert\"", "\"roberta\""));
    assert!(message.contains("config.json") && message.contains("`roberta`"), "{message}");
    let message = broken(&|f| edit(f, "config.json", "\"num_attention_heads\":4", "\"num_attention_heads\":5"));
    assert!(message.contains("no multiple"), "{message}");
    let message = broken(&|f| edit(f, "config.json", "\"intermediate_size\":64", "\"intermediate_size\":65"));
    assert!(message.contains("shape"), "{message}");
    let message = broken(&|f| edit(f, "config.json", "\"vocab_size\":48", "\"vocab_size\":40"));
    assert!(message.contains("tokenizer.json") && message.contains("vocab_size 40"), "{message}");
    let message = broken(&|f| std::fs::write(f.join("tokenizer.json"), "{}").unwrap());
    assert!(message.contains("tokenizer.json"), "{message}");
    let message = broken(&|f| std::fs::write(f.join("model.safetensors"), [7; 40]).unwrap());
    assert!(message.contains("header"), "{message}");
    let message = broken(&|f| {
        std::fs::create_dir(f.join("1_Pooling")).unwrap();
        std::fs::write(
            f.join("1_Pooling/config.json"),
            r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
        )
        .unwrap();
    });
    assert!(message.contains("1_Pooling") && message.contains("mean"), "{message}");
}

/// The folder with all-MiniLM-L6-v2 (config.json, model.safetensors, tokenizer.json, sentence_bert_config.json), where the
/// machine has one, and beside it `reference.json` (goldens/make_minilm.py writes it from torch).
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may be told where the weights are")]
fn all_minilm_l6_v2_gives_the_vectors_that_torch_gives() {
    let Ok(folder) = std::env::var("SEAFIN_MINILM") else {
        println!("skipped: SEAFIN_MINILM names no folder with all-MiniLM-L6-v2 and its reference.json");
        return;
    };
    let folder = Path::new(&folder);
    let model = BertEmbedder::open(folder).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (384, 256));
    let reference: Value = serde_json::from_slice(&std::fs::read(folder.join("reference.json")).unwrap()).unwrap();
    let rows = reference.as_array().unwrap();
    let texts: Vec<&str> = rows.iter().map(|r| r["text"].as_str().unwrap()).collect();
    let (mut largest, mut lowest) = (0.0f64, 1.0f64);
    for (row, ours) in rows.iter().zip(model.embed(&texts).unwrap()) {
        let theirs = numbers(&row["vector"]);
        let ours: Vec<f64> = ours.into_iter().map(f64::from).collect();
        lowest = lowest.min(cosine(&ours, &theirs));
        largest = ours.iter().zip(&theirs).fold(largest, |m, (a, b)| m.max((a - b).abs()));
    }
    // Together or alone, long or short: the same bits.
    let some: Vec<&str> = texts.iter().rev().take(4).copied().collect();
    for (text, vector) in some.iter().zip(model.embed(&some).unwrap()) {
        assert_eq!(model.embed(&[text]).unwrap(), [vector]);
    }
    println!("{} texts: largest difference {largest:.1e}, lowest cosine 1 - {:.1e}", rows.len(), 1.0 - lowest);
    assert!(rows.len() >= 5 && largest < 2e-6 && lowest > 1.0 - 1e-6, "{largest}, {lowest}");
}

#[test]
fn an_embedder_that_gives_nonsense_is_named() {
    struct Bad(f32);
    impl Embedder for Bad {
        fn name(&self) -> &'static str {
            "bad"
        }
        fn dimensions(&self) -> usize {
            2
        }
        fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
            Ok(texts.iter().map(|_| vec![self.0; if self.0 > 0.0 { 3 } else { 2 }]).collect())
        }
    }
    for (embedder, expected) in [(Bad(f32::NAN), "NaN"), (Bad(1.0), "3 numbers instead of 2")] {
        let made = retrieval::Library::new(
            vec![common::case("a", 0, "text")],
            std::sync::Arc::new(embedder),
            &retrieval::RetrievalConfig::default(),
        );
        let message = made.unwrap_err().to_string();
        assert!(message.contains("`bad`") && message.contains(expected), "{message}");
    }
}
