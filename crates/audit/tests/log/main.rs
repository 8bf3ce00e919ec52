//! The log as its callers and its attackers see it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod accounts; // who may sign in, and how often a PIN was wrong
mod anchor; // what a witness cosigned
mod attacks; // what is done to the files is found, at start or by the verifier
mod bits; // the same, one bit at a time
mod bundle; // what is handed to those who need not trust the station
mod confusion; // parts of one log beside parts of another
mod denials; // who asked for what is not permitted
mod device_anchor; // what the log was when a device was keyed
mod example; // the worked example of docs/audit-format.md
mod forge; // with every hash computed anew, without the key and with it
mod group_keys; // keys, components, and which devices hang on a key
mod head; // the head, its tail, and what a kill or a power cut leaves of them
mod journal; // appending, closing, opening, one writer
mod life; // everything of one device
mod names; // the table that can be erased
mod proofs; // inclusion and consistency, out of what the database keeps
mod report_note; // what vouches for a report
mod review; // what QA has looked through
mod search; // finding devices, pages, figures
mod standing; // what the log knows of a device
mod support;
mod upgrade; // a database that an older program wrote
mod vectors; // what must be refused
mod witness; // cosignatures
