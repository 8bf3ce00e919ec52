//! `keystation witness …`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessVerb {
    /// Make a witness with a key of its own
    Init {
        /// Where it keeps its key and what it remembers
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// Whose it is, for example witness.example.com/qa
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Watch a station's log from now on
    AddLog {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The station's log.vkey
        #[arg(long, value_name = "FILE")]
        vkey: PathBuf,
    },
    /// Cosign the checkpoint of a request, or say why not
    Sign {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The request that the station made
        #[arg(long = "in", value_name = "REQUEST")]
        input: PathBuf,
        /// Where the cosigned checkpoint goes
        #[arg(long = "out", value_name = "RESPONSE")]
        output: PathBuf,
    },
    /// The logs that it watches, and how far it has seen them
    List {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
}
