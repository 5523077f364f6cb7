//! The backward pass of a block.

use super::{Attention, Before, Block, GATE_UP, KV, KeyValue, Mlp, ONE, Q, QKV, Saved, Stream, at, positions_at, rows};
use crate::Result;
use candle_core::Tensor;
use lora::GradientSum;

/// What the backward pass of a block gives, beside the gradients of what is trained.
pub(crate) struct BlockGradients {
    /// Of the block's input, if asked for.
    pub(crate) x: Option<Tensor>,
    /// Of the shared keys and values.
    pub(crate) shared: Option<KeyValue>,
}

/// Where the gradients of one pass come from and go to.
pub(crate) struct Flow<'a> {
    /// Of the block's output; None where only its keys and values were used.
    pub(crate) d_out: Option<Tensor>,
    /// Of the block's own keys and values from rows of other passes.
    pub(crate) d_own: Option<KeyValue>,
    pub(crate) input_gradient: bool,
    pub(crate) sum: &'a mut GradientSum,
}

impl BlockGradients {
    const NONE: Self = Self { x: None, shared: None };
}

impl Block {
    /// The backward pass. `shared` are the keys and values that the forward pass was given.
    pub(crate) fn backward(
        &self,
        saved: Saved,
        stream: &Stream<'_>,
        shared: Option<&KeyValue>,
        mut flow: Flow<'_>,
    ) -> Result<BlockGradients> {
        let Saved { x, asking, mut attention, middle, mlp } = saved;
        let asking = asking.as_deref();
        let tokens = x.dim(0)?;
        let before = || shared.cloned().map_or(Before::Nothing, Before::Shared);
        let attention_input = flow.input_gradient || self.qkv.is_trainable() || self.input_norm.var().is_some();

        let Some(d_out) = flow.d_out.take() else {
            let attention = attention.map_or_else(|| self.attend(&x, stream, before(), asking), Ok)?;
            let Some(d_own) = flow.d_own.take() else { return Ok(BlockGradients::NONE) };
            let x = self.keys_backward(&x, &attention, d_own, None, stream, &mut flow)?;
            return Ok(BlockGradients { x, shared: None });
        };

        let middle = if let Some(middle) = middle {
            middle
        } else {
            let again = attention.take().map_or_else(|| self.attend(&x, stream, before(), asking), Ok)?;
            let (middle, kept_o) = self.o.forward(ONE, &again.mixed, Some(&at(&x, asking)?), stream.dropout)?;
            attention = Some(Attention { kept_o, ..again });
            middle
        };
        let d_middle = self.mlp_backward(&middle, mlp, &d_out, stream, flow.sum)?;
        if !attention_input && !self.o.is_trainable() {
            return Ok(BlockGradients::NONE);
        }

        let attention = if let Some(attention) = attention {
            attention
        } else {
            let again = self.attend(&x, stream, before(), asking)?;
            // Only the branch of the output projection is missing, not the projection itself.
            let kept_o = self.o.branches(ONE, &again.mixed, stream.dropout)?;
            Attention { kept_o, ..again }
        };
        let d_mixed = self.o.backward(
            ONE,
            &attention.mixed,
            &attention.kept_o,
            &d_middle,
            attention_input,
            stream.dropout,
            flow.sum,
        )?;
        let Some(d_mixed) = d_mixed.filter(|_| attention_input) else {
            return Ok(BlockGradients::NONE);
        };
        let shared_tokens = attention.k.dim(0)? - tokens;
        let d_mixed = d_mixed.reshape(attention.q.shape())?;
        let geometry = rows(stream, shared_tokens, asking);
        let (d_q, d_k, d_v) =
            kernels::attention_backward(&attention.q, &attention.k, &attention.v, &geometry, &d_mixed)?;
        let split = |d: &Tensor| -> Result<(Tensor, Tensor)> {
            Ok((d.narrow(0, 0, shared_tokens)?, d.narrow(0, shared_tokens, tokens)?))
        };
        let ((shared_k, own_k), (shared_v, own_v)) = (split(&d_k)?, split(&d_v)?);
        let shared = (shared_tokens > 0).then_some((shared_k, shared_v));
        let (own_k, own_v) = match flow.d_own.take() {
            Some((k, v)) => ((own_k + k)?, (own_v + v)?),
            None => (own_k, own_v),
        };
        let own = (own_k, own_v);
        let x = if let Some(asking) = asking {
            let asked = Some((asking, d_q, d_middle));
            self.keys_backward(&x, &attention, own, asked, stream, &mut flow)?
        } else {
            self.fused_backward(&x, &attention, (d_q, own), &d_middle, stream, &mut flow)?
        };
        Ok(BlockGradients { x, shared })
    }

