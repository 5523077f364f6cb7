//! The encoder's arithmetic against its slow twins in f64.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{random, same};
use kernels::encoder::{Activation, activate, layer_norm, multiply, multiply_add, self_attention, twins};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn wide(t: &Tensor) -> Tensor {
    t.to_dtype(DType::F64).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(values: &[f32], like: &Tensor) -> Tensor {
    Tensor::from_slice(values, like.shape(), &Device::Cpu).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_activation_equals_its_twin(seed: u64, rows in 0..40usize, width in 1..700usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (x, bias) = (random(&mut rng, &[rows, width], 8.0), random(&mut rng, &[width], 2.0));
        for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            let mut ours = flat(&x);
            activate(&mut ours, &flat(&bias), kind).unwrap();
            let twin = twins::activate(&wide(&x), &wide(&bias), kind).unwrap();
            same("activation", &tensor(&ours, &x), &twin)?;
        }
    }

    #[test]
    fn layer_norm_equals_its_twin(seed: u64, rows in 0..200usize, width in 2..100usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = random(&mut rng, &[rows, width], 3.0);
        let [bias, gain, shift] = std::array::from_fn(|_| random(&mut rng, &[width], 2.0));
        let mut ours = flat(&x);
        layer_norm(&mut ours, &flat(&bias), &flat(&gain), &flat(&shift), 1e-3).unwrap();
        let twin = twins::layer_norm(&wide(&x), &wide(&bias), &wide(&gain), &wide(&shift), 1e-3).unwrap();
        same("layer norm", &tensor(&ours, &x), &twin)?;
    }

    #[test]
    fn attention_of_texts_equals_its_twin(
        seed: u64,
        lengths in prop::collection::vec(1..70usize, 1..6),
        heads in 1..5usize,
        width in 1..50usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tokens = lengths.iter().sum::<usize>();
        let qkv = random(&mut rng, &[tokens, 3 * heads * width], 2.0);
        let mut ours = vec![f32::NAN; tokens * heads * width];
        self_attention(&mut ours, &flat(&qkv), &lengths, heads).unwrap();
        let twin = twins::self_attention(&wide(&qkv), &lengths, heads).unwrap();
        same("attention", &tensor(&ours, &twin), &twin)?;
    }

    #[test]
    fn products_equal_candles_and_add_to_what_is_there(seed: u64, rows in 0..40usize, inputs in 1..70usize, outputs in 1..70usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (x, w) = (random(&mut rng, &[rows, inputs], 1.0), random(&mut rng, &[outputs, inputs], 1.0));
        let before = random(&mut rng, &[rows, outputs], 1.0);
        let mut ours = flat(&before);
        multiply_add(&mut ours, &flat(&x), &w).unwrap();
        if rows > 0 {
            let product = wide(&x).matmul(&wide(&w).t().unwrap()).unwrap();
            same("sum", &tensor(&ours, &before), &(&product + wide(&before)).unwrap())?;
            multiply(&mut ours, &flat(&x), &w).unwrap();
            same("product", &tensor(&ours, &before), &product)?;
        }
    }
}

#[test]
fn a_text_attends_to_itself_alone_and_to_what_follows() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let qkv = flat(&random(&mut rng, &[12, 24], 1.0));
    let attend = |qkv: &[f32], lengths: &[usize]| {
        let mut out = vec![0f32; lengths.iter().sum::<usize>() * 8];
        self_attention(&mut out, qkv, lengths, 2).unwrap();
        out
    };
    let together = attend(&qkv, &[5, 0, 7]);
    assert_eq!(together[..40], attend(&qkv[..120], &[5]));
    assert_eq!(together[40..], attend(&qkv[120..], &[7]));
    let mut last_changed = qkv.clone();
    last_changed[4 * 24 + 16] += 1.0;
    assert_ne!(attend(&last_changed, &[5, 7])[..8], together[..8]);
}

#[test]
fn nan_stays_nan_and_sizes_that_do_not_fit_are_named() {
    let mut x = [f32::NAN, 1.0];
    for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let mut x = x;
        activate(&mut x, &[0.0; 2], kind).unwrap();
        assert!(x[0].is_nan() && x[1] > 0.8, "{kind:?}: {x:?}");
    }
    layer_norm(&mut x, &[0.0; 2], &[1.0; 2], &[0.0; 2], 1e-12).unwrap();
    assert!(x[0].is_nan());
    let message = layer_norm(&mut x, &[0.0; 3], &[1.0; 2], &[0.0; 2], 1e-12).unwrap_err().to_string();
    assert!(message.contains("bias") && message.contains("[3]") && message.contains("2 numbers"), "{message}");
    let message = activate(&mut [0.0; 5], &[0.0; 2], Activation::Relu).unwrap_err().to_string();
    assert!(message.contains("encoder::activate") && message.contains("[5]"), "{message}");
    let w = Tensor::zeros((3, 2), DType::F32, &Device::Cpu).unwrap();
    let message = multiply(&mut [0.0; 5], &[0.0; 4], &w).unwrap_err().to_string();
    assert!(message.contains('y') && message.contains("6 numbers"), "{message}");
    let message = self_attention(&mut [0.0; 8], &[0.0; 23], &[2], 2).unwrap_err().to_string();
    assert!(message.contains("qkv") && message.contains("24 numbers"), "{message}");
}
