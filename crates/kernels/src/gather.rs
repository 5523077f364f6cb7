use crate::raw::{floats, fusable, matrix, output, slice, tensor};
use crate::rows::add_assign;
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// Rows of `table` by number: an embedding, or the supervised positions of a batch. A row asked for twice receives
/// both gradients.
///
/// # Shapes
/// `table` `[R, D]`, `ids` N numbers below R → `[N, D]`.
pub fn gather_rows(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let (rows, width) = table.dims2()?;
    if let Some((place, &id)) = ids.iter().enumerate().find(|&(_, &id)| id as usize >= rows) {
        return Err(Error::RowId { place, id, rows }.into());
    }
    if !fusable(&[table]) || ids.is_empty() || width == 0 {
        return reference::gather_rows(table, ids);
    }
    table.contiguous()?.apply_op1(Gather { ids: ids.to_vec() })
}

struct Gather {
    ids: Vec<u32>,
}

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "gather_rows"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let table = slice(table, layout)?;
        let (_, width) = matrix(layout.dims());
        let mut out = Vec::with_capacity(self.ids.len() * width);
        for &id in &self.ids {
            out.extend_from_slice(&table[id as usize * width..][..width]);
        }
        Ok(output(out, &[self.ids.len(), width]))
    }

    fn bwd(&self, table: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let grad = floats(&grad)?;
        let (rows, width) = matrix(table.dims());
        let mut out = vec![0.0; rows * width];
        for (&id, grad) in self.ids.iter().zip(grad.chunks_exact(width)) {
            add_assign(&mut out[id as usize * width..][..width], grad);
        }
        Ok(Some(tensor(out, table.dims())?))
    }
}
