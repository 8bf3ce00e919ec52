//! A disk that fails: SQLite's own file layer with one call, or every call from one on, that does not do what it should.
//!
//! It takes the place of the default VFS of this process (<https://sqlite.org/vfs.html>), so that what is tested opens its
//! files as it always does. Only files below the directory of the plan are concerned.

#![allow(unsafe_code, reason = "SQLite takes a file layer as C functions only")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR_ACCESS, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSTAT,
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE,
    SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs,
    sqlite3_vfs_find, sqlite3_vfs_register,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Any call fails.
    Error,
    /// A call that needs room fails.
    Full,
}

/// For how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// One call.
    Once,
    /// From that call on.
    On,
    /// From that call on, until this file is empty.
    UntilEmpty(PathBuf),
}

/// The `at`-th call on files in `directory`, counted from 1.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) directory: PathBuf,
    pub(crate) trouble: Trouble,
    pub(crate) lasts: Lasts,
    pub(crate) at: u64,
}

struct Running {
    plan: Plan,
    calls: u64,
    failed: u64,
    paused: bool,
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Follows the plan until it is dropped. One at a time.
pub(crate) struct Faults;

impl Faults {
    pub(crate) fn plan(plan: Plan) -> Self {
        LazyLock::force(&LAYER);
        let before = running().replace(Running { plan, calls: 0, failed: 0, paused: false });
        assert!(before.is_none(), "one plan at a time");
        Self
    }

    /// Calls that failed. None: there were fewer calls than the plan waited for.
    pub(crate) fn failed(&self) -> u64 {
        running().as_ref().map_or(0, |running| running.failed)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        *running() = None;
    }
}

/// Nothing fails and nothing is counted while `look` looks.
pub(crate) fn paused<T>(look: impl FnOnce() -> T) -> T {
    let pause = |paused| running().iter_mut().for_each(|running| running.paused = paused);
    pause(true);
    let seen = look();
    pause(false);
    seen
}

/// Whether this call fails; `room`: it needs some.
fn fails(room: bool) -> bool {
    let mut guard = running();
    let Some(running) = guard.as_mut().filter(|running| !running.paused) else { return false };
    if running.plan.trouble == Trouble::Full && !room {
        return false;
    }
    running.calls += 1;
    let (at, call) = (running.plan.at, running.calls);
    let fails = match &running.plan.lasts {
        Lasts::Once => call == at,
        Lasts::On => call >= at,
        Lasts::UntilEmpty(file) => call >= at && file.metadata().is_ok_and(|found| found.len() > 0),
    };
    running.failed += u64::from(fails);
    fails
}

fn is_full() -> bool {
    running().as_ref().is_some_and(|running| running.plan.trouble == Trouble::Full)
}

fn concerns(name: *const c_char) -> bool {
    if name.is_null() {
        return false;
    }
    // SAFETY: SQLite's file names end with a zero byte.
    let name = Path::new(std::ffi::OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
    running().as_ref().is_some_and(|running| name.starts_with(&running.plan.directory))
}

/// Ours in front, the file of the real layer behind it.
#[repr(C)]
struct FaultyFile {
    base: sqlite3_file,
    concerned: bool,
}

/// Aligned for any struct of the real layer.
const FRONT: usize = 16;
const _: () = assert!(size_of::<FaultyFile>() <= FRONT);

struct Layer {
    ours: sqlite3_vfs,
    real: *mut sqlite3_vfs,
}

// SAFETY: it is written once, before anything uses it, and only read then.
unsafe impl Send for Layer {}
// SAFETY: as above.
unsafe impl Sync for Layer {}

static LAYER: LazyLock<&'static Layer> = LazyLock::new(|| {
    // SAFETY: the default layer is there for good once SQLite is initialised, which this call does.
    let real = unsafe { sqlite3_vfs_find(std::ptr::null()) };
    assert!(!real.is_null());
    // SAFETY: the same; the copy keeps what its functions look for in it.
    let mut ours = unsafe { *real };
    ours.zName = c"faulty".as_ptr();
    ours.pNext = std::ptr::null_mut();
    ours.szOsFile += c_int::try_from(FRONT).expect("it is 16");
    ours.xOpen = Some(open);
    ours.xDelete = Some(delete);
    ours.xAccess = Some(access);
    let layer: &'static Layer = Box::leak(Box::new(Layer { ours, real }));
    // SAFETY: the layer is never freed, and SQLite changes nothing but its `pNext`, under a lock of its own.
    let registered = unsafe { sqlite3_vfs_register((&raw const layer.ours).cast_mut(), 1) };
    assert_eq!(registered, SQLITE_OK);
    layer
});

