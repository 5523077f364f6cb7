//! One matrix product for everything: C (+)= Σ Aᵢ·Bᵢ in f32.
//!
//! Both operands are packed in the order in which a kernel reads them, piece by piece and in cache; a right operand is read
//! from whatever it is stored as (f32, bf16, int8, nf4) in either orientation, and widened while it is packed. So one copy
//! of a frozen weight serves Y = X·Wᵀ and dX = dY·W alike, and a narrow form costs no time. The low-rank branches of a
//! layer are further, short terms of the same sum. (The loops are those of Goto & van de Geijn 2008, "Anatomy of
//! High-Performance Matrix Multiplication", and BLIS.)
//!
//! Work is split by shape alone and no sum is split between threads, so results do not depend on their number.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over registers: only those with constant bounds and plain indices unroll"
)]

#[cfg(any(test, target_arch = "x86_64"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod amx_unit;
#[cfg(any(test, target_arch = "x86_64"))]
mod byte_dots;
#[cfg(target_arch = "x86_64")]
mod byte_unit;
mod drive;
mod few_rows;
mod kernel;
mod lanes;
mod matrix;
mod output;
mod pack;
#[cfg(any(test, target_arch = "x86_64"))]
mod pack_bf16;
#[cfg(target_arch = "x86_64")]
mod pair_dots;
mod scratch;
#[cfg(target_arch = "x86_64")]
mod sixteens;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod thin;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use drive::Term;
pub(crate) use kernel::{Left, Right};
pub(crate) use matrix::{Blocks, Floats, GROUP, Halves, Int8, Matrix, Nf4};
pub(crate) use output::Output;

use kernel::Vectors;
use lanes::Portable;

/// Who multiplies.
#[derive(Clone, Copy)]
pub(crate) enum MicroKernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx2, x86::Avx512),
    /// Rounds both operands to bf16.
    #[cfg(target_arch = "x86_64")]
    PairDots(x86::Avx2, x86::Avx512Bf16),
    /// The same.
    #[cfg(target_arch = "x86_64")]
    Amx(x86::Avx2, amx_unit::TileUnit),
    /// What AMX computes, in plain Rust.
    #[cfg(test)]
    Emulated,
    /// The same with the packing that AMX uses.
    #[cfg(all(test, target_arch = "x86_64"))]
    EmulatedTiles(x86::Avx2),
}

impl std::fmt::Debug for MicroKernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable f32",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2 f32",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(..) => "AVX-512 f32",
            #[cfg(target_arch = "x86_64")]
            Self::PairDots(..) => "AVX-512 bf16",
            #[cfg(target_arch = "x86_64")]
            Self::Amx(..) => "AMX bf16",
            #[cfg(test)]
            Self::Emulated => "emulated AMX bf16",
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::EmulatedTiles(_) => "emulated AMX bf16 packed with AVX2",
        })
    }
}

/// The kernels of this machine.
struct Machine {
    /// For f32 weights.
    exact: MicroKernel,
    /// For narrower ones.
    narrow: MicroKernel,
    /// For bytes with a scale a row.
    #[cfg(target_arch = "x86_64")]
    bytes: Option<(x86::WideOctets, byte_unit::Avx512Vnni)>,
}

fn machine() -> &'static Machine {
    static MACHINE: std::sync::OnceLock<Machine> = std::sync::OnceLock::new();
    MACHINE.get_or_init(|| {
        let available = available();
        let first =
            |keep: fn(&MicroKernel) -> bool| available.iter().copied().find(keep).unwrap_or(MicroKernel::Portable);
        let narrow = first(|_| true);
        Machine {
            exact: first(|kernel| !kernel.rounds()),
            narrow,
            // AMX multiplies bf16 faster than vectors multiply bytes.
            #[cfg(target_arch = "x86_64")]
            bytes: if matches!(narrow, MicroKernel::Amx(..)) { None } else { byte_units() },
        }
    })
}

#[cfg(target_arch = "x86_64")]
fn byte_units() -> Option<(x86::WideOctets, byte_unit::Avx512Vnni)> {
    let (octets, quads) = (x86::Avx2::detect()?, byte_unit::Avx512Vnni::detect()?);
    Some((x86::WideOctets::new(octets, quads), quads))
}

/// The kernels that this machine runs, the fastest first.
pub(crate) fn available() -> Vec<MicroKernel> {
    let mut kernels = Vec::new();
    #[cfg(target_arch = "x86_64")]
    if let Some(octets) = x86::Avx2::detect() {
        if let Some(tiles) = amx_unit::TileUnit::detect() {
            let amx = MicroKernel::Amx(octets, tiles);
            if passes_self_test(amx) {
                kernels.push(amx);
            }
        }
        if let Some(pairs) = x86::Avx512Bf16::detect() {
            kernels.push(MicroKernel::PairDots(octets, pairs));
        }
        if let Some(lanes) = x86::Avx512::detect() {
            kernels.push(MicroKernel::Avx512(octets, lanes));
        }
        kernels.push(MicroKernel::Avx2(octets));
    }
    kernels.push(MicroKernel::Portable);
    kernels
}

