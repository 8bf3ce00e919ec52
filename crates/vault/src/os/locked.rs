use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

/// A value that any bytes make, zeros included.
///
/// # Safety
/// No padding, no pointers, no forbidden bit patterns; alignment at most a page.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: every byte is a byte.
unsafe impl Plain for u8 {}
// SAFETY: every four bytes are a word.
unsafe impl Plain for u32 {}
// SAFETY: an array has no padding between its values.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// How well the memory is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryKind {
    /// memfd_secret(2): the kernel itself has no mapping of it; not even root reads it through `/proc`.
    Secret,
    /// mlock(2): never swapped, not in core files; root can read it. Where the kernel offers no secret memory.
    Locked,
}

/// `length` values of `T`, zero at first, wiped when dropped: in pages of their own between two that nobody can
/// touch, never swapped, never in a core file, never in a child.
pub(crate) struct Locked<T: Plain> {
    /// Start of the reservation: a guard page, `size` bytes, a guard page.
    reservation: NonNull<u8>,
    page: usize,
    size: usize,
    length: usize,
    kind: MemoryKind,
    values: PhantomData<T>,
}

// SAFETY: it owns its pages like a `Box<[T]>` does, and `T` is plain bytes.
unsafe impl<T: Plain + Send> Send for Locked<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Plain + Sync> Sync for Locked<T> {}

impl<T: Plain> Locked<T> {
    /// Fails where the kernel refuses to lock the pages (`RLIMIT_MEMLOCK`).
    pub(crate) fn new(length: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        assert!(align_of::<T>() <= page, "a page is the strictest alignment that mmap gives");
        let size = (length * size_of::<T>()).next_multiple_of(page).max(page);
        // SAFETY: a new private mapping at an address that the kernel picks.
        let reservation = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            libc::mmap(ptr::null_mut(), size + 2 * page, libc::PROT_NONE, flags, -1, 0)
        };
        if reservation == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let reservation = NonNull::new(reservation.cast()).expect("mmap never maps address 0 unasked");
        // From here on `drop` gives the reservation back, whatever fails.
        let mut locked =
            Self { reservation, page, size, length, kind: MemoryKind::Secret, values: PhantomData };
        if locked.map_secret().is_err() {
            locked.kind = MemoryKind::Locked;
            locked.map_locked()?;
        }
        Ok(locked)
    }

    pub(crate) fn kind(&self) -> MemoryKind {
        self.kind
    }

    fn start(&self) -> *mut u8 {
        // SAFETY: the reservation is `size` and two pages long.
        unsafe { self.reservation.as_ptr().add(self.page) }
    }

    /// Puts secret memory between the guards. Fails where the kernel has none (ENOSYS: older than 5.14, or not
    /// enabled) or the limit is reached.
    fn map_secret(&mut self) -> io::Result<()> {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
        // SAFETY: the call takes flags and returns a new descriptor, which is owned at once; the mapping replaces
        // pages of our own reservation. The kernel locks them and keeps them out of core files by itself.
        unsafe {
            let number = libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC);
            let number = i32::try_from(number).map_err(|_| io::ErrorKind::Unsupported)?;
            if number < 0 {
                return Err(io::Error::last_os_error());
            }
            let file = OwnedFd::from_raw_fd(number);
            rustix::fs::ftruncate(&file, self.size as u64)?;
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_SHARED | libc::MAP_FIXED;
            let start = self.start().cast();
            if libc::mmap(start, self.size, protection, flags, file.as_raw_fd(), 0) == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            advise(start, self.size, libc::MADV_DONTFORK)
        }
    }

    /// Puts ordinary locked memory between the guards.
    fn map_locked(&mut self) -> io::Result<()> {
        let start = self.start().cast();
        // SAFETY: all calls are about the pages between our own guards, which hold nothing yet.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            if libc::mmap(start, self.size, protection, flags, -1, 0) == libc::MAP_FAILED
                || libc::mlock(start, self.size) != 0
            {
                return Err(io::Error::last_os_error());
            }
            advise(start, self.size, libc::MADV_DONTDUMP)?;
            advise(start, self.size, libc::MADV_WIPEONFORK)
        }
    }
}