fn real_layer() -> &'static sqlite3_vfs {
    // SAFETY: it is there for good.
    unsafe { &*LAYER.real }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let faulty = file.cast::<FaultyFile>();
    let concerned = concerns(name);
    // SAFETY: SQLite gives room for `szOsFile` bytes, which are ours and the real layer's.
    unsafe {
        (*faulty).base.pMethods = std::ptr::null();
        (*faulty).concerned = concerned;
        if concerned && fails(false) {
            return SQLITE_CANTOPEN;
        }
        let opened = real_layer().xOpen.expect("a layer opens")(LAYER.real, name, real(file), flags, out);
        if !(*real(file)).pMethods.is_null() {
            (*faulty).base.pMethods = &raw const METHODS;
        }
        opened
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    if concerns(name) && fails(false) {
        return SQLITE_IOERR_DELETE;
    }
    // SAFETY: the arguments are SQLite's.
    unsafe { real_layer().xDelete.expect("a layer deletes")(LAYER.real, name, sync) }
}

unsafe extern "C" fn access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    if concerns(name) && fails(false) {
        return SQLITE_IOERR_ACCESS;
    }
    // SAFETY: the arguments are SQLite's.
    unsafe { real_layer().xAccess.expect("a layer looks")(LAYER.real, name, flags, out) }
}

/// The real layer's file behind ours.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` has room for both.
    unsafe { file.byte_add(FRONT) }
}

/// Calls of one file: passed on, unless the plan says that this one fails.
macro_rules! method {
    ($name:ident, $method:ident($($argument:ident: $kind:ty),*) -> $result:ty $(, fails($room:expr) as $code:expr)?) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) -> $result {
            // SAFETY: `file` was opened above, so it is a `FaultyFile` with an open file of the real layer behind it.
            unsafe {
                $(if (*file.cast::<FaultyFile>()).concerned && fails($room) {
                    return $code;
                })?
                let real = real(file);
                (*(*real).pMethods).$method.expect("the real layer has it")(real, $($argument),*)
            }
        }
    };
}

method!(close, xClose() -> c_int);
method!(read, xRead(to: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int, fails(false) as SQLITE_IOERR_READ);
method!(write_on, xWrite(from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int);
method!(truncate, xTruncate(size: sqlite3_int64) -> c_int, fails(false) as SQLITE_IOERR_TRUNCATE);
method!(sync, xSync(flags: c_int) -> c_int, fails(false) as SQLITE_IOERR_FSYNC);
method!(size, xFileSize(size: *mut sqlite3_int64) -> c_int, fails(false) as SQLITE_IOERR_FSTAT);
method!(lock, xLock(level: c_int) -> c_int);
method!(unlock, xUnlock(level: c_int) -> c_int);
method!(reserved, xCheckReservedLock(out: *mut c_int) -> c_int);
method!(control, xFileControl(what: c_int, argument: *mut c_void) -> c_int);
method!(sector, xSectorSize() -> c_int);
method!(traits, xDeviceCharacteristics() -> c_int);
method!(
    shm_map,
    xShmMap(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void) -> c_int,
    fails(extend != 0) as if is_full() { SQLITE_IOERR_SHMSIZE } else { SQLITE_IOERR_SHMMAP }
);
method!(shm_lock, xShmLock(first: c_int, count: c_int, flags: c_int) -> c_int);
method!(shm_barrier, xShmBarrier() -> ());
method!(shm_unmap, xShmUnmap(delete: c_int) -> c_int);

/// A write that fails has written the first half: that is what a disk that fills up leaves behind.
unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: as for the others; half of the bytes are fewer.
    unsafe {
        if (*file.cast::<FaultyFile>()).concerned && fails(true) {
            write_on(file, from, length / 2, at);
            return if is_full() { SQLITE_FULL } else { SQLITE_IOERR_WRITE };
        }
        write_on(file, from, length, at)
    }
}

/// Version 2: with shared memory, without memory mapping.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(traits),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
