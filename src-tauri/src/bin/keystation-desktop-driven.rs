//! The same program for the window tests: a WebDriver may drive it. It never ships.

fn main() {
    keystation_desktop::run();
}
