use crate::rows::map_blocks;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

/// Elements of a row that share one scale. Both kinds use 64: QLoRA's choice for nf4, and for int8 it halves the error that
/// one scale for a whole row leaves on weights with outliers, for 6 % more memory.
pub(crate) const BLOCK: usize = 64;

/// The sixteen levels of 4-bit NormalFloat: quantiles of the normal distribution scaled to [−1, 1], with an exact zero
/// (Dettmers et al. 2023, "QLoRA: Efficient Finetuning of Quantized LLMs", appendix E).
pub(crate) const NF4: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// Rows that are quantised together.
const PIECE: usize = 4096;

/// How a frozen weight is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantisation {
    /// 8 bits: a multiple of absmax/127. 1.06 bytes an element.
    Int8,
    /// As [`Quantisation::Int8`], with the absmax of the whole row. Where a processor has a unit for them (AVX-512 VNNI), products of more than
    /// eight rows run in whole numbers: they round the other operand to 8 bits too, with a scale for each 512 neighbours.
    Int8Rows,
    /// 4 bits: one of sixteen levels times absmax. 0.56 bytes an element.
    Nf4,
}

impl Quantisation {
    /// Bytes of the codes of one block.
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Int8Rows => BLOCK,
            Self::Nf4 => BLOCK / 2,
        }
    }
}

/// A matrix in blocks of 64 neighbours of a row: 8- or 4-bit codes, and the f32 scale of each block. The last block of a
/// row is filled up with zeros.
#[derive(Debug, Clone)]
pub struct Quantised {
    kind: Quantisation,
    columns: usize,
    /// u8 `[rows, blocks · bytes of a block]`. int8: code + 128. nf4: see [`nibble`].
    codes: Tensor,
    /// f32 `[rows, blocks]`.
    scales: Tensor,
}

/// The byte of a block's 32, and the bit in it, where nf4 keeps element `e`. Ordered for vectors of four-byte words, which
/// unpack within halves of 16 bytes: the eight elements of one vector lie at four neighbouring bytes of each half.
pub(crate) const fn nibble(e: usize) -> (usize, usize) {
    let (high, e) = (e / 32, e % 32);
    let (vector, lane) = (e / 8, e % 8);
    (16 * (lane / 4) + 4 * vector + lane % 4, 4 * high)
}

impl Quantised {
    /// Quantises a matrix of floats. A NaN makes its whole block NaN.
    ///
    /// # Shapes
    /// `matrix` `[out, in]`.
    ///
    /// # Errors
    /// Not a matrix, or a dtype that does not convert to f32.
    pub fn new(matrix: &Tensor, kind: Quantisation) -> Result<Self> {
        let (rows, columns) = matrix.dims2()?;
        let device = matrix.device().clone();
        let blocks = columns.div_ceil(BLOCK);
        let (mut codes, mut scales) =
            (Vec::with_capacity(rows * blocks * kind.block_bytes()), Vec::with_capacity(rows * blocks));
        // Widened piece by piece: an embedding in f32 would take four times what is left of it.
        for first in (0..rows).step_by(PIECE) {
            let values = matrix.narrow(0, first, PIECE.min(rows - first))?.to_device(&Device::Cpu)?;
            let values = values.to_dtype(DType::F32)?.contiguous()?;
            let values = crate::raw::floats(&values)?;
            let parts = encode_rows(kind, &values, columns);
            for (part, part_scales) in parts {
                codes.extend(part);
                scales.extend(part_scales);
            }
        }
        let codes = Tensor::from_vec(codes, (rows, blocks * kind.block_bytes()), &device)?;
        let scales = Tensor::from_vec(scales, (rows, blocks), &device)?;
        Ok(Self { kind, columns, codes, scales })
    }

    /// How it is stored.
    pub fn kind(&self) -> Quantisation {
        self.kind
    }

    /// Outputs and inputs.
    pub fn dims(&self) -> (usize, usize) {
        (self.codes.dims().first().copied().unwrap_or(0), self.columns)
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        self.codes.device().clone()
    }

    /// Bytes of codes and scales.
    pub fn bytes(&self) -> usize {
        self.codes.elem_count() + self.scales.elem_count() * size_of::<f32>()
    }

    pub(crate) fn codes(&self) -> &Tensor {
        &self.codes
    }

    pub(crate) fn scales(&self) -> &Tensor {
        &self.scales
    }

    pub(crate) fn narrow(&self, start: usize, len: usize) -> Result<Self> {
        let (codes, scales) = (self.codes.narrow(0, start, len)?, self.scales.narrow(0, start, len)?);
        Ok(Self { codes, scales, ..*self })
    }

