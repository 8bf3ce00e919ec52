//! Components of a key: what is taken, what is refused, and that no mistyped character passes.

use keystation_core::key::CheckValue;
use keystation_vault::{Component, ComponentCheck, ComponentRefused, GroupKey, NoKeyOfThem, Part};
use proptest::prelude::*;
use serde_json::Value;

use crate::contract::openssl;
use crate::support::{repository, secret, variant, vectors};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn part(number: u64) -> Part {
    Part::new(number.try_into().unwrap()).unwrap()
}

fn component(text: &str, number: u64) -> Result<Component, ComponentRefused> {
    Component::judged(&secret(text), part(number), 64)
}

fn rows(name: &str) -> Vec<Value> {
    vectors("component.json")[name].as_array().unwrap().clone()
}

/// The components of a row of `keys`, numbered as they stand there.
fn components(row: &Value) -> Vec<Component> {
    let texts = row["components"].as_array().unwrap();
    (1..).zip(texts).map(|(number, text)| component(text.as_str().unwrap(), number).unwrap()).collect()
}

/// The innermost name of a refusal.
fn why(error: &ComponentRefused) -> String {
    match error {
        ComponentRefused::Text(reason) => variant(reason),
        other => variant(other),
    }
}

#[test]
fn each_vector_is_taken_or_refused_for_its_reason() {
    let rows = rows("components");
    for row in &rows {
        let judged = component(row["text"].as_str().unwrap(), row["part"].as_u64().unwrap());
        match judged {
            Ok(taken) => {
                assert_eq!(row["accept"], true, "{row}");
                assert_eq!(taken.check().to_string(), row["check"], "{row}");
            }
            Err(error) => assert_eq!(why(&error), row["error"].as_str().unwrap_or("taken"), "{row}"),
        }
    }
    let refused = rows.iter().filter(|row| row["accept"] == false).count();
    assert!(refused >= 30, "{refused} refused vectors");
}

#[test]
fn components_make_the_key_in_any_order() {
    for row in rows("keys") {
        let mut all = components(&row);
        for _ in 0..all.len() {
            all.rotate_left(1);
            for _ in 0..2 {
                all.swap(0, 1);
                match GroupKey::of_components(&all.iter().collect::<Vec<_>>()) {
                    Ok(key) => assert_eq!(key.check_value().unwrap().to_string(), row["check"], "{row}"),
                    Err(error) => {
                        assert_eq!(variant(&error), row["error"].as_str().unwrap_or("a key"), "{row}")
                    }
                }
            }
        }
    }
}

#[test]
fn the_worked_examples_are_the_vectors() {
    let specification = std::fs::read_to_string(repository("docs/ceremony.md")).unwrap();
    for row in rows("keys").iter().filter(|row| row["key"].is_string()) {
        for made in components(row).iter().zip(row["components"].as_array().unwrap()) {
            let (number, text) = (made.0.part().number(), made.1.as_str().unwrap());
            let line = format!("    {number}    {text}    {}\n", made.0.check());
            assert!(specification.contains(&line), "{line}");
        }
        let line =
            format!("    key  {}    {}\n", row["key"].as_str().unwrap(), row["check"].as_str().unwrap());
        assert!(specification.contains(&line), "{line}");
    }
}

/// Where a wrong component is found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Caught {
    /// It is no canonical Base64 of 64 bytes.
    spelling: usize,
    /// Its check value is another.
    component: usize,
    /// Its check value is the same, and that of the key is another.
    key: usize,
    /// Not at all.
    missed: usize,
}

/// Each of the 88 characters replaced by each other of the alphabet, by `=`, and by what a person may type instead.
#[test]
fn every_mistyped_character_of_every_component_is_caught() {
    let mut caught = Caught::default();
    let mut replaced = 0;
    for row in rows("keys").iter().filter(|row| row["key"].is_string()) {
        let expected: CheckValue = row["check"].as_str().unwrap().parse().unwrap();
        let right = components(row);
        for (index, text) in row["components"].as_array().unwrap().iter().enumerate() {
            let text = text.as_str().unwrap();
            assert_eq!(text.len(), 88);
            for at in 0..text.len() {
                for other in ALPHABET.iter().chain(b"= -_.,'\"@").copied().map(char::from) {
                    if text[at..].starts_with(other) {
                        continue;
                    }
                    replaced += 1;
                    let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    let Ok(wrong) = component(&wrong, index as u64 + 1) else {
                        caught.spelling += 1;
                        continue;
                    };
                    let mut all = components(row);
                    all[index] = wrong;
                    let key = GroupKey::of_components(&all.iter().collect::<Vec<_>>());
                    let other_key = key.is_err() || key.unwrap().check_value().unwrap() != expected;
                    match (all[index].check() != right[index].check(), other_key) {
                        (true, true) => caught.component += 1,
                        (false, true) => caught.key += 1,
                        (_, false) => caught.missed += 1,
                    }
                }
            }
        }
    }
    println!("{replaced} replaced characters: {caught:?}");
    // Five components of 86 characters that count and two `=`: 73 characters are tried in each place, less the right one.
    assert_eq!(replaced, 5 * (86 * 72 + 2 * 72));
    // 85 places take 63 other letters each, the last one 15 or fewer whose lower four bits are zero: 3.
    // By its own check value each: among 3,100 components one has one that only the key's would find.
    assert_eq!((caught.component, caught.key, caught.missed), (5 * (85 * 63 + 3), 0, 0));
}

