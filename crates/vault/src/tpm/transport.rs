//! The way to a TPM: the kernel's resource manager, or the UNIX socket of swtpm. Never a network socket.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};

use super::error::TpmError;
use super::response::size;

/// Where a TPM is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TpmPlace {
    /// The resource manager of the kernel, `/dev/tpmrm0`: each program that opens it has the TPM for itself, and what it
    /// loaded is gone when it ends. Not `/dev/tpm0`, where a killed program leaves three objects behind and the TPM full.
    Device(PathBuf),
    /// The UNIX socket of swtpm (`swtpm socket --tpm2 --server type=unixio,path=…`): for tests and virtual machines. It
    /// serves one connection at a time.
    Emulator(PathBuf),
}

/// A path that is none of a TPM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TpmPlaceRefused {
    /// Another device: most of all `/dev/tpm0`.
    #[error("the device of a TPM is /dev/tpmrm and a number: the kernel's resource manager")]
    NotTheResourceManager,
    /// Not absolute, or too long for a socket's address.
    #[error("the socket of an emulator has an absolute path of at most 107 bytes")]
    NotASocketPath,
}

impl TpmPlace {
    /// A device: `/dev/tpmrm0`.
    pub fn device(path: &str) -> Result<Self, TpmPlaceRefused> {
        let number = path.strip_prefix("/dev/tpmrm").unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self::Device(path.into()))
        } else {
            Err(TpmPlaceRefused::NotTheResourceManager)
        }
    }

    /// The socket of an emulator.
    pub fn emulator(path: &str) -> Result<Self, TpmPlaceRefused> {
        if path.starts_with('/') && SocketAddrUnix::new(path).is_ok() {
            Ok(Self::Emulator(path.into()))
        } else {
            Err(TpmPlaceRefused::NotASocketPath)
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Device(path) | Self::Emulator(path) => path,
        }
    }
}

/// Ends the waiting for a TPM, from another thread, and for good.
pub(super) struct Stop(OwnedFd);

impl Stop {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(super) fn set(&self) {
        // It fails when it is full: then it is set.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// A connection. After an error it is of no use: an answer may come that belongs to an earlier command.
pub(super) struct Transport {
    stream: Stream,
}

enum Stream {
    Device(File),
    Socket(OwnedFd),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Device(file) => file.as_fd(),
            Self::Socket(socket) => socket.as_fd(),
        }
    }
}

/// Until when, and what ends the waiting earlier.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    pub(super) limit: Duration,
    pub(super) stop: Option<&'a Stop>,
}

impl Transport {
    /// Waits for nothing: an emulator whose queue is full is [`TpmError::Occupied`].
    pub(super) fn open(place: &TpmPlace) -> Result<Self, TpmError> {
        let path = || place.path().to_owned();
        let opened = match place {
            TpmPlace::Device(device) => {
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                File::options().read(true).write(true).custom_flags(flags).open(device).map(Stream::Device)
            }
            TpmPlace::Emulator(path) => dial(path).map(Stream::Socket),
        };
        let stream = opened.map_err(|cause| match cause.kind() {
            io::ErrorKind::PermissionDenied => TpmError::Denied { place: path(), cause },
            io::ErrorKind::WouldBlock => TpmError::Occupied,
            _ => TpmError::Absent { place: path(), cause },
        })?;
        if let Stream::Device(file) = &stream {
            let device = file.metadata().map_err(TpmError::Lost)?.file_type().is_char_device();
            if !device {
                return Err(TpmError::NotATpm { place: path() });
            }
        }
        Ok(Self { stream })
    }

