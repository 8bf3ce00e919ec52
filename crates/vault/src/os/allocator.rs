use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which wipes every block when it is freed. For the `main` of each program:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: keystation_vault::WipingAllocator = keystation_vault::WipingAllocator;
/// ```
///
/// Libraries leave copies of what passes through them: `age` 0.12 frees the buffer of the plaintext that it encrypts
/// without wiping it, and every text that grows leaves its beginning behind. Mostly somebody writes over them soon;
/// with this nothing depends on that.
#[derive(Debug, Clone, Copy, Default)]
pub struct WipingAllocator;

// SAFETY: every call is passed on to `System` as it came. `realloc` is not overridden: the trait's own allocates,
// copies and calls `dealloc`, so a block that moves is wiped too.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `layout.size()` bytes long and the caller gave it up.
        unsafe {
            super::wipe_bytes(block, layout.size());
            System.dealloc(block, layout);
        }
    }
}
