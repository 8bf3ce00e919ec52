//! Who gave which component of a key, in all ceremonies that there ever were: R02.
//!
//! Nobody gives two components of one key, whatever has happened since. A ceremony is about the key of another if it says the same of
//! it (label, check value, or group, scope and slot), or if one component was entered in both: what is said may be wrong, the
//! check value of a component is made of its text. From there on only what the components themselves show, or what was said to the letter, leads further: who
//! said that the label of one key is the check value of another has joined nothing, or one lie would bar everybody for ever.
//!
//! Whatever was said, no key is made of components two of which one person has had: these are known again when they are on the table
//! ([`History::somebody_has_two`]).

use std::collections::BTreeSet;

use keystation_audit::Component as Given;

use super::CeremonyOrder;

/// A component as its paper has it: its number, and the 6 hexadecimal digits of its check value.
pub(super) type Paper = (u8, String);

/// A component on the table.
pub(super) struct OnTable {
    /// Who gave it.
    pub(super) giver: String,
    /// How its paper would be known again, with each number that somebody may have taken it for.
    pub(super) papers: Vec<Paper>,
}

/// Every component that was ever given.
pub(super) struct History(pub(super) Vec<Given>);

fn paper(given: &Given) -> Paper {
    (given.part, given.component.clone())
}

/// Whether the two are of one key: by one ceremony, by the component itself, or because the same was said of it in every word.
fn is_one_key(one: &Given, other: &Given) -> bool {
    let said = |given: &Given| {
        let Given { key, check_value, group, scope, slot, .. } = given.clone();
        (key, check_value, group, scope, slot)
    };
    one.ceremony == other.ceremony || paper(one) == paper(other) || said(one) == said(other)
}

impl History {
    /// Those of the key of `order`, in which the components `papers` are.
    fn of_key(&self, order: &CeremonyOrder, papers: &[Paper]) -> Vec<&Given> {
        let is_of = |given: &&Given| order.is_of(given) || papers.contains(&paper(given));
        let (mut found, mut rest): (Vec<_>, Vec<_>) = self.0.iter().partition(is_of);
        let mut looked_at = 0;
        while let Some(known) = found.get(looked_at).copied() {
            let (more, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|given| is_one_key(known, given));
            found.extend(more);
            rest = others;
            looked_at += 1;
        }
        found
    }

    /// Whether `user` ever gave another component than `part` of the key of `order`.
    pub(super) fn gave_another(&self, order: &CeremonyOrder, papers: &[Paper], part: u8, user: &str) -> bool {
        self.of_key(order, papers).iter().any(|given| given.user == user && given.part != part)
    }

    /// Whether somebody has had two of the components on the table, now or ever, in whichever place and whatever was said of the key.
    pub(super) fn somebody_has_two(&self, table: &[OnTable]) -> bool {
        let givers = |component: &OnTable| {
            let ever = self.0.iter().filter(|given| component.papers.contains(&paper(given)));
            let ever = ever.map(|given| given.user.clone());
            ever.chain([component.giver.clone()]).collect::<BTreeSet<_>>()
        };
        let has_both = |one: &OnTable, other: &OnTable| {
            // One text in two places makes no key: that is said when they are put together.
            one.papers != other.papers && !givers(one).is_disjoint(&givers(other))
        };
        table.iter().enumerate().any(|(at, one)| table[..at].iter().any(|other| has_both(one, other)))
    }
}
