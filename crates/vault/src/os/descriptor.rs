use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd};

/// The descriptor `number`, if whoever started this program opened it for us: 0, or 3 and above without
/// close-on-exec. Everything that Rust opens has close-on-exec, so this never reaches into another file of ours.
pub(crate) fn inherited(number: RawFd) -> io::Result<BorrowedFd<'static>> {
    if number != 0 && number < 3 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: borrowed for one call that answers EBADF where nothing is open; see below for the longer loan.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    if fcntl_getfd(descriptor)?.contains(FdFlags::CLOEXEC) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // An inherited descriptor has no owner in this process, so nobody closes it: the loan is for its whole life.
    Ok(descriptor)
}
