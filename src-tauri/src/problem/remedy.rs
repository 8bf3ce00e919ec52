//! What to do about a problem, where the command line would name a verb that nobody at a window can type.

/// The window's own steps for the problem of this code, one to three; none where those of the station fit.
pub(crate) fn own(code: &str) -> Option<&'static [&'static str]> {
    Some(match code {
        "station-missing" => &["Was the window opened on the right directory?", "Call the administrator."],
        "no-device" => &["Search for its MAC address or serial number.", "Was it keyed at another station?"],
        "name" => &["Give it on one line, 100 characters at most."],
        "reason" => &["Say why, in a few words."],
        "vault-missing" => {
            &["A new station: a custodian imports a key in Keys.", "Otherwise: call the administrator."]
        }
        "key-unknown" => &["Look in Keys which there are.", "Not there: call the custodian."],
        "key-state" => &["Look in Keys what state it is in."],
        "person-unknown" => &["Look in People for the ID."],
        "log-unreadable" => &["Call QA: Audit, Verify says what is wrong.", "Call the administrator."],
        "proof-too-long" => &["Call the administrator: export a bundle of this device."],
        "no-order" => &["The supervisor opens the work order in Orders.", "Plug the device in again."],
        "order-unknown" | "order-state" => &["Look in Orders what there is."],
        "order-unaccounted" => &[
            "Plug in those that were begun: what is open is settled by it.",
            "Make those that nobody saw.",
            "Lost or broken: put them down as scrap.",
        ],
        "order-short" => &["Make the rest, or say why not."],
        "order-text" => &["Have the line mended by whoever wrote the order.", "Choose the file again."],
        "order-device" => &["Give it as the list or its label has it."],
        "rekey-reason" => &["Choose a reason; with \"other\" say which."],
        "rekey-not-approved" => &["Another supervisor approves it."],
        "rekey-list" => &["Have the list mended: nothing of it was taken.", "Choose the file again."],
        "rekey-batch" | "rekey-empty" => &["Look in Repair what there is."],
        "key-inactive" => &[
            "Has production moved to another key?",
            "Suspended: ask the supervisor why.",
            "Two custodians activate it in Keys.",
        ],
        "unsecured" => &["Call QA: a witness has to see the log.", "Then plug the device in again."],
        "clock-doubted" => &[
            "Keep the device.",
            "Call the administrator: set the clock right.",
            "The administrator and another person then accept the time.",
        ],
        "scrapped" => &[
            "Keep the device apart.",
            "Call the supervisor: who put it back on the bench?",
            "A mistake: two people put it back in Repair.",
        ],
        "same-key" => &[
            "Choose a profile with another group key, or swap the board.",
            "Meant all the same: say so beside the reason.",
        ],
        "slot-unknown" => &["Call the administrator: the settings name no such slot."],
        "device-unknown" => &["Look at the device again.", "Or find it by what its label says."],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use keystation::StationError;
    use keystation_core::failure::Code;

    use super::*;
    use crate::problem::Problem;

    /// What only somebody at a command line can do.
    fn typed(step: &str) -> bool {
        step.contains("keystation ") || step.contains("`--")
    }

    #[test]
    fn no_failure_of_a_device_tells_an_operator_to_type_a_command() {
        let own_ones = Code::ALL.iter().filter(|code| own(code.as_str()).is_some()).count();
        assert_eq!(own_ones, 6);
        for code in Code::ALL {
            let steps = own(code.as_str()).unwrap_or_else(|| code.remedy());
            assert!((1..=3).contains(&steps.len()), "{code}");
            assert!(!steps.iter().any(|step| typed(step)), "{code}: {steps:?}");
        }
    }

    #[test]
    fn the_window_has_its_own_steps_and_the_command_line_keeps_its_own() {
        let error = StationError::Missing("/no/station".into());
        assert!(error.remedy().iter().any(|step| typed(step)));
        let problem = Problem::from(error);
        assert!(!problem.remedy.iter().any(|step| typed(step)), "{problem:?}");
    }
}