/// # Safety
/// The range must be whole pages of a mapping that the caller owns.
unsafe fn advise(start: *mut libc::c_void, size: usize, advice: libc::c_int) -> io::Result<()> {
    // SAFETY: the caller's promise; none of the advices used here changes bytes in this process.
    match unsafe { libc::madvise(start, size, advice) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl<T: Plain> Deref for Locked<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `length` values lie there, page-aligned, and `T` is plain: what the kernel zeroed is a value.
        unsafe { std::slice::from_raw_parts(self.start().cast(), self.length) }
    }
}

impl<T: Plain> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.start().cast(), self.length) }
    }
}

impl<T: Plain> Drop for Locked<T> {
    fn drop(&mut self) {
        // SAFETY: nobody borrows the pages any more; the reservation is unmapped once, here. Where `new` failed
        // half-way the middle may be a guard still: mprotect makes it writable or says why not.
        unsafe {
            if libc::mprotect(self.start().cast(), self.size, libc::PROT_READ | libc::PROT_WRITE) == 0 {
                super::wipe_bytes(self.start(), self.size);
            }
            libc::munmap(self.reservation.as_ptr().cast(), self.size + 2 * self.page);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `/proc/self/smaps` about the mapping that begins at `start`: its rights, and its flags as the
    /// kernel keeps them (proc_pid_smaps(5)).
    fn mapping(start: usize) -> (String, Vec<String>) {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = smaps.lines().skip_while(|line| !line.starts_with(&format!("{start:x}-")));
        let rights = lines.next().expect("it is mapped").split(' ').nth(1).unwrap().to_owned();
        let flags = lines.find_map(|line| line.strip_prefix("VmFlags: ")).expect("every mapping has flags");
        (rights, flags.split_whitespace().map(str::to_owned).collect())
    }

    fn flags(locked: &Locked<u8>) -> Vec<String> {
        let start = locked.start() as usize;
        let (rights, flags) = mapping(start);
        assert!(rights.starts_with("rw-"), "{rights}");
        assert!(mapping(start - locked.page).0.starts_with("---"), "a guard before");
        assert!(mapping(start + locked.size).0.starts_with("---"), "a guard behind");
        flags
    }

    #[test]
    fn pages_lie_between_guards_and_leave_neither_memory_nor_process() {
        let locked = Locked::<u8>::new(10_000).unwrap();
        assert_eq!((locked.len(), locked.size % locked.page), (10_000, 0));
        let flags = flags(&locked);
        // lo: locked; dd: not dumped; dc: not in a child; wf: wiped in a child.
        for wanted in ["lo", "dd"] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted} in {flags:?}");
        }
        assert!(flags.iter().any(|flag| flag == "dc" || flag == "wf"), "{flags:?}");
    }

    #[test]
    fn memory_of_a_kernel_without_memfd_secret_is_locked_too() {
        let mut locked = Locked::<u8>::new(1).unwrap();
        locked.kind = MemoryKind::Locked;
        locked.map_locked().unwrap();
        let flags = flags(&locked);
        for wanted in ["lo", "dd", "wf"] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted} in {flags:?}");
        }
    }

    #[test]
    fn values_are_zero_at_first_and_stay_where_they_are() {
        let mut locked = Locked::<[[u32; 8]; 2]>::new(64).unwrap();
        assert!(locked.as_flattened().as_flattened().iter().all(|word| *word == 0));
        locked[63] = [[7; 8]; 2];
        let start = locked.start();
        let moved = Box::new(locked);
        assert_eq!((moved.start(), moved[63][1][7]), (start, 7));
        assert!(Locked::<u8>::new(0).unwrap().is_empty());
    }
}
