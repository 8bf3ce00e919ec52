//! One line of the table that `cargo xtask bench` prints.

use serde_json::json;

/// What a row has to reach: the ratio where there is a peer, else our own figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
}

/// A figure of ours beside that of a peer, measured in the same run.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) row: &'static str,
    pub(crate) ours: f64,
    pub(crate) peer: Option<f64>,
    /// Ours over the peer's: the median of the rounds, which need not be the quotient of the two medians.
    pub(crate) ratio: Option<f64>,
    pub(crate) reach: Reach,
    pub(crate) unit: &'static str,
    pub(crate) how: String,
}

impl Row {
    /// One JSON object on one line: how `xtask` reads it.
    pub(crate) fn to_line(&self) -> String {
        let Self { row, ours, peer, ratio, reach, unit, how } = self;
        let (bound, reach) = match reach {
            Reach::AtLeast(reach) => ("at least", reach),
            Reach::AtMost(reach) => ("at most", reach),
        };
        json!({ "row": row, "ours": ours, "peer": peer, "ratio": ratio, "bound": bound, "reach": reach, "unit": unit, "how": how })
            .to_string()
    }
}

/// The middle one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