#[cfg(any(test, target_arch = "x86_64"))]
/// Whether a kernel gives what the portable one gives, on a product with all kinds of edges whose operands are small whole
/// numbers, so that bf16 holds them exactly.
fn passes_self_test(kernel: MicroKernel) -> bool {
    let (rows, depth, columns) = (45, 1100, 71);
    let whole = |i: usize| ((i * 37 + i / 11) % 15) as f32 - 7.0;
    let (x, w): (Vec<f32>, Vec<f32>) =
        ((0..rows * depth).map(whole).collect(), (0..columns * depth).map(whole).collect());
    let left = Left { values: &x, stride: depth, transposed: false, rows, depth, scale: 1.0 };
    [true, false].into_iter().all(|transposed| {
        let right = if transposed {
            Right::Transposed(Matrix::Floats(Floats { values: &w, columns: depth, stride: depth }), 0, columns)
        } else {
            Right::Plain(Matrix::Floats(Floats { values: &w, columns, stride: columns }))
        };
        let run = |kernel| {
            let mut out = vec![1.0; rows * columns];
            multiply_with(kernel, &mut Output::new(&mut out, rows, columns, columns), &[Term { left, right }], true);
            out
        };
        run(kernel) == run(MicroKernel::Portable)
    })
}

/// The units that products run on, for a start-up message: "AMX bf16, AVX-512 f32" for example.
pub fn cpu() -> String {
    let machine = machine();
    let (exact, narrow) = (format!("{:?}", machine.exact), format!("{:?}", machine.narrow));
    let floats = if exact == narrow { exact } else { format!("{narrow}, {exact}") };
    #[cfg(target_arch = "x86_64")]
    if machine.bytes.is_some() {
        return format!("{floats}, AVX-512 int8");
    }
    floats
}

impl MicroKernel {
    /// Whether operands are rounded to bf16.
    pub(crate) fn rounds(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::PairDots(..) | Self::Amx(..) => true,
            #[cfg(test)]
            Self::Emulated => true,
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::EmulatedTiles(_) => true,
            _ => false,
        }
    }
}

/// output = Σ terms, or += if `keep`. An f32 weight is multiplied in f32; where a processor has a unit for bf16, products
/// with narrower weights round the activations to bf16 too, and add in f32. Where it has one for bytes, a weight of bytes
/// with a scale a row is multiplied in whole numbers.
pub(crate) fn multiply(output: &mut Output<'_>, terms: &[Term<'_>], keep: bool) {
    let machine = machine();
    #[cfg(target_arch = "x86_64")]
    if let (Some((octets, quads)), [base, branches @ ..]) = (machine.bytes, terms)
        && !few_rows::fits(output, terms)
        && let Some(kernel) = byte_dots::ByteDots::new(octets, quads, base.right)
    {
        drive::drive(kernel, output, &[*base], keep);
        if !branches.is_empty() {
            multiply_with(machine.narrow, output, branches, true);
        }
        return;
    }
    let narrow = terms.first().is_some_and(|term| {
        let (Right::Plain(matrix) | Right::Transposed(matrix, ..)) = term.right;
        !matches!(matrix, Matrix::Floats(_))
    });
    multiply_with(if narrow { machine.narrow } else { machine.exact }, output, terms, keep);
}

/// As [`multiply`], with a kernel of the caller's choice.
pub(crate) fn multiply_with(kernel: MicroKernel, output: &mut Output<'_>, terms: &[Term<'_>], keep: bool) {
    let few = few_rows::fits(output, terms);
    match kernel {
        // As exact as ever: so few rows wait for memory, not for arithmetic.
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx512(octets, _) | MicroKernel::PairDots(octets, _) | MicroKernel::Amx(octets, _) if few => {
            match sixteens::Sixteens::detect(octets) {
                Some(sixteens) => few_rows::multiply(sixteens, output, terms, keep),
                None => few_rows::multiply(few_rows::ByOctets(octets), output, terms, keep),
            }
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx2(octets) if few => few_rows::multiply(few_rows::ByOctets(octets), output, terms, keep),
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx2(lanes) => {
            drive::drive(Vectors::<_, _, 6, 2> { octets: lanes, lanes }, output, terms, keep);
        }
        // Of the ranks of adapters, 16 is the most frequent one: two vectors would be half empty, twelve rows too.
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx512(octets, lanes) if output.columns() <= 16 => {
            drive::drive(thin::Thin::<_, _, 24, 1> { octets, lanes }, output, terms, keep);
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx512(octets, lanes) if output.columns() <= 64 => {
            drive::drive(thin::Thin::<_, _, 12, 2> { octets, lanes }, output, terms, keep);
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx512(octets, lanes) if output.rows() <= 64 => {
            drive::drive(Vectors::<_, _, 16, 1> { octets, lanes }, output, terms, keep);
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Avx512(octets, lanes) => {
            drive::drive(Vectors::<_, _, 12, 2> { octets, lanes }, output, terms, keep);
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::PairDots(octets, pairs) => {
            let octets = x86::WideOctets::new(octets, pairs);
            drive::drive(pair_dots::PairDots { octets, pairs }, output, terms, keep);
        }
        #[cfg(target_arch = "x86_64")]
        MicroKernel::Amx(octets, tiles) => drive::drive(amx::Amx { octets, tiles }, output, terms, keep),
        #[cfg(test)]
        MicroKernel::Emulated => drive::drive(amx::Amx { octets: Portable, tiles: amx::Emulated }, output, terms, keep),
        #[cfg(all(test, target_arch = "x86_64"))]
        MicroKernel::EmulatedTiles(octets) => {
            drive::drive(amx::Amx { octets, tiles: amx::Emulated }, output, terms, keep);
        }
        MicroKernel::Portable if few => few_rows::multiply(few_rows::ByOctets(Portable), output, terms, keep),
        MicroKernel::Portable => {
            drive::drive(Vectors::<_, _, 4, 1> { octets: Portable, lanes: Portable }, output, terms, keep);
        }
    }
}

/// Σ terms as a new row-major matrix.
pub(crate) fn product(rows: usize, columns: usize, terms: &[Term<'_>]) -> Vec<f32> {
    Output::collect(rows, columns, |output| multiply(output, terms, false))
}
