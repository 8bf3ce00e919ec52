//! The headless binary.

mod cli;

/// Wipes what is freed: libraries that hold a secret for a moment do not all do it themselves.
#[global_allocator]
static ALLOCATOR: keystation_vault::WipingAllocator = keystation_vault::WipingAllocator;

fn main() -> std::process::ExitCode {
    cli::main()
}
