//! `[space]` of `station.toml`.

use keystation_audit::SpaceRules;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpaceSection {
    warn_mib: u32,
    refuse_mib: u32,
    ballast_mib: u32,
}

/// Room that is warned of before it is refused, and a ballast that takes the records of all slots.
pub(super) const fn rules(section: &SpaceSection) -> Result<SpaceRules, &'static str> {
    let SpaceSection { warn_mib, refuse_mib, ballast_mib } = *section;
    if ballast_mib < 1 || ballast_mib > 1024 {
        Err("the ballast has 1 to 1024 MiB")
    } else if refuse_mib < 1 || warn_mib < refuse_mib {
        Err("it refuses from 1 MiB on, and warns no later than it refuses")
    } else {
        Ok(SpaceRules { warn: bytes(warn_mib), refuse: bytes(refuse_mib), ballast: bytes(ballast_mib) })
    }
}

/// MiB in bytes.
const fn bytes(mib: u32) -> u64 {
    (mib as u64) << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(warn_mib: u32, refuse_mib: u32, ballast_mib: u32) -> Result<SpaceRules, &'static str> {
        rules(&SpaceSection { warn_mib, refuse_mib, ballast_mib })
    }

    #[test]
    fn it_warns_before_it_refuses_and_keeps_something_aside() {
        assert_eq!(read(2000, 500, 4), Ok(SpaceRules::default()));
        assert_eq!(read(1, 1, 1024).unwrap().ballast, 1 << 30);
        for (warn, refuse, ballast) in
            [(400, 500, 4), (0, 0, 4), (2000, 0, 4), (2000, 500, 0), (2000, 500, 1025)]
        {
            assert!(read(warn, refuse, ballast).is_err(), "{warn} {refuse} {ballast}");
        }
    }

    #[test]
    fn a_key_that_is_missing_or_unknown_is_named() {
        let read = |text: &str| toml::from_str::<SpaceSection>(text).err().unwrap().message().to_owned();
        assert!(read("warn_mib = 2000\nrefuse_mib = 500").contains("missing field `ballast_mib`"));
        let mistyped = read("warn_mb = 2000\nrefuse_mib = 500\nballast_mib = 4");
        assert!(mistyped.contains("unknown field `warn_mb`"), "{mistyped}");
        assert!(read("warn_mib = -1\nrefuse_mib = 500\nballast_mib = 4").contains("-1"));
    }
}
