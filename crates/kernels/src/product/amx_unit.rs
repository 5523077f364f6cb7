//! The six tile instructions, and whether this process may use them. The intrinsics are not stable; the instructions are.
#![allow(unsafe_code, reason = "inline assembly")]

use super::amx::Tiles;
use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

/// The processor's tile unit, which this process has permission to use.
#[derive(Clone, Copy)]
pub(crate) struct TileUnit(());

impl TileUnit {
    /// Asks the processor, and the kernel for the permission that large register state needs (Linux 5.16 and later).
    /// Threads started later have it too; it costs a system call, so ask once.
    pub(crate) fn detect() -> Option<Self> {
        const AMX_BF16: u32 = 1 << 22;
        const AMX_TILE: u32 = 1 << 24;
        const OSXSAVE: u32 = 1 << 27;
        /// Tile configuration and tile data among the states that the system saves.
        const TILE_STATE: u64 = 0b11 << 17;
        if !cfg!(target_os = "linux") || __cpuid(0).eax < 7 || __cpuid(1).ecx & OSXSAVE == 0 {
            return None;
        }
        let wanted = AMX_BF16 | AMX_TILE;
        // SAFETY: OSXSAVE was asked for above.
        let saved = unsafe { _xgetbv(0) };
        let able = __cpuid_count(7, 0).edx & wanted == wanted && saved & TILE_STATE == TILE_STATE;
        (able && permitted()).then_some(Self(()))
    }
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)`.
fn permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XTILEDATA: i64 = 18;
    let result: i64;
    // SAFETY: the system call changes nothing but the process's permission; it clobbers rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result == 0
}

/// The layout that `ldtilecfg` reads: palette 1, and for each tile the bytes of a row and the rows.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static ALL_WHOLE: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// The registers, configured on this thread until dropped.
pub(crate) struct Configured(std::marker::PhantomData<*mut ()>);

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: there is one only where the tiles were configured. Released, they are not saved at context switches.
        unsafe { asm!("tilerelease", options(nostack, nomem)) }
    }
}

// No block names tile registers as clobbered: the compiler never uses them, and between blocks they must keep their values.
impl Tiles for TileUnit {
    type Registers = Configured;

    fn configure(self) -> Configured {
        // SAFETY: `self` proves the unit and the permission; the configuration is 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const ALL_WHOLE, options(nostack, readonly)) };
        Configured(std::marker::PhantomData)
    }

    #[inline(always)]
    fn zero<const C: usize>(_registers: &mut Configured) {
        // SAFETY: the tiles are configured while there is a `Configured`.
        unsafe { asm!("tilezero tmm{c}", c = const C, options(nostack, nomem)) };
    }

    #[inline(always)]
    unsafe fn load<const T: usize>(_registers: &mut Configured, from: *const u8, stride: usize) {
        // SAFETY: as above; the caller promises the memory.
        unsafe {
            asm!("tileloadd tmm{t}, [{from} + {stride}*1]", t = const T, from = in(reg) from, stride = in(reg) stride,
                options(nostack, readonly));
        }
    }

    #[inline(always)]
    unsafe fn store<const T: usize>(_registers: &mut Configured, to: *mut u8, stride: usize) {
        // SAFETY: as above; the caller promises the memory.
        unsafe {
            asm!("tilestored [{to} + {stride}*1], tmm{t}", t = const T, to = in(reg) to, stride = in(reg) stride,
                options(nostack));
        }
    }

    #[inline(always)]
    fn dot<const C: usize, const A: usize, const B: usize>(_registers: &mut Configured) {
        // SAFETY: the tiles are configured while there is a `Configured`.
        unsafe {
            asm!("tdpbf16ps tmm{c}, tmm{a}, tmm{b}", c = const C, a = const A, b = const B, options(nostack, nomem));
        };
    }
}
