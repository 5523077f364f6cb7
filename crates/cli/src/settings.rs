use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Lays `over` upon `base`: tables merge key by key, everything else is replaced.
pub fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Defaults, then each layer in turn, then single settings written `a.b=value` (a TOML value, or plain text).
///
/// # Errors
/// A setting that the type does not know, or of the wrong type; a `set` without `=`.
pub fn resolve<C: Serialize + DeserializeOwned>(defaults: &C, layers: &[Table], set: &[String]) -> anyhow::Result<C> {
    let mut table = Table::try_from(defaults).context("defaults cannot be written as TOML")?;
    for layer in layers {
        merge(&mut table, layer.clone());
    }
    for assignment in set {
        let Some((key, text)) = assignment.split_once('=') else {
            bail!("--set {assignment}: write it as key=value");
        };
        let value = toml::from_str::<Table>(&format!("v = {text}"))
            .ok()
            .and_then(|mut t| t.remove("v"))
            .unwrap_or_else(|| Value::String(text.to_owned()));
        let mut layer = value;
        for part in key.rsplit('.') {
            layer = Value::Table(Table::from_iter([(part.to_owned(), layer)]));
        }
        if let Value::Table(layer) = layer {
            merge(&mut table, layer);
        }
    }
    table.try_into().context("settings")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        rank: u32,
        inner: Inner,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        name: String,
        rate: f64,
    }
    fn defaults() -> Config {
        Config { rank: 8, inner: Inner { name: "a".into(), rate: 0.1 } }
    }

    #[test]
    fn later_layers_win_and_leave_the_rest_alone() {
        let file: Table = toml::from_str("[inner]\nrate = 0.5").unwrap();
        let config = resolve(&defaults(), &[file], &["rank=16".into(), "inner.name=b c".into()]).unwrap();
        assert_eq!(config, Config { rank: 16, inner: Inner { name: "b c".into(), rate: 0.5 } });
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let error = resolve(&defaults(), &[], &["inner.rat=1".into()]).unwrap_err();
        assert!(format!("{error:#}").contains("rat"), "{error:#}");
    }
}
