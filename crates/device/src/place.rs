//! Where a slot's devices are plugged in: a path, or a physical port of the USB tree.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a slot is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A device file, or a link to one.
    Path(PathBuf),
    /// A physical port: the device file has another name each time, so it is looked up when something is plugged in.
    Usb {
        /// Bus, then the port of each hub.
        path: UsbPath,
        /// Which port of an adapter that has several; needed for one that has several.
        interface: Option<u8>,
    },
}

/// A physical port of the USB tree as the kernel writes it: bus, `-`, port of each hub, `1-1.4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsbPath(String);

/// A text that is no place on the USB tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a USB path is the bus and the port of each hub, for example 1-1.4 (`keystation ports` shows them)")]
pub struct NotAUsbPath;

/// What is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A port, by the path that opens it.
    Port(PathBuf),
    /// An adapter with several ports, and the place does not say which one.
    Several,
}

/// One port as it is right now: two of them are the same device file of the same port, or something was plugged anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Links followed.
    path: PathBuf,
    /// Device number, and the number of the node: a name that was given anew has another one.
    node: (u64, u64),
    usb: Option<(UsbPath, u8)>,
}

/// Where the kernel shows its devices. Another one in tests.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// `/sys/class/tty`: a link for each terminal, whose target names the way through the USB tree.
    pub(crate) class: PathBuf,
    /// `/dev`.
    pub(crate) dev: PathBuf,
}

impl Default for Tree {
    fn default() -> Self {
        Self { class: "/sys/class/tty".into(), dev: "/dev".into() }
    }
}

impl FromStr for UsbPath {
    type Err = NotAUsbPath;

    fn from_str(text: &str) -> Result<Self, NotAUsbPath> {
        // Numbers without leading zeros: one port has one spelling, and two slots on it are seen.
        let number = |text: &str| {
            (1..=3).contains(&text.len())
                && !text.starts_with('0')
                && text.bytes().all(|b| b.is_ascii_digit())
        };
        let (bus, ports) = text.split_once('-').ok_or(NotAUsbPath)?;
        // Seven tiers (USB 2.0, 4.1.1): the root hub's port and that of five hubs below.
        let fits = number(bus) && ports.split('.').count() <= 6 && ports.split('.').all(number);
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAUsbPath) }
    }
}

impl fmt::Display for UsbPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Usb { path, interface: None } => write!(f, "usb {path}"),
            Self::Usb { path, interface: Some(interface) } => write!(f, "usb {path}/if{interface}"),
        }
    }
}

impl Place {
    /// Whether a port could be that of both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(two)) => one == two,
            (Self::Usb { path: one, interface: a }, Self::Usb { path: two, interface: b }) => {
                one == two && (a == b || a.is_none() || b.is_none())
            }
            _ => false,
        }
    }

    /// What is there now. What leads to nothing is nothing.
    pub fn find(&self) -> io::Result<Found> {
        self.find_in(&Tree::default())
    }

    pub(crate) fn find_in(&self, tree: &Tree) -> io::Result<Found> {
        match self {
            Self::Path(path) if path.exists() => Ok(Found::Port(path.clone())),
            Self::Path(_) => Ok(Found::Nothing),
            Self::Usb { path, interface } => {
                let mut found = tree.terminals()?.into_iter().filter(|(usb, number, node)| {
                    usb == path && interface.is_none_or(|interface| interface == *number) && node.exists()
                });
                Ok(match (found.next(), found.next()) {
                    (None, _) => Found::Nothing,
                    (Some((.., node)), None) => Found::Port(node),
                    (Some(_), Some(_)) => Found::Several,
                })
            }
        }
    }

    /// The directory in which the device file comes and goes, for a place on the USB tree.
    pub(crate) fn node_of<'a>(&'a self, tree: &'a Tree) -> std::borrow::Cow<'a, Path> {
        match self {
            Self::Path(path) => path.into(),
            // Any name: only its directory is watched.
            Self::Usb { .. } => tree.dev.join("tty").into(),
        }
    }
}

impl Tree {
    /// Every terminal on USB: its place, its interface, its device file.
    fn terminals(&self) -> io::Result<Vec<(UsbPath, u8, PathBuf)>> {
        let entries = match fs::read_dir(&self.class) {
            // A container without sysfs has no USB ports.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            // It may be gone by now.
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            if let Some((usb, interface)) = on_usb(&target) {
                found.push((usb, interface, self.dev.join(entry.file_name())));
            }
        }
        Ok(found)
    }

    fn usb_of(&self, node: &Path) -> Option<(UsbPath, u8)> {
        on_usb(&fs::read_link(self.class.join(node.file_name()?)).ok()?)
    }
}

/// The last folder that is an interface of a USB device, `1-1.4:1.0`: the device's place, configuration, interface number.
fn on_usb(target: &Path) -> Option<(UsbPath, u8)> {
    target.iter().rev().find_map(|folder| {
        let (place, function) = folder.to_str()?.split_once(':')?;
        let (_, interface) = function.split_once('.')?;
        // The kernel writes the interface number as a decimal one (`usb_set_configuration`).
        Some((place.parse().ok()?, interface.parse().ok()?))
    })
}

