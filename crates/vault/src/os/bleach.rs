use std::hint::black_box;
use std::mem::MaybeUninit;

/// Stack below a function that handled a group key: scrypt, ChaCha20, SHA-256 and Base64 use less than a tenth.
const DEPTH: usize = 128 * 1024;

/// Wipes what functions that have returned left behind on this thread's stack and in its vector registers.
///
/// SHA-256 expands the key block on the stack and leaves the last of it in registers, from where it gets into core
/// files. Call it from the same depth as the function that handled the key, or a shallower one.
pub(crate) fn bleach() {
    wipe_stack::<DEPTH>();
    wipe_registers();
}

/// The same after a derivation, which leaves a midstate in frames of less than a page. At some 30 ns it can be done
/// each time: the lock could not reach the stack of a slot's thread.
pub(crate) fn rinse() {
    wipe_stack::<4096>();
    wipe_registers();
}

#[inline(never)]
fn wipe_stack<const BELOW: usize>() {
    let mut below = MaybeUninit::<[u8; BELOW]>::uninit();
    // SAFETY: the array is this function's own and as long as it says.
    unsafe { super::wipe_bytes(below.as_mut_ptr().cast(), BELOW) };
    black_box(&mut below);
}

/// Wipes the vector registers, which no function call has to preserve.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn wipe_registers() {
    use std::arch::asm;
    use std::arch::is_x86_feature_detected as detected;

    if detected!("avx") {
        // SAFETY: AVX is there; all 16 registers are declared as overwritten.
        unsafe {
            asm!("vzeroall",
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nomem, nostack, preserves_flags));
        }
    } else {
        // SAFETY: SSE2 belongs to x86-64; all 16 registers are declared as overwritten.
        unsafe {
            asm!("pxor xmm0, xmm0", "pxor xmm1, xmm1", "pxor xmm2, xmm2", "pxor xmm3, xmm3", "pxor xmm4, xmm4",
                "pxor xmm5, xmm5", "pxor xmm6, xmm6", "pxor xmm7, xmm7", "pxor xmm8, xmm8", "pxor xmm9, xmm9",
                "pxor xmm10, xmm10", "pxor xmm11, xmm11", "pxor xmm12, xmm12", "pxor xmm13, xmm13",
                "pxor xmm14, xmm14", "pxor xmm15, xmm15",
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nomem, nostack, preserves_flags));
        }
    }
    if detected!("avx512f") {
        // `vzeroall` reaches only the first 16 registers. SAFETY: AVX-512F is there; the registers are declared.
        unsafe {
            asm!("vpxord zmm16, zmm16, zmm16", "vpxord zmm17, zmm17, zmm17", "vpxord zmm18, zmm18, zmm18",
                "vpxord zmm19, zmm19, zmm19", "vpxord zmm20, zmm20, zmm20", "vpxord zmm21, zmm21, zmm21",
                "vpxord zmm22, zmm22, zmm22", "vpxord zmm23, zmm23, zmm23", "vpxord zmm24, zmm24, zmm24",
                "vpxord zmm25, zmm25, zmm25", "vpxord zmm26, zmm26, zmm26", "vpxord zmm27, zmm27, zmm27",
                "vpxord zmm28, zmm28, zmm28", "vpxord zmm29, zmm29, zmm29", "vpxord zmm30, zmm30, zmm30",
                "vpxord zmm31, zmm31, zmm31",
                out("xmm16") _, out("xmm17") _, out("xmm18") _, out("xmm19") _, out("xmm20") _, out("xmm21") _,
                out("xmm22") _, out("xmm23") _, out("xmm24") _, out("xmm25") _, out("xmm26") _, out("xmm27") _,
                out("xmm28") _, out("xmm29") _, out("xmm30") _, out("xmm31") _,
                options(nomem, nostack, preserves_flags));
        }
    }
}

/// Wipes the vector registers, but for the lower halves of v8 to v15, which a function must preserve (AAPCS64) and
/// the compiler therefore saves and restores around this.
#[cfg(target_arch = "aarch64")]
#[inline(never)]
fn wipe_registers() {
    use std::arch::asm;
    // SAFETY: NEON belongs to AArch64; all 32 registers are declared as overwritten.
    unsafe {
        asm!("movi v0.16b, #0", "movi v1.16b, #0", "movi v2.16b, #0", "movi v3.16b, #0", "movi v4.16b, #0",
            "movi v5.16b, #0", "movi v6.16b, #0", "movi v7.16b, #0", "movi v8.16b, #0", "movi v9.16b, #0",
            "movi v10.16b, #0", "movi v11.16b, #0", "movi v12.16b, #0", "movi v13.16b, #0", "movi v14.16b, #0",
            "movi v15.16b, #0", "movi v16.16b, #0", "movi v17.16b, #0", "movi v18.16b, #0", "movi v19.16b, #0",
            "movi v20.16b, #0", "movi v21.16b, #0", "movi v22.16b, #0", "movi v23.16b, #0", "movi v24.16b, #0",
            "movi v25.16b, #0", "movi v26.16b, #0", "movi v27.16b, #0", "movi v28.16b, #0", "movi v29.16b, #0",
            "movi v30.16b, #0", "movi v31.16b, #0",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _,
            out("v7") _, out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _,
            out("v14") _, out("v15") _, out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
            out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nomem, nostack, preserves_flags));
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    /// Leaves 64 KiB of ones on the stack below the caller; returns where.
    #[inline(never)]
    fn leave_something() -> u64 {
        let left = [1u8; DEPTH / 2];
        black_box(&left).as_ptr() as u64
    }

    /// Through the kernel: no reference reaches into a stack frame that is gone.
    fn ones_at(address: u64) -> usize {
        let mut bytes = vec![0; DEPTH / 2];
        File::open("/proc/self/mem").unwrap().read_exact_at(&mut bytes, address).unwrap();
        bytes.iter().filter(|byte| **byte == 1).count()
    }

    #[test]
    fn nothing_stays_on_the_stack() {
        let address = leave_something();
        assert!(ones_at(address) > DEPTH / 4, "what a function leaves stays there");
        bleach();
        assert!(ones_at(address) < 64, "but for what was called since");
    }
}
