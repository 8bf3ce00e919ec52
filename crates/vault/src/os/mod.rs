//! All `unsafe` of this crate: memory that is kept out of swap, core dumps and children, and memory that is wiped.
//!
//! Written for Linux. What the kernel promises is in mlock(2), madvise(2), memfd_secret(2) and prctl(2).

#![allow(unsafe_code)] // mappings, assembly and an allocator; nothing else in the crate needs it

mod allocator;
mod bleach;
mod descriptor;
mod harden;
mod locked;

pub use allocator::WipingAllocator;
pub(crate) use bleach::{bleach, rinse};
pub(crate) use descriptor::inherited;
pub use harden::{HardenError, harden_process};
pub use locked::MemoryKind;
pub(crate) use locked::{Locked, Plain};

/// Overwrites a value with zeros, in a way that the compiler may not leave out.
pub(crate) fn wipe<T: Plain>(value: &mut T) {
    // SAFETY: the bytes are the value's own, borrowed alone, and zeros are a value of it.
    unsafe { wipe_bytes((&raw mut *value).cast(), size_of::<T>()) }
}

/// Overwrites `length` bytes with zeros, in a way that the compiler may not leave out.
///
/// # Safety
/// The bytes must be writable and nobody else may look at them meanwhile.
unsafe fn wipe_bytes(start: *mut u8, length: usize) {
    // SAFETY: the caller's promise. glibc and musl promise that this call is never optimised away.
    unsafe { libc::explicit_bzero(start.cast(), length) }
}
