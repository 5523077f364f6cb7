use std::path::PathBuf;

/// Everything that can be wrong with an adapter or a tensor file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{}: not a safetensors file ({message}); download or write it again", path.display())]
    BadTensorFile { path: PathBuf, message: String },
    #[error("{}: tensor `{name}` has dtype {dtype}; readable are F64, F32, F16 and BF16", path.display())]
    Dtype { path: PathBuf, name: String, dtype: String },
    #[error("{}: tensor `{name}` is missing; it has {present}", path.display())]
    MissingTensor { path: PathBuf, name: String, present: String },
    #[error("{}: unknown tensor `{name}`; this model expects {expected}", path.display())]
    UnknownTensor { path: PathBuf, name: String, expected: String },
    #[error("{}: tensor `{name}` has shape {found:?}, expected {expected:?}", path.display())]
    Shape { path: PathBuf, name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("{}: not an adapter_config.json ({message})", path.display())]
    BadConfig { path: PathBuf, message: String },
    #[error("{}: `{field}` is {found}, which would change the result; {supported}", path.display())]
    Unsupported { path: PathBuf, field: String, found: String, supported: &'static str },
    #[error("LoRA {field} is {found}; it must be {expected}")]
    BadSetting { field: &'static str, found: String, expected: &'static str },
    #[error("LoRA target `{target}` matches no linear layer; the model has {choices}")]
    UnknownTarget { target: String, choices: String },
    #[error("`{layer}` already carries an adapter; merge it or load the base model again")]
    AlreadyAdapted { layer: String },
    #[error("`{layer}` is trainable itself; attach adapters to a frozen model")]
    NotFrozen { layer: String },
    #[error("the model carries no adapter; attach or load one first")]
    NoAdapter,
    #[error(
        "base model name `{name}` is a path on this machine; give its Hub id, such as `meta-llama/Llama-3.2-1B-Instruct`"
    )]
    LocalBaseModel { name: String },
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
