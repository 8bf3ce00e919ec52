//! A small disk that is really full, at each moment of a shift: a tmpfs of a few MiB, which only this program sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use keystation_audit::{Paths, SpaceRules, SystemClock};
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::board::Board;
use crate::shift::{Told, begin, heal, hold, work};

const KIB: u64 = 1024;

const SPACE: SpaceRules = SpaceRules { warn: 512 * KIB, refuse: 300 * KIB, ballast: 256 * KIB };

/// KiB that the others leave. The last two are more than has to be free, and what the shift itself takes before its intent.
const LEFT: [u64; 23] =
    [0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 480, 640];

/// When the others fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before the station opens its log, which finds no room for a ballast.
    WithoutBallast,
    /// Before the station opens its log.
    Closed,
    /// Before this step of the flow; the one after the last is the closing.
    Step(usize),
}

impl Moment {
    fn all() -> impl Iterator<Item = Self> {
        [Self::WithoutBallast, Self::Closed].into_iter().chain((0..=6).map(Self::Step))
    }

    /// The intent is written between the second step and the third.
    fn before_the_intent(self) -> bool {
        !matches!(self, Self::Step(2..))
    }
}

/// Runs this program again where it may mount: in a mount namespace of its own, which ends with it.
pub(crate) fn a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--mount").arg(std::env::current_exe().unwrap()).arg("small-disk").arg(directory.path());
    let output = command.output().expect("unshare is part of every Linux");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    eprint!("{} ", said.trim_end());
}

/// The program in its namespace.
pub(crate) fn on_small_disk(disk: &Path) -> ExitCode {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(disk).status();
    assert!(
        mounted.unwrap().success(),
        "a small disk has to be mounted: as root, or where users may have namespaces of their own"
    );
    let (mut shifts, mut refused, mut recorded) = (0, 0, 0);
    for moment in Moment::all() {
        for left in LEFT {
            let told = shift(disk, moment, left * KIB);
            shifts += 1;
            refused += u32::from(!told.touched);
            recorded += u32::from(told.touched);
        }
    }
    assert!(refused > 50 && recorded > 50);
    println!("{shifts} shifts: {refused} refused before the device was written, {recorded} recorded.");
    ExitCode::SUCCESS
}

fn shift(disk: &Path, moment: Moment, left: u64) -> Told {
    let case = format!("{moment:?}, {left} bytes left");
    let paths = Paths::in_dir(disk);
    begin(&paths);
    let filler = disk.join("of-others");
    if moment == Moment::WithoutBallast {
        fs::remove_file(&paths.ballast).unwrap();
    }
    if matches!(moment, Moment::WithoutBallast | Moment::Closed) {
        fill(disk, &filler, left);
    }
    let mut board = Board::new(7, Some(disk.to_owned()));
    let told = work(&paths, SPACE, &mut board, SystemClock::new().unwrap(), &mut |step| {
        if moment == Moment::Step(step) {
            fill(disk, &filler, left);
        }
    });
    fs::remove_file(&filler).unwrap();
    hold(&paths, &told, &case);
    assert_eq!(told.touched, told.passed(), "{case}: what was begun is recorded: {told:?}");
    if !moment.before_the_intent() {
        assert!(told.passed(), "{case}: there is a ballast for that: {told:?}");
    } else if left < SPACE.refuse {
        assert!(!told.touched, "{case}");
        // Without a ballast there may not even be room for the record of the start.
        let stopped = moment == Moment::WithoutBallast && told.code() == "log-failed";
        assert!(!told.opened || stopped || told.code() == "space-low", "{case}: {told:?}");
    } else if moment != Moment::WithoutBallast {
        assert!(told.passed(), "{case}: there is room: {told:?}");
    }
    heal(&paths, &mut board, &told, &case);
    for file in fs::read_dir(disk).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    told
}

/// Leaves `left` bytes, or the less that there are.
fn fill(disk: &Path, filler: &PathBuf, left: u64) {
    let found = statvfs(disk).unwrap();
    let file = fs::File::create(filler).unwrap();
    let size = (found.f_bavail * found.f_frsize).saturating_sub(left);
    if size > 0 {
        fallocate(&file, FallocateFlags::empty(), 0, size).unwrap();
    }
}