/// Two neighbours exchanged, a character missing, a character twice, the other case: what typing also does.
#[test]
fn other_slips_of_the_hand_are_caught() {
    for row in rows("keys").iter().filter(|row| row["key"].is_string()) {
        for (made, text) in components(row).iter().zip(row["components"].as_array().unwrap()) {
            let (text, number) = (text.as_str().unwrap(), made.part().number().into());
            for at in 0..text.len() - 1 {
                let (before, rest) = text.split_at(at);
                let (a, b) = (&rest[..1], &rest[1..2]);
                let other_case = if a.to_lowercase() == a { a.to_uppercase() } else { a.to_lowercase() };
                for wrong in [
                    format!("{before}{b}{a}{}", &rest[2..]),
                    format!("{before}{}", &rest[1..]),
                    format!("{before}{a}{rest}"),
                    format!("{before}{other_case}{}", &rest[1..]),
                ] {
                    if wrong != text {
                        assert!(
                            component(&wrong, number).map_or(true, |wrong| wrong.check() != made.check())
                        );
                    }
                }
            }
        }
    }
}

/// Six and ten digits: each replaced by every other character of a keyboard.
#[test]
fn every_mistyped_character_of_a_check_value_is_caught() {
    let row = &rows("keys")[0];
    let check: ComponentCheck = components(row)[0].check();
    let key: CheckValue = row["check"].as_str().unwrap().parse().unwrap();
    let caught = |text: &str, right: &dyn Fn(&str) -> bool| {
        let mut tried = 0;
        for at in 0..text.len() {
            for other in (b' '..=b'~').map(char::from).filter(|other| !text[at..].starts_with(*other)) {
                if text[at..].chars().next().is_some_and(|c| c.eq_ignore_ascii_case(&other)) {
                    continue; // the other case is the same digit
                }
                let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(!right(&wrong), "{wrong}");
                tried += 1;
            }
            assert!(!right(&format!("{}{}", &text[..at], &text[at + 1..])) || &text[at..=at] == "-");
        }
        assert!(right(text));
        tried
    };
    let tried = caught(&check.to_string(), &|text| text.parse() == Ok(check))
        + caught(&key.to_string(), &|text| text.parse() == Ok(key));
    println!("{tried} mistyped check values");
    assert!(tried > 1_400, "{tried}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each starts openssl

    #[test]
    fn any_components_of_one_length_make_their_xor(
        (first, key) in (32..=64usize).prop_flat_map(|n| {
            (proptest::collection::vec(any::<u8>(), n), proptest::collection::vec(any::<u8>(), n))
        })
    ) {
        use base64ct::{Base64, Encoding};
        let second: Vec<u8> = first.iter().zip(&key).map(|(a, b)| a ^ b).collect();
        let judged = |bytes: &[u8], number| {
            Component::judged(&secret(&Base64::encode_string(bytes)), part(number), key.len() as u8)
        };
        let all = [judged(&second, 2).unwrap(), judged(&first, 1).unwrap()];
        let mac: [u8; 32] = openssl(&key, CheckValue::MESSAGE).try_into().unwrap();
        let made = GroupKey::of_components(&all.iter().collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(made.check_value().unwrap(), CheckValue::from_hmac(&mac));
        let half = Component::judged(&secret(&Base64::encode_string(&first[..first.len() / 2])), part(1), key.len() as u8);
        prop_assert!(half.is_err());
    }
}

#[test]
fn what_refuses_says_nothing_of_the_text() {
    let text = "f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRR==";
    let error = component(text, 1).map(|_| ()).unwrap_err();
    assert!(!error.to_string().contains("RRR"), "{error}");
    let equal = GroupKey::of_components(&components(&rows("keys")[2]).iter().collect::<Vec<_>>())
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(equal, NoKeyOfThem::Equal(a, b) if a != b));
    assert_eq!(equal.to_string(), "components 1 and 2 are the same");
    assert!([0, 4, 255].into_iter().all(|number| Part::new(number).is_none()));
}