    /// Rows by number.
    pub(crate) fn gather(&self, ids: &[u32]) -> Result<Self> {
        let (rows, _) = self.dims();
        crate::gather::check(ids, rows)?;
        let ids = Tensor::new(ids, self.codes.device())?;
        let (codes, scales) = (self.codes.index_select(&ids, 0)?, self.scales.index_select(&ids, 0)?);
        Ok(Self { codes, scales, ..*self })
    }

    pub(crate) fn stack(parts: &[&Self]) -> Result<Self> {
        let Some(first) = parts.first() else { return Err(Error::Stack { dense: 0, quantised: 0 }.into()) };
        for part in parts {
            if part.kind != first.kind || part.columns != first.columns {
                return Err(Error::StackKinds {
                    first: first.kind,
                    first_inputs: first.columns,
                    other: part.kind,
                    other_inputs: part.columns,
                }
                .into());
            }
        }
        let all = |of: fn(&Self) -> &Tensor| Tensor::cat(&parts.iter().map(|p| of(p)).collect::<Vec<_>>(), 0);
        Ok(Self { codes: all(Self::codes)?, scales: all(Self::scales)?, ..(**first).clone() })
    }

    /// The f32 matrix it stands for, with candle's primitives, on any device.
    pub fn to_dense(&self) -> Result<Tensor> {
        let (rows, blocks) = self.scales.dims2()?;
        if rows == 0 || blocks == 0 {
            return Tensor::zeros((rows, self.columns), DType::F32, self.codes.device());
        }
        let levels = match self.kind {
            Quantisation::Int8 | Quantisation::Int8Rows => ((self.codes.to_dtype(DType::F32)? - 128.0)? / 127.0)?,
            Quantisation::Nf4 => {
                let pairs: Vec<f32> = (0..256usize).flat_map(|byte| [NF4[byte % 16], NF4[byte / 16]]).collect();
                let pairs = Tensor::from_vec(pairs, (256, 2), self.codes.device())?;
                // candle takes the largest value of an index type for "none", and 255 is a code.
                let codes = self.codes.to_dtype(DType::U32)?.contiguous()?.flatten_all()?;
                // [.., half, vector, lane in half, nibble] -> [.., nibble, vector, half, lane in half], as `nibble` says
                let levels = pairs.index_select(&codes, 0)?.reshape(&[rows * blocks, 2, 4, 4, 2][..])?;
                levels.permute([0, 4, 2, 1, 3])?.contiguous()?
            }
        };
        let levels = levels.reshape((rows, blocks, BLOCK))?;
        let values = levels.broadcast_mul(&self.scales.unsqueeze(2)?)?;
        values.reshape((rows, blocks * BLOCK))?.narrow(1, 0, self.columns)?.contiguous()
    }
}

/// Codes and scales of some rows, part by part.
fn encode_rows(kind: Quantisation, values: &[f32], columns: usize) -> Vec<(Vec<u8>, Vec<f32>)> {
    let (rows, blocks) = (values.len() / columns.max(1), columns.div_ceil(BLOCK));
    map_blocks(rows, columns, |range| {
        let mut codes = vec![0; range.len() * blocks * kind.block_bytes()];
        let mut scales = Vec::with_capacity(range.len() * blocks);
        for (row, codes) in range.zip(codes.chunks_exact_mut((blocks * kind.block_bytes()).max(1))) {
            let row = &values[row * columns..(row + 1) * columns];
            let whole = (kind == Quantisation::Int8Rows).then(|| largest(row));
            for (block, target) in row.chunks(BLOCK).zip(codes.chunks_exact_mut(kind.block_bytes())) {
                let scale = whole.unwrap_or_else(|| largest(block));
                encode(kind, block, scale, target);
                scales.push(scale);
            }
        }
        (codes, scales)
    })
}

/// The largest magnitude; NaN if one is.
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| if m.is_nan() || v.abs() <= m { m } else { v.abs() })
}

/// Writes the codes of one block (at most [`BLOCK`] values).
fn encode(kind: Quantisation, values: &[f32], scale: f32, codes: &mut [u8]) {
    let shrunk = |e: usize| match values.get(e) {
        Some(v) if scale > 0.0 => v / scale,
        _ => 0.0,
    };
    for e in 0..BLOCK {
        match kind {
            Quantisation::Int8 | Quantisation::Int8Rows => codes[e] = ((shrunk(e) * 127.0).round() + 128.0) as u8,
            Quantisation::Nf4 => {
                let (byte, shift) = nibble(e);
                codes[byte] |= nearest(shrunk(e)) << shift;
            }
        }
    }
}

/// The index of the level nearest to `x`: levels ascend, so it is the number of midpoints below `x`.
fn nearest(x: f32) -> u8 {
    NF4.windows(2).filter(|pair| x > f32::midpoint(pair[0], pair[1])).count() as u8
}
