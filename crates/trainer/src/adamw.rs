//! AdamW as torch computes it, and clipping by the global norm.

use crate::Error;
use candle_core::{DType, Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// AdamW with decoupled weight decay (Loshchilov & Hutter 2019), step by step as `torch.optim.AdamW`:
/// p −= lr·wd·p; m and v are running averages of g and g²; p −= lr·m̂ / (√v̂ + ε).
///
/// ```
/// use candle_core::{Device, Var};
/// use std::collections::BTreeMap;
/// use trainer::adamw::AdamW;
/// let p = Var::new(&[1f32], &Device::Cpu)?;
/// let gradients = BTreeMap::from([("p".to_owned(), candle_core::Tensor::new(&[0.5f32], &Device::Cpu)?)]);
/// let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.0);
/// adamw.step(&[("p".to_owned(), p.clone())], &gradients, |_| 0.1)?;
/// assert!((p.as_tensor().to_vec1::<f32>()?[0] - 0.9).abs() < 1e-6); // the first step has length lr
/// # Ok::<(), trainer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AdamW {
    betas: (f64, f64),
    epsilon: f64,
    weight_decay: f64,
    steps: u64,
    moments: BTreeMap<String, Moments>,
    /// What [`AdamW::restore`] was given, until the first step asks for it.
    restored: BTreeMap<String, Tensor>,
}

#[derive(Debug, Clone)]
struct Moments {
    shape: Vec<usize>,
    first: Vec<f32>,
    second: Vec<f32>,
}

const FIRST: &str = "/m";
const SECOND: &str = "/v";

impl AdamW {
    /// An optimizer that has made no step.
    pub fn new(betas: (f64, f64), epsilon: f64, weight_decay: f64) -> Self {
        Self { betas, epsilon, weight_decay, steps: 0, moments: BTreeMap::new(), restored: BTreeMap::new() }
    }

    /// Changes every variable by its gradient, at the learning rate of its name. A variable without gradient is an
    /// error, never skipped.
    ///
    /// # Shapes
    /// Each gradient has its variable's shape. Computed in f32.
    pub fn step(
        &mut self,
        variables: &[(String, Var)],
        gradients: &BTreeMap<String, Tensor>,
        learning_rate: impl Fn(&str) -> f64 + Sync,
    ) -> Result<(), Error> {
        let step = self.steps + 1;
        refuse_missing(step, variables, gradients)?;
        for (name, variable) in variables {
            self.prepare(name, variable)?;
        }
        self.steps = step;
        let (beta1, beta2) = self.betas;
        let exponent = step as f64;
        let first_correction = 1.0 - beta1.powf(exponent);
        let second_correction = (1.0 - beta2.powf(exponent)).sqrt() as f32;
        let (rest1, beta2, rest2) = ((1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32);
        let (epsilon, weight_decay) = (self.epsilon as f32, self.weight_decay);
        let variables: BTreeMap<&str, &Var> = variables.iter().map(|(name, var)| (name.as_str(), var)).collect();
        let mut all: Vec<_> = self.moments.iter_mut().collect();
        // Every element by itself: the same bits for any number of threads.
        all.par_iter_mut().try_for_each(|(name, moments)| {
            let (Some(variable), Some(gradient)) = (variables.get(name.as_str()), gradients.get(name.as_str())) else {
                return Ok(());
            };
            let rate = learning_rate(name);
            let (step_size, shrink) = ((rate / first_correction) as f32, (1.0 - rate * weight_decay) as f32);
            let mut parameter = floats(variable.as_tensor())?;
            let gradient = floats(gradient)?;
            let averages = moments.first.iter_mut().zip(&mut moments.second);
            for ((p, g), (m, v)) in parameter.iter_mut().zip(&gradient).zip(averages) {
                *p *= shrink;
                *m += (g - *m) * rest1;
                *v = *v * beta2 + rest2 * g * g;
                *p -= step_size * (*m / (v.sqrt() / second_correction + epsilon));
            }
            let updated = Tensor::from_vec(parameter, variable.shape(), variable.device())?;
            Ok(variable.set(&updated.to_dtype(variable.dtype())?)?)
        })
    }

    /// Zeros before the first step; later the restored averages, which must be there.
    fn prepare(&mut self, name: &str, variable: &Var) -> Result<(), Error> {
        if self.moments.contains_key(name) {
            return Ok(());
        }
        let shape = variable.dims().to_vec();
        let mut take = |end: &str| {
            let key = format!("{name}{end}");
            match self.restored.remove(&key) {
                Some(tensor) if tensor.dims() == shape => floats(&tensor),
                Some(tensor) => Err(candle_core::Error::msg(format!(
                    "optimizer state `{key}` has shape {:?}, its parameter {shape:?}; delete the checkpoint to begin again",
                    tensor.dims()
                ))
                .into()),
                None if self.steps == 0 => Ok(vec![0.0; variable.elem_count()]),
                None => Err(candle_core::Error::msg(format!(
                    "optimizer state `{key}` is missing after {} updates; delete the checkpoint to begin again",
                    self.steps
                ))
                .into()),
            }
        };
        let (first, second) = (take(FIRST)?, take(SECOND)?);
        self.moments.insert(name.to_owned(), Moments { shape, first, second });
        Ok(())
    }

    /// The running averages under `<variable>/m` and `<variable>/v`; with the number of steps, all there is to resume.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = self.restored.clone();
        for (name, moments) in &self.moments {
            for (end, values) in [(FIRST, &moments.first), (SECOND, &moments.second)] {
                let tensor = Tensor::from_slice(values, moments.shape.as_slice(), &candle_core::Device::Cpu);
                // Values and shape come from one variable, so this cannot fail.
                state.extend(tensor.ok().map(|t| (format!("{name}{end}"), t)));
            }
        }
        state
    }

