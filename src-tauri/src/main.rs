//! The program that ships.

fn main() {
    keystation_desktop::environment::clear();
    keystation_desktop::run();
}