impl Spot {
    /// What is at `path` now.
    pub(crate) fn at(path: &Path, tree: &Tree) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let node = fs::metadata(&path)?;
        Ok(Self { usb: tree.usb_of(&path), node: (node.rdev(), node.ino()), path })
    }

    /// Whether it is this device file.
    pub(crate) fn is_node(&self, device: u64, number: u64) -> bool {
        self.node == (device, number)
    }

    /// The device file, links followed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match &self.usb {
            Some((usb, interface)) => write!(f, " (usb {usb}/if{interface})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A kernel's view in a directory: each terminal with its way through the USB tree.
    pub(crate) fn tree(dir: &Path, terminals: &[(&str, &str)]) -> Tree {
        let tree = Tree { class: dir.join("class"), dev: dir.join("dev") };
        fs::create_dir_all(&tree.class).unwrap();
        fs::create_dir_all(&tree.dev).unwrap();
        for (name, way) in terminals {
            symlink(way, tree.class.join(name)).unwrap();
            fs::write(tree.dev.join(name), "").unwrap();
        }
        tree
    }

    fn usb(path: &str, interface: Option<u8>) -> Place {
        Place::Usb { path: path.parse().unwrap(), interface }
    }

    const HUB: &str = "../../devices/pci0000:00/0000:00:14.0/usb1/1-1";

    #[test]
    fn a_place_on_usb_is_found_whatever_its_device_file_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let ways = [
            ("ttyUSB7", format!("{HUB}/1-1.4/1-1.4:1.0/ttyUSB7/tty/ttyUSB7")),
            ("ttyUSB8", format!("{HUB}/1-1.3/1-1.3:1.0/ttyUSB8/tty/ttyUSB8")),
            ("ttyUSB9", format!("{HUB}/1-1.3/1-1.3:1.1/ttyUSB9/tty/ttyUSB9")),
            // Behind one more hub: another place, although the text begins alike.
            ("ttyACM0", format!("{HUB}/1-1.4/1-1.4.1/1-1.4.1:1.2/tty/ttyACM0")),
            ("ttyS0", "../../devices/platform/serial8250/tty/ttyS0".to_owned()),
        ];
        let tree = tree(dir.path(), &ways.each_ref().map(|(name, way)| (*name, way.as_str())));
        let found = |place: &Place| match place.find_in(&tree).unwrap() {
            Found::Port(path) => path.file_name().unwrap().to_str().unwrap().to_owned(),
            Found::Nothing => "-".to_owned(),
            Found::Several => "several".to_owned(),
        };
        for (place, expected) in [
            (usb("1-1.4", None), "ttyUSB7"),
            (usb("1-1.4", Some(0)), "ttyUSB7"),
            (usb("1-1.4", Some(1)), "-"),
            (usb("1-1.3", Some(1)), "ttyUSB9"),
            (usb("1-1.3", None), "several"),
            (usb("1-1.4.1", None), "ttyACM0"),
            (usb("2-1.4", None), "-"),
            (Place::Path(dir.path().join("none")), "-"),
        ] {
            assert_eq!(found(&place), expected, "{place}");
        }
        fs::remove_file(tree.dev.join("ttyUSB7")).unwrap();
        assert_eq!(found(&usb("1-1.4", None)), "-", "the kernel names it, its device file is not there yet");
    }

    #[test]
    fn a_device_file_that_was_made_anew_is_another_spot() {
        let dir = tempfile::tempdir().unwrap();
        let way = format!("{HUB}/1-1.4/1-1.4:1.0/ttyUSB7/tty/ttyUSB7");
        let tree = tree(dir.path(), &[("ttyUSB7", way.as_str())]);
        let (link, node) = (dir.path().join("link"), tree.dev.join("ttyUSB7"));
        symlink(&node, &link).unwrap();
        let before = Spot::at(&link, &tree).unwrap();
        assert_eq!(Spot::at(&node, &tree).unwrap(), before);
        assert!(before.to_string().ends_with("ttyUSB7 (usb 1-1.4/if0)"), "{before}");
        // Kept open, or its number could be given away again at once.
        let _old = fs::File::open(&node).unwrap();
        fs::remove_file(&node).unwrap();
        fs::write(&node, "").unwrap();
        assert_ne!(Spot::at(&link, &tree).unwrap(), before);
    }

    #[test]
    fn only_what_the_kernel_writes_is_a_usb_path() {
        for text in ["1-1", "1-1.4", "12-1.2.3.4.5.6", "1-127"] {
            assert_eq!(text.parse::<UsbPath>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "1",
            "1-",
            "-1",
            "1-1.",
            "01-1",
            "1-01",
            "1-1.4:1.0",
            "1-1.2.3.4.5.6.7",
            "a-1",
            "1-1 ",
            "1-1000",
        ] {
            assert_eq!(text.parse::<UsbPath>(), Err(NotAUsbPath), "{text:?}");
        }
    }

    #[test]
    fn two_places_that_could_be_one_port_overlap() {
        assert!(usb("1-1", None).overlaps(&usb("1-1", Some(1))));
        assert!(!usb("1-1", Some(0)).overlaps(&usb("1-1", Some(1))));
        assert!(!usb("1-1", None).overlaps(&usb("1-1.1", None)));
        assert!(Place::Path("p".into()).overlaps(&Place::Path("p".into())));
        assert!(!Place::Path("p".into()).overlaps(&usb("1-1", None)));
    }
}
