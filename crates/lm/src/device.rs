use crate::{Error, Result};
use candle_core::Device;

/// The device called `name`: `cpu`, `cuda` (the first card) or `cuda:1`.
///
/// # Errors
/// [`Error::Device`], for an unknown name, a build without CUDA, or a driver that does not answer. Nothing falls back to the
/// CPU in silence.
pub fn device(name: &str) -> Result<Device> {
    let refuse = |message: String| Err(Error::Device { name: name.into(), message });
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let number = match name.strip_prefix("cuda") {
        Some("") => Ok(0),
        Some(rest) => rest.strip_prefix(':').unwrap_or("?").parse::<usize>(),
        None => "?".parse(),
    };
    let Ok(number) = number else { return refuse("known are cpu, cuda and cuda:N".into()) };
    // candle says here whether the feature was compiled in, not whether there is a card.
    if !candle_core::utils::cuda_is_available() {
        return refuse("this program was built without it; build with `--features cuda`, or use --device cpu".into());
    }
    Device::new_cuda(number)
        .or_else(|e| refuse(format!("the card does not answer ({e}); check the driver, or use --device cpu")))
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_device_that_is_not_there_is_an_error_that_names_the_way_out() {
        assert!(device("cpu").is_ok());
        for name in ["gpu", "cuda:", "cuda:x", "cuda1"] {
            let error = device(name).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("known are cpu, cuda and cuda:N"), "{error}");
        }
        if let Err(error) = device("cuda") {
            assert!(error.to_string().contains("--device cpu"), "{error}");
        }
    }
}
