//! The commands of the Azure CLI that block identities: for `sh`, to be read before they are run.
//!
//! Syntax: `az iot dps enrollment create|update|show`, `az iot dps enrollment-group registration delete`, `az iot hub device-identity
//! delete` (<https://learn.microsoft.com/cli/azure/iot/dps>, <https://learn.microsoft.com/cli/azure/iot/hub/device-identity>). A
//! registration ID is handed over as `--option=value`, for it may begin with a dash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use keystation_audit::{Blocked, ToBlock};

use super::cleanup::parents_of;

/// What is done for one identity. An individual enrollment comes before the enrollment group of the device. Output is turned off, for
/// that of an enrollment shows its keys. What is not there cannot be deleted: a device that never registered has neither.
const BLOCK: &str = r#"
left=0
block() { # DPS instance, resource group, IoT hub, registration ID
    if az iot dps enrollment show --dps-name="$1" --resource-group="$2" --enrollment-id="$4" --output=none 2>/dev/null; then
        az iot dps enrollment update --dps-name="$1" --resource-group="$2" --enrollment-id="$4" --provisioning-status=disabled --output=none
    else
        az iot dps enrollment create --dps-name="$1" --resource-group="$2" --enrollment-id="$4" --attestation-type=symmetricKey --provisioning-status=disabled --output=none
    fi || { left=1; printf 'NOT BLOCKED: %s\n' "$4" >&2; return 0; }
    az iot dps enrollment-group registration delete --dps-name="$1" --resource-group="$2" --registration-id="$4" --output=none ||
        { left=1; printf 'registration record not deleted (never registered?): %s\n' "$4" >&2; }
    az iot hub device-identity delete --hub-name="$3" --resource-group="$2" --device-id="$4" --output=none ||
        { left=1; printf 'hub identity not deleted (never registered?): %s\n' "$4" >&2; }
}
"#;

/// In the place of the scope of an identity that another log began. No scope has such a character.
const UNKNOWN: &str = "other_log";

/// A script that blocks what was found in the log of `origin`. `sha256` is that of the list.
pub(super) fn script(origin: &str, found: &ToBlock, sha256: &str) -> String {
    let mut scopes = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (scope, endpoint) in found.devices.iter().flat_map(scopes_of) {
        scopes.entry(scope).or_default().insert(endpoint);
    }
    let mut text = format!(
        "#!/bin/sh\n\
         # Identities that must not register any more: {} of the log {origin}, up to record {}.\n\
         # SHA-256 of the list: {sha256}\n\
         # Nothing in here is secret. It needs the Azure CLI with its extension azure-iot, and somebody who is signed in there (az login)\n\
         # and may change the DPS instance and the IoT hub. It can be run again. Exit 0: all of it is done.\n\
         set -u\n",
        found.devices.len(),
        found.to,
    );
    for (scope, endpoints) in scopes {
        let whose = match scope {
            UNKNOWN => "of identities that another log began".to_owned(),
            scope => {
                let endpoints: Vec<_> = endpoints.into_iter().collect();
                format!("with the ID scope {scope} ({})", endpoints.join(", "))
            }
        };
        let _ = write!(
            text,
            "\n# The DPS instance {whose}, its resource group, and the IoT hub that its devices are assigned to.\n\
             DPS_{scope}=''\nGROUP_{scope}=''\nHUB_{scope}=''\n\
             : \"${{DPS_{scope}:?}}\" \"${{GROUP_{scope}:?}}\" \"${{HUB_{scope}:?}}\"\n"
        );
    }
    text += BLOCK;
    text.push('\n');
    for device in &found.devices {
        let (id, what) = (device.id.as_str(), device.retirement.what.as_str());
        // Once in each DPS instance, whichever of its endpoints the device was told.
        let mut named = BTreeSet::new();
        for (scope, _) in scopes_of(device).filter(|(scope, _)| named.insert(*scope)) {
            let _ = writeln!(
                text,
                "block \"$DPS_{scope}\" \"$GROUP_{scope}\" \"$HUB_{scope}\" {} # {what}, record {}",
                quoted(id),
                device.retirement.record,
            );
        }
    }
    text + "\nexit \"$left\"\n"
}

/// The scopes and endpoints of an identity. A scope is 1 to 32 letters and digits: a part of a name in `sh`.
fn scopes_of(device: &Blocked) -> impl Iterator<Item = (&str, &str)> {
    parents_of(device).map(|parent| {
        parent.map_or((UNKNOWN, ""), |parent| (parent.scope.as_str(), parent.endpoint.as_str()))
    })
}