    /// Continues after `steps` steps with what [`AdamW::state`] gave. What is missing or misshapen shows at the next step.
    pub fn restore(&mut self, steps: u64, state: BTreeMap<String, Tensor>) {
        self.steps = steps;
        self.moments.clear();
        self.restored = state;
    }
}

fn floats(tensor: &Tensor) -> Result<Vec<f32>, Error> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

/// Fails with the names of all variables that no gradient reached: they would silently stay as they are.
///
/// # Errors
/// [`Error::NoGradient`]
pub fn refuse_missing(
    step: u64,
    variables: &[(String, Var)],
    gradients: &BTreeMap<String, Tensor>,
) -> Result<(), Error> {
    let missing: Vec<&str> =
        variables.iter().map(|(name, _)| name.as_str()).filter(|name| !gradients.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::NoGradient { step, missing: missing.len(), of: variables.len(), names: missing.join(", ") })
}

/// Scales all gradients by min(1, limit / (norm + 1e-6)), as `torch.nn.utils.clip_grad_norm_`, and returns the global
/// norm from before, summed in f64: each tensor by itself, then all in order of name.
pub fn clip_gradients(gradients: &mut BTreeMap<String, Tensor>, limit: f64) -> Result<f64, Error> {
    let norm = squares(gradients)?.iter().map(|(_, sum)| sum).sum::<f64>().sqrt();
    let factor = limit / (norm + 1e-6);
    if factor < 1.0 {
        for gradient in gradients.values_mut() {
            *gradient = gradient.affine(factor, 0.0)?;
        }
    }
    Ok(norm)
}

/// The first gradient, by name, that holds an infinity or a NaN.
pub fn first_not_finite(gradients: &BTreeMap<String, Tensor>) -> Result<Option<String>, Error> {
    Ok(squares(gradients)?.into_iter().find(|(_, sum)| !sum.is_finite()).map(|(name, _)| name.to_owned()))
}