    /// The gradient of the stream before the MLP.
    fn mlp_backward(
        &self,
        middle: &Tensor,
        mlp: Option<Mlp>,
        d_out: &Tensor,
        stream: &Stream<'_>,
        sum: &mut GradientSum,
    ) -> Result<Tensor> {
        let norm_weight = self.post_norm.value();
        let eps = stream.config.rms_norm_eps;
        let (mlp, activated) = if let Some(mlp) = mlp {
            let activated = kernels::swiglu(&mlp.gate_up)?;
            (mlp, activated)
        } else {
            let (mlp, activated) = self.expand(middle, stream)?;
            let kept_down = self.down.branches(ONE, &activated, stream.dropout)?;
            (Mlp { kept_down, ..mlp }, activated)
        };
        let d_activated = self.down.backward(ONE, &activated, &mlp.kept_down, d_out, true, stream.dropout, sum)?;
        drop(activated);
        let Some(d_activated) = d_activated else { return Ok(d_out.clone()) };
        let d_gate_up = kernels::swiglu_backward(&mlp.gate_up, &d_activated)?;
        drop(d_activated);
        let norm = kernels::rms_norm(middle, &norm_weight, eps)?;
        let d_norm = self.gate_up.backward(GATE_UP, &norm, &mlp.kept, &d_gate_up, true, stream.dropout, sum)?;
        let Some(d_norm) = d_norm else { return Ok(d_out.clone()) };
        let var = self.post_norm.var();
        let (d_middle, d_weight) =
            kernels::rms_norm_backward(middle, &norm_weight, eps, &d_norm, Some(d_out), var.is_some())?;
        if let (Some(var), Some(d_weight)) = (var, d_weight) {
            sum.add(var, d_weight)?;
        }
        Ok(d_middle)
    }

    /// Where queries, keys and values were one product: the gradient of the input.
    fn fused_backward(
        &self,
        x: &Tensor,
        attention: &Attention,
        (d_q, (d_k, d_v)): (Tensor, KeyValue),
        d_middle: &Tensor,
        stream: &Stream<'_>,
        flow: &mut Flow<'_>,
    ) -> Result<Option<Tensor>> {
        let config = stream.config;
        let d_qkv = Tensor::cat(&[d_q, d_k, d_v], 1)?;
        let rotated = config.num_attention_heads + config.num_key_value_heads;
        let d_qkv = kernels::rope_backward(&d_qkv, stream.cos, stream.sin, stream.positions, rotated)?;
        let d_qkv = d_qkv.flatten_from(1)?;
        let norm = kernels::rms_norm(x, &self.input_norm.value(), config.rms_norm_eps)?;
        let kept = attention.kept.first().cloned().unwrap_or_default();
        let wanted = flow.input_gradient || self.input_norm.var().is_some();
        let d_norm = self.qkv.backward(QKV, &norm, &kept, &d_qkv, wanted, stream.dropout, flow.sum)?;
        d_norm.map(|d| self.input_norm_backward(x, &d, Some(d_middle), stream, flow)).transpose()
    }

    /// Where keys and values were computed apart from the queries: the gradient of the input. `asked` are the asking
    /// tokens with the gradients of their queries and of the stream after the attention.
    fn keys_backward(
        &self,
        x: &Tensor,
        attention: &Attention,
        (d_k, d_v): KeyValue,
        asked: Option<(&[u32], Tensor, Tensor)>,
        stream: &Stream<'_>,
        flow: &mut Flow<'_>,
    ) -> Result<Option<Tensor>> {
        let config = stream.config;
        let tokens = x.dim(0)?;
        let wanted = flow.input_gradient || self.input_norm.var().is_some();
        let d_kv = Tensor::cat(&[d_k, d_v], 1)?;
        let d_kv = kernels::rope_backward(&d_kv, stream.cos, stream.sin, stream.positions, config.num_key_value_heads)?;
        let norm = kernels::rms_norm(x, &self.input_norm.value(), config.rms_norm_eps)?;
        let mut kept = attention.kept.iter();
        let kept_kv = kept.next().cloned().unwrap_or_default();
        let d_kv = d_kv.flatten_from(1)?;
        let mut d_norm = self.qkv.backward(KV, &norm, &kept_kv, &d_kv, wanted, stream.dropout, flow.sum)?;
        let mut around = None;
        if let Some((asking, d_q, d_middle)) = asked {
            let positions = positions_at(stream.positions, asking);
            let d_q = kernels::rope_backward(&d_q, stream.cos, stream.sin, &positions, config.num_attention_heads)?;
            let kept_q = kept.next().cloned().unwrap_or_default();
            let norm = kernels::gather_rows(&norm, asking)?;
            let d_q = d_q.flatten_from(1)?;
            let d_norm_q = self.qkv.backward(Q, &norm, &kept_q, &d_q, wanted, stream.dropout, flow.sum)?;
            if let (Some(all), Some(some)) = (d_norm, d_norm_q) {
                d_norm = Some((all + kernels::gather_rows_backward(&some, asking, tokens)?)?);
            } else {
                d_norm = None;
            }
            around = Some(kernels::gather_rows_backward(&d_middle, asking, tokens)?);
        }
        d_norm.map(|d| self.input_norm_backward(x, &d, around.as_ref(), stream, flow)).transpose()
    }

    fn input_norm_backward(
        &self,
        x: &Tensor,
        d_norm: &Tensor,
        around: Option<&Tensor>,
        stream: &Stream<'_>,
        flow: &mut Flow<'_>,
    ) -> Result<Tensor> {
        let var = self.input_norm.var();
        let (weight, eps) = (self.input_norm.value(), stream.config.rms_norm_eps);
        let (d_x, d_weight) = kernels::rms_norm_backward(x, &weight, eps, d_norm, around, var.is_some())?;
        if let (Some(var), Some(d_weight)) = (var, d_weight) {
            flow.sum.add(var, d_weight)?;
        }
        Ok(d_x)
    }
}