/// One word of `sh`, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use keystation_audit::Parent;
    use keystation_core::flow::{Retired, Retirement};
    use keystation_core::identity::Identity;
    use keystation_core::key::Endpoint;
    use keystation_core::registration::{IdRule, RegistrationId};

    use super::*;

    #[test]
    fn nothing_in_a_quoted_word_is_done() {
        let hostile =
            ["a'b", "$(touch x)", "`touch x`", "';touch x;'", "\\", "a\nb", "--help", "* ?", "\"", "!x"];
        for word in hostile {
            let out =
                Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), word);
        }
    }

    fn blocked(id: &str, record: u64, parents: &[(&str, &str)]) -> Blocked {
        let parent = |&(scope, endpoint): &(&str, &str)| Parent {
            key: "gk-1".parse().unwrap(),
            group: "g".parse().unwrap(),
            scope: scope.parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        };
        Blocked {
            id: RegistrationId::new(id, IdRule::Punctuation).unwrap(),
            retirement: Retirement { what: Retired::Revoked, record },
            time: String::new(),
            reason: "lost".to_owned(),
            identity: Identity { mac: None, serial: None },
            successor: String::new(),
            parents: parents.iter().map(parent).collect(),
            elsewhere: parents.is_empty(),
        }
    }

    const ORIGIN: &str = "keylog.example.com/plant7/stn03/1";

    #[test]
    fn an_identity_is_blocked_in_each_instance_that_it_was_keyed_for_once() {
        let twice =
            [("0ne00EMU002", Endpoint::GLOBAL), ("0ne00EMU001", "a.example"), ("0ne00EMU001", "b.example")];
        let devices =
            vec![blocked("sn-1", 7, &twice), blocked("sn-2", 8, &twice[..1]), blocked("sn-3", 9, &[])];
        let text = script(ORIGIN, &ToBlock { devices, to: 12 }, &"00".repeat(32));
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("block \"")).collect();
        let line = |scope: &str, id: &str, record: u8| {
            format!(
                "block \"$DPS_{scope}\" \"$GROUP_{scope}\" \"$HUB_{scope}\" '{id}' # revoked, record {record}"
            )
        };
        let expected = [
            line("0ne00EMU002", "sn-1", 7),
            line("0ne00EMU001", "sn-1", 7),
            line("0ne00EMU002", "sn-2", 8),
            line("other_log", "sn-3", 9),
        ];
        assert_eq!(lines, expected);
        assert!(text.contains("with the ID scope 0ne00EMU001 (a.example, b.example), its resource group"));
        assert_eq!(text.matches("DPS_0ne00EMU001=''").count(), 1);
    }

    /// With a program in place of `az` that writes down what it is called with.
    #[test]
    fn the_script_hands_over_each_identity_in_four_calls() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let program = |status: &str| {
            format!(
                "#!/bin/sh\nprintf '%s|' \"$@\" >> {calls}; echo >> {calls}\n\
                 case \"$*\" in {status}) exit 3;; esac\nexit 0\n",
                calls = at("calls").display()
            )
        };
        let parents = [("0ne00EMU001", Endpoint::GLOBAL)];
        let devices = vec![blocked("sn-1", 7, &parents), blocked("sn.2:a", 9, &parents)];
        let text = script(ORIGIN, &ToBlock { devices, to: 12 }, &"00".repeat(32));
        // Without names it does nothing.
        fs::write(at("block.sh"), &text).unwrap();
        let path = format!("{}:{}", directory.path().display(), "/usr/bin:/bin");
        let run = |script: &str| Command::new("sh").arg(at(script)).env("PATH", &path).output().unwrap();
        let az = at("az");
        fs::write(&az, program("*enrollment*show*sn-1*")).unwrap();
        fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!run("block.sh").status.success() && !at("calls").exists());
        let named = text
            .replace("DPS_0ne00EMU001=''", "DPS_0ne00EMU001='my dps'")
            .replace("GROUP_0ne00EMU001=''", "GROUP_0ne00EMU001='rg'")
            .replace("HUB_0ne00EMU001=''", "HUB_0ne00EMU001='hub'");
        fs::write(at("named.sh"), &named).unwrap();
        let out = run("named.sh");
        assert!(out.status.success(), "{out:?}");
        let calls = fs::read_to_string(at("calls")).unwrap();
        let dps = "--dps-name=my dps|--resource-group=rg|";
        let expected = format!(
            "iot|dps|enrollment|show|{dps}--enrollment-id=sn-1|--output=none|\n\
             iot|dps|enrollment|create|{dps}--enrollment-id=sn-1|--attestation-type=symmetricKey|--provisioning-status=disabled|--output=none|\n\
             iot|dps|enrollment-group|registration|delete|{dps}--registration-id=sn-1|--output=none|\n\
             iot|hub|device-identity|delete|--hub-name=hub|--resource-group=rg|--device-id=sn-1|--output=none|\n\
             iot|dps|enrollment|show|{dps}--enrollment-id=sn.2:a|--output=none|\n\
             iot|dps|enrollment|update|{dps}--enrollment-id=sn.2:a|--provisioning-status=disabled|--output=none|\n\
             iot|dps|enrollment-group|registration|delete|{dps}--registration-id=sn.2:a|--output=none|\n\
             iot|hub|device-identity|delete|--hub-name=hub|--resource-group=rg|--device-id=sn.2:a|--output=none|\n"
        );
        assert_eq!(calls, expected);
        // What was not done is said, and does not keep the rest from being done.
        fs::write(&az, program("*enrollment*create*sn-1*|*enrollment*show*|*hub*sn.2:a*")).unwrap();
        fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
        let out = run("named.sh");
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1));
        assert!(said.contains("NOT BLOCKED: sn-1") && said.contains("hub identity not deleted"), "{said}");
    }
}
