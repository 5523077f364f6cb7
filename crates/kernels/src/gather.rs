use crate::raw::{floats, fusable, matrix, output, range_of, tensor};
use crate::rows::{add_assign, new_rows};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};

/// Rows of `table` by number: an embedding, or the supervised positions of a step. A row asked for twice receives
/// both gradients. From a half-precision table on the CPU the rows come widened to f32, in which the CPU computes.
///
/// # Shapes
/// `table` `[R, D]`, `ids` N numbers below R → `[N, D]`.
pub fn gather_rows(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let (rows, _) = table.dims2()?;
    check(ids, rows)?;
    if !table.device().is_cpu() || table.dtype() == DType::F64 {
        return reference::gather_rows(table, ids);
    }
    table.contiguous()?.apply_op1(Gather { ids: ids.into() })
}

/// The gradient of the table of `rows` rows in [`gather_rows`] when its result has the gradient `d_y`: each row's
/// gradients are added in the order of `ids`.
///
/// # Shapes
/// `d_y` `[N, D]`, `ids` N numbers below `rows` → `[rows, D]`.
pub fn gather_rows_backward(d_y: &Tensor, ids: &[u32], rows: usize) -> Result<Tensor> {
    let (count, width) = d_y.dims2()?;
    check(ids, rows)?;
    if count != ids.len() {
        let expected = format!("[{}, D], one row an id", ids.len());
        return Err(Error::Shape { op: "gather_rows_backward", what: "d_y", found: d_y.dims().into(), expected }.into());
    }
    if !fusable(&[d_y]) {
        return reference::gather_rows_backward(d_y, ids, rows);
    }
    let d_y = d_y.contiguous()?;
    let d_y = floats(&d_y)?;
    let d_y: &[f32] = &d_y;
    let mut places: Vec<usize> = (0..ids.len()).collect();
    places.sort_by_key(|&place| ids[place]);
    let out = new_rows(rows, width, |first, block| {
        let start = places.partition_point(|&place| (ids[place] as usize) < first);
        for &place in &places[start..] {
            let Some(row) = block.chunks_exact_mut(width).nth(ids[place] as usize - first) else { break };
            add_assign(row, &d_y[place * width..][..width]);
        }
    });
    tensor(out, &[rows, width])
}

pub(crate) fn check(ids: &[u32], rows: usize) -> Result<()> {
    match ids.iter().enumerate().find(|&(_, &id)| id as usize >= rows) {
        Some((place, &id)) => Err(Error::RowId { place, id, rows }.into()),
        None => Ok(()),
    }
}

struct Gather {
    ids: Box<[u32]>,
}

impl Gather {
    fn rows<T: Copy + Sync>(&self, table: &[T], width: usize, widen: impl Fn(T) -> f32 + Sync) -> Vec<f32> {
        new_rows(self.ids.len(), width, |first, block| {
            for (out, &id) in block.chunks_exact_mut(width).zip(&self.ids[first..]) {
                for (o, &value) in out.iter_mut().zip(&table[id as usize * width..][..width]) {
                    *o = widen(value);
                }
            }
        })
    }
}

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "gather_rows"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = matrix(layout.dims());
        let rows = match table {
            CpuStorage::F32(values) => self.rows(&values[range_of(values.len(), layout)?], width, |v| v),
            CpuStorage::BF16(values) => self.rows(&values[range_of(values.len(), layout)?], width, half::bf16::to_f32),
            CpuStorage::F16(values) => self.rows(&values[range_of(values.len(), layout)?], width, half::f16::to_f32),
            _ => return Err(Error::NotFloats { found: "a table of another dtype".into() }.into()),
        };
        Ok(output(rows, &[self.ids.len(), width]))
    }

    fn bwd(&self, table: &Tensor, _result: &Tensor, d_y: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gather_rows_backward(d_y, &self.ids, table.dim(0)?)?;
        Ok(Some(gradient.to_dtype(table.dtype())?))
    }
}