    /// Gives the command of `length` bytes in `memory` and puts the answer in its place; returns how long it is. The header of
    /// an answer has been checked against what came, and nothing else.
    pub(super) fn exchange(
        &mut self,
        memory: &mut [u8],
        length: usize,
        patience: Patience<'_>,
    ) -> Result<usize, Broken> {
        let end = Instant::now() + patience.limit;
        let mut sent = 0;
        while sent < length {
            self.wait(PollFlags::OUT, end, patience)?;
            // A device takes a command whole; a socket may take a part.
            let taken = match &self.stream {
                Stream::Device(file) => rustix::io::write(file, &memory[sent..length]),
                Stream::Socket(socket) => send(socket, &memory[sent..length], SendFlags::NOSIGNAL),
            };
            sent += again(taken)?;
        }
        let mut received = 0;
        loop {
            self.wait(PollFlags::IN, end, patience)?;
            let read = match again(rustix::io::read(&self.stream, &mut memory[received..]).map(Some))? {
                Some(0) => return Err(Broken::Lost(io::ErrorKind::UnexpectedEof.into())),
                Some(read) => read,
                None => 0,
            };
            received += read;
            match size(&memory[..received]).map_err(|_| Broken::Garbled)? {
                Some(size) if received > size => return Err(Broken::Garbled),
                Some(size) if received == size => return Ok(size),
                _ if received == memory.len() => return Err(Broken::Garbled),
                _ => {}
            }
        }
    }

    fn wait(&self, flags: PollFlags, end: Instant, patience: Patience<'_>) -> Result<(), Broken> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let silent = Broken::Silent { limit_ms: patience.limit.as_millis() };
            if left.is_zero() {
                return Err(silent);
            }
            let mut watched = vec![PollFd::new(&self.stream, flags)];
            if let Some(stop) = patience.stop {
                watched.push(PollFd::new(&stop.0, PollFlags::IN));
            }
            let left = Timespec::try_from(left).expect("a limit is no age of the world");
            match poll(&mut watched, Some(&left)) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Broken::Lost(errno.into())),
                Ok(_) if watched.get(1).is_some_and(|stop| !stop.revents().is_empty()) => {
                    return Err(Broken::Stopped);
                }
                // Whatever else it says than that it is ready, the system call that follows says why.
                Ok(_) if !watched[0].revents().is_empty() => return Ok(()),
                Ok(_) => {}
            }
        }
    }
}

/// Why an exchange did not end.
pub(super) enum Broken {
    Lost(io::Error),
    Silent { limit_ms: u128 },
    Stopped,
    Garbled,
}

/// Nothing, where the call has to be made again.
fn again<T: Default>(result: Result<T, Errno>) -> Result<T, Broken> {
    match result {
        Ok(value) => Ok(value),
        Err(Errno::INTR | Errno::AGAIN) => Ok(T::default()),
        Err(errno) => Err(Broken::Lost(errno.into())),
    }
}

/// A blocking connect would wait for as long as the emulator serves somebody else and its queue is full.
fn dial(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_resource_manager_is_a_device() {
        assert_eq!(TpmPlace::device("/dev/tpmrm0").unwrap().path(), Path::new("/dev/tpmrm0"));
        for path in ["/dev/tpm0", "/dev/tpmrm", "tpmrm0", "/dev/tpmrm0/..", "/dev/tpmrm0 ", "", "/dev/null"] {
            assert_eq!(TpmPlace::device(path), Err(TpmPlaceRefused::NotTheResourceManager), "{path}");
        }
        assert!(TpmPlace::emulator("/run/swtpm/sock").is_ok());
        for path in ["sock", "", "unix:/x", "localhost:2321", &format!("/{}", "x".repeat(108)), "/a\0b"] {
            assert_eq!(TpmPlace::emulator(path), Err(TpmPlaceRefused::NotASocketPath), "{path}");
        }
    }

    #[test]
    fn what_is_no_tpm_is_not_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "as it was").unwrap();
        let refused = Transport::open(&TpmPlace::Device(file.clone())).err().unwrap();
        assert!(matches!(refused, TpmError::NotATpm { .. }));
        assert_eq!(std::fs::read(&file).unwrap(), b"as it was");
        let absent = Transport::open(&TpmPlace::Device(directory.path().join("absent"))).err().unwrap();
        assert!(matches!(absent, TpmError::Absent { .. }));
        let absent = Transport::open(&TpmPlace::Emulator(file)).err().unwrap();
        assert!(matches!(absent, TpmError::Absent { .. }));
    }
}