/// The sum of squares of each gradient.
fn squares(gradients: &BTreeMap<String, Tensor>) -> Result<Vec<(&str, f64)>, Error> {
    let all: Vec<(&str, &Tensor)> = gradients.iter().map(|(name, gradient)| (name.as_str(), gradient)).collect();
    let sum = |values: Vec<f32>| values.into_iter().map(|g| f64::from(g) * f64::from(g)).sum::<f64>();
    all.into_par_iter().map(|(name, gradient)| Ok((name, sum(floats(gradient)?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn gradient(values: &[f32]) -> BTreeMap<String, Tensor> {
        BTreeMap::from([("p".to_owned(), Tensor::new(values, &Device::Cpu).unwrap())])
    }

    fn variable(values: &[f32]) -> Vec<(String, Var)> {
        vec![("p".to_owned(), Var::new(values, &Device::Cpu).unwrap())]
    }

    fn values(variables: &[(String, Var)]) -> Vec<f32> {
        variables[0].1.as_tensor().to_vec1().unwrap()
    }

    #[test]
    fn three_steps_equal_the_formula_in_f64() {
        let (lr, wd, b1, b2, eps) = (0.01, 0.1, 0.9, 0.95, 1e-8);
        let start = [0.5f32, -2.0, 3.0];
        let steps = [[0.1f32, -0.2, 0.0], [1.5, 0.3, -0.7], [-0.4, 0.2, 1e-3]];
        let variables = variable(&start);
        let mut adamw = AdamW::new((b1, b2), eps, wd);
        for g in &steps {
            adamw.step(&variables, &gradient(g), |_| lr).unwrap();
        }
        for (i, found) in values(&variables).into_iter().enumerate() {
            let (mut p, mut m, mut v) = (f64::from(start[i]), 0.0, 0.0);
            for (n, g) in (1..).zip(&steps) {
                let g = f64::from(g[i]);
                p -= lr * wd * p;
                m = b1 * m + (1.0 - b1) * g;
                v = b2 * v + (1.0 - b2) * g * g;
                p -= lr * (m / (1.0 - b1.powi(n))) / ((v / (1.0 - b2.powi(n))).sqrt() + eps);
            }
            assert!((f64::from(found) - p).abs() < 1e-6, "{i}: {found} and {p}");
        }
    }

    #[test]
    fn restored_state_continues_bit_for_bit() {
        let gradients = [[0.3f32, -0.1], [0.2, 0.9], [-0.5, 0.4]].map(|g| gradient(&g));
        let whole = variable(&[1.0, -1.0]);
        let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.01);
        let parts = variable(&[1.0, -1.0]);
        let mut first = adamw.clone();
        for g in &gradients {
            adamw.step(&whole, g, |_| 0.1).unwrap();
        }
        first.step(&parts, &gradients[0], |_| 0.1).unwrap();
        let mut second = AdamW::new((0.9, 0.999), 1e-8, 0.01);
        second.restore(1, first.state());
        for g in &gradients[1..] {
            second.step(&parts, g, |_| 0.1).unwrap();
        }
        assert_eq!(values(&whole), values(&parts));
        assert_eq!(adamw.state().len(), 2);
    }

    #[test]
    fn a_variable_without_gradient_or_state_is_an_error_that_names_it() {
        let variables = variable(&[1.0]);
        let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.0);
        let error = adamw.step(&variables, &BTreeMap::new(), |_| 0.1).unwrap_err().to_string();
        assert!(error.contains("update 1: 1 of 1 trained tensors got no gradient (p)"), "{error}");
        adamw.restore(4, BTreeMap::new());
        let error = adamw.step(&variables, &gradient(&[1.0]), |_| 0.1).unwrap_err().to_string();
        assert!(error.contains("`p/m` is missing after 4 updates"), "{error}");
    }

    #[test]
    fn clipping_scales_to_the_limit_and_reports_the_norm_from_before() {
        let mut gradients = gradient(&[3.0, 4.0]);
        assert!((clip_gradients(&mut gradients, 10.0).unwrap() - 5.0).abs() < 1e-12);
        assert_eq!(gradients["p"].to_vec1::<f32>().unwrap(), [3.0, 4.0]);
        clip_gradients(&mut gradients, 1.0).unwrap();
        assert!((clip_gradients(&mut gradients, 1.0).unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn each_name_moves_at_its_own_rate_and_a_bad_gradient_is_named() {
        let variables: Vec<_> = ["a", "b"].map(|n| (n.to_owned(), Var::new(&[1f32], &Device::Cpu).unwrap())).into();
        let gradients = |a: f32| {
            let tensor = |v: f32| Tensor::new(&[v], &Device::Cpu).unwrap();
            BTreeMap::from([("a".to_owned(), tensor(a)), ("b".to_owned(), tensor(0.5))])
        };
        let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.0);
        adamw.step(&variables, &gradients(0.5), |name| if name == "b" { 0.16 } else { 0.01 }).unwrap();
        // The first step has the length of the learning rate.
        let moved = |i: usize| 1.0 - variables[i].1.as_tensor().to_vec1::<f32>().unwrap()[0];
        assert!((moved(0) - 0.01).abs() < 1e-6 && (moved(1) - 0.16).abs() < 1e-6, "{} {}", moved(0), moved(1));
        assert_eq!(first_not_finite(&gradients(0.5)).unwrap(), None);
        assert_eq!(first_not_finite(&gradients(f32::NAN)).unwrap().as_deref(), Some("a"));
    }
}
