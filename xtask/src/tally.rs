//! How many tests a runner says that it ran.

/// Counts of single tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Passed.
    pub(crate) passed: u32,
    /// Failed.
    pub(crate) failed: u32,
    /// Not run although selected: ignored, skipped, todo.
    pub(crate) skipped: u32,
}

impl Tally {
    /// Sums up the closing lines of every runner in `output`:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` (cargo test), `Tests  3 passed | 1 skipped (4)` (vitest),
    /// `3 passed (1.2s)` (Playwright), `# pass 3` (Node.js) and a plain `3 passed, 0 failed`.
    pub(crate) fn read(output: &str) -> Self {
        let mut tally = Self::default();
        output.lines().for_each(|line| tally.add_line(line.trim()));
        tally
    }

    fn add_line(&mut self, line: &str) {
        let closing = line
            .strip_prefix("test result: ok. ")
            .or_else(|| line.strip_prefix("test result: FAILED. "))
            .or_else(|| line.strip_prefix("Tests "));
        if let Some(counts) = closing {
            counts.split([';', ',', '|']).filter_map(Self::words).for_each(|count| *self += count);
        } else if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
            let mut words = rest.split_whitespace().rev();
            *self += Self::count(words.next(), words.next(), words.next()).unwrap_or_default();
        } else if let Some(counts) = line.split(", ").map(Self::words).collect::<Option<Vec<_>>>() {
            // Nothing says whose line it is: one that counts anything else too is what a test printed.
            counts.into_iter().for_each(|count| *self += count);
        }
    }

    /// `3 passed`, with at most a bracket behind it: `3 passed (4)`.
    fn words(part: &str) -> Option<Self> {
        let part = part.split_once('(').map_or(part, |(counts, _)| counts);
        let mut words = part.split_whitespace();
        Self::count(words.next(), words.next(), words.next())
    }

    fn count(count: Option<&str>, word: Option<&str>, more: Option<&str>) -> Option<Self> {
        let (Some(Ok(count)), Some(word), None) = (count.map(str::parse::<u32>), word, more) else {
            return None;
        };
        match word {
            "passed" | "pass" => Some(Self { passed: count, ..Self::default() }),
            // A test that passes at the second try has failed once.
            "failed" | "fail" | "flaky" => Some(Self { failed: count, ..Self::default() }),
            "ignored" | "skipped" | "todo" => Some(Self { skipped: count, ..Self::default() }),
            _ => None,
        }
    }

    /// Whether any test ran.
    pub(crate) fn ran(self) -> bool {
        self.passed + self.failed > 0
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u32, failed: u32, skipped: u32) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn cargo_test_binaries_are_summed_and_filtered_tests_are_not_counted() {
        let output = "running 4 tests\ntest a ... ok\n\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(Tally::read(output), tally(4, 2, 1));
    }

    #[test]
    fn vitest_files_are_not_taken_for_tests() {
        let output = " Test Files  2 passed (2)\n      Tests  1 failed | 11 passed | 2 skipped (14)\n";
        assert_eq!(Tally::read(output), tally(11, 1, 2));
    }

    #[test]
    fn playwright_counts_a_flaky_test_as_failed() {
        assert_eq!(Tally::read("  1 flaky\n  2 skipped\n  12 passed (3.2s)\n"), tally(12, 1, 2));
    }

    #[test]
    fn node_and_plain_lines_are_read() {
        assert_eq!(Tally::read("# tests 5\n# pass 4\n# fail 1\n# duration_ms 12\n"), tally(4, 1, 0));
        assert_eq!(Tally::read("41 passed, 1 failed\n"), tally(41, 1, 0));
    }

    #[test]
    fn prose_with_numbers_is_not_a_count() {
        let output = "thread panicked: 3 passed the gate\n12 crates passed over\nTests are 2 failed ideas\n\
            19737 records: 10214 intents, 7623 ok, 1418 failed, 12 refused\n";
        assert!(!Tally::read(output).ran());
    }
}
