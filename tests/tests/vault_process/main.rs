//! The vault in a process of its own: what can be read from its memory, what is left when it is killed, and how
//! secrets get in.
//!
//! It has a `main` of its own: this program starts itself again, as the process that is looked at.

#![allow(clippy::print_stdout)] // the children answer there

mod child; // the processes that are looked at
mod entry; // a prompt and a descriptor
mod interrupted; // a kill at any moment, a full disk
mod leaving; // the same of a whole station, after each way to leave it
mod memory; // what a scan of memory and core files finds
mod process; // what harden_process closes, and the limit of locked memory
mod support;
mod token; // what a scan finds where the key is in a token of software

use keystation_vault::WipingAllocator;
use libtest_mimic::{Arguments, Trial};

/// As every program of the station has it.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

macro_rules! tests {
    ($($module:ident::$test:ident),+ $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($test)), $module::$test as fn())),+]
    };
}

const TESTS: &[(&str, fn())] = tests![
    entry::typed_secret_is_neither_shown_nor_kept,
    entry::typed_secret_can_be_corrected_and_what_is_no_character_is_refused,
    entry::interrupted_prompt_leaves_the_terminal_as_it_was,
    entry::descriptor_from_the_parent_is_read,
    interrupted::killed_import_loses_no_key,
    interrupted::full_disk_leaves_the_vault_as_it_was,
    leaving::whoever_leaves_a_station_leaves_no_group_key_in_it,
    memory::unlocked_and_locked_process_holds_no_group_key,
    memory::importing_process_holds_no_group_key,
    memory::process_whose_thread_panicked_holds_no_key,
    memory::process_that_uses_a_tpm_holds_no_group_key,
    memory::naive_holder_is_seen,
    token::process_holds_nothing_of_a_key_in_a_token,
    token::importing_process_keeps_nothing_of_a_key_in_a_token,
    token::softhsm_holds_a_key_while_it_signs_and_no_longer,
    process::hardened_process_is_closed_to_its_own_user,
    process::hardened_process_leaves_no_core,
    process::without_locked_memory_nothing_is_unlocked,
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if child::run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        return;
    }
    let mut arguments = Arguments::from_args();
    // One at a time: they look at whole processes, and at what is left of them.
    arguments.test_threads = Some(1);
    let trials = TESTS.iter().map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
