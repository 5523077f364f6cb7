//! What is compared.

use serde::{Deserialize, Serialize};

/// Settings of the comparison of ways to teach the sentiment task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AblationConfig {
    /// Each trained arm runs once with each of these seeds.
    pub seeds: Vec<u64>,
    /// Rows that an arm adds to the real ones.
    pub extra_rows: usize,
    /// Solved examples of each label in a few-shot prompt.
    pub examples_per_label: usize,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// The arms; the first is what the others are compared with.
    pub arms: Vec<Arm>,
}

/// One way to teach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The name of its folder.
    pub name: String,
    /// What is different about it.
    pub what: String,
    /// How labels are come by.
    #[serde(default)]
    pub method: Method,
    /// What it learns beside the real rows.
    #[serde(default)]
    pub extra: Extra,
    /// Settings of the run that it changes, as `--set` takes them: `train.lora.r=4`.
    #[serde(default)]
    pub set: Vec<String>,
}

/// How labels are come by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The model, fine-tuned.
    #[default]
    Tuned,
    /// The model as it is, asked.
    ZeroShot,
    /// The model as it is, shown solved examples first.
    FewShot,
    /// TF-IDF of words and pieces of words, logistic regression.
    TfIdf,
    /// Always the commonest label of the training rows.
    Majority,
}

/// Rows beside the real ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// None.
    None,
    /// The synthetic rows that passed every check.
    #[default]
    Verified,
    /// Synthetic candidates as they came, with the label asked for.
    Unverified,
    /// Real English rows that the selection left in the pool.
    MoreReal,
}

impl Default for AblationConfig {
    fn default() -> Self {
        let arm = |name: &str, what: &str, method, extra, set: &[&str]| Arm {
            name: name.into(),
            what: what.into(),
            method,
            extra,
            set: set.iter().map(|s| (*s).to_owned()).collect(),
        };
        let tuned = |name, what, extra, set| arm(name, what, Method::Tuned, extra, set);
        Self {
            seeds: vec![1, 2, 3],
            extra_rows: 500,
            examples_per_label: 1,
            resamples: 2000,
            arms: vec![
                tuned("lora", "LoRA on real and verified synthetic rows", Extra::Verified, &[]),
                tuned("real-only", "without synthetic rows", Extra::None, &[]),
                tuned("unverified", "synthetic rows as generated, unchecked", Extra::Unverified, &[]),
                tuned("more-real", "real rows in place of the synthetic ones", Extra::MoreReal, &[]),
                tuned("rank-4", "LoRA of rank 4", Extra::Verified, &["train.lora.r=4", "train.lora.alpha=8.0"]),
                tuned("full", "every parameter trained", Extra::Verified, &["train.full=true"]),
                arm("zero-shot", "the base model, asked", Method::ZeroShot, Extra::None, &[]),
                arm("few-shot", "the base model, shown solved examples", Method::FewShot, Extra::None, &[]),
                arm("tf-idf", "TF-IDF and logistic regression on the same rows", Method::TfIdf, Extra::Verified, &[]),
                arm("majority", "always the commonest label", Method::Majority, Extra::None, &[]),
            ],
        }
    }
}

impl AblationConfig {
    /// Refuses a comparison without meaning.
    ///
    /// # Errors
    /// No arm, no seed, or two arms of one name; the error names it.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.arms.is_empty(), "ablation.arms is empty; name at least one arm");
        anyhow::ensure!(!self.seeds.is_empty(), "ablation.seeds is empty; name at least one seed");
        for (at, arm) in self.arms.iter().enumerate() {
            let taken = self.arms[..at].iter().any(|other| other.name == arm.name);
            let plain = !arm.name.is_empty() && arm.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            anyhow::ensure!(plain && !taken, "ablation arm {:?}: names are letters, digits and -, each once", arm.name);
            if let Some(bad) = arm.set.iter().find(|s| s.starts_with("ablation") || s.starts_with("model=")) {
                anyhow::bail!("ablation arm {}: an arm cannot set {bad}", arm.name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunConfig;

    #[test]
    fn every_default_arm_changes_settings_that_exist() {
        let config = RunConfig::default();
        config.ablation.check().unwrap();
        for arm in &config.ablation.arms {
            let changed: RunConfig = cli::resolve(&config, &[], &arm.set).unwrap();
            assert_eq!(changed == config, arm.set.is_empty(), "{}", arm.name);
        }
    }

    #[test]
    fn two_arms_of_one_name_or_a_path_as_a_name_are_refused() {
        for name in ["lora", "../up", ""] {
            let mut settings = AblationConfig::default();
            settings.arms[1].name = name.into();
            assert!(settings.check().unwrap_err().to_string().contains("names are letters"), "{name}");
        }
    }
}
