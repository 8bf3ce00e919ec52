//! The log as its callers and its attackers see it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod accounts; // who may sign in, and how often a PIN was wrong
mod anchor; // what a witness cosigned
mod attacks; // what is done to the files is found, at start or by the verifier
mod batches; // batches of repair: what is refused, and found in a log that was forged
mod bits; // the same, one bit at a time
mod boards; // two boards under one label
mod bundle; // what is handed to those who need not trust the station
mod carry; // what a new epoch takes over
mod confusion; // parts of one log beside parts of another
mod denials; // who asked for what is not permitted
mod device_anchor; // what the log was when a device was keyed
mod events; // each kind of event as a record
mod example; // the worked example of docs/audit-format.md
mod forge; // with every hash computed anew, without the key and with it
mod group_keys; // keys, components, and which devices hang on a key
mod head; // the head, its tail, and what a kill or a power cut leaves of them
mod journal; // appending, closing, opening, one writer
mod known; // which board a name means
mod life; // everything of one device
mod names; // the table that can be erased
mod order_tables; // what was written into the tables of work orders past the log
mod orders; // work orders: states, and what is accounted for
mod places; // places under a work order
mod proofs; // inclusion and consistency, out of what the database keeps
mod report_note; // what vouches for a report
mod retired; // devices that are taken out
mod review; // what QA has looked through
mod said; // a start holds people and keys against their records
mod search; // finding devices, pages, figures
mod standing; // what the log knows of a device
mod support;
mod upgrade; // a database that an older program wrote
mod vectors; // what must be refused
mod witness; // cosignatures
