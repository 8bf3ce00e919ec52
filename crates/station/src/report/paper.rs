//! Pages that follow one another.

use keystation_audit::Checkpoint;

use crate::report::face::Face::Plain;
use crate::report::page::{self, GREY, HEIGHT, LEFT, Page, PageError};
use crate::report::parts::{foot, heading, seal};

/// Nothing below this, but for the foot.
const BOTTOM: f32 = HEIGHT - 64.0;
const TOP: f32 = 62.0;

/// Pages of which the last one is being filled.
#[derive(Default)]
pub(crate) struct Paper {
    done: Vec<Page>,
    /// The one that is being filled.
    pub(crate) page: Page,
    /// Where the text on it goes on.
    pub(crate) y: f32,
}

impl Paper {
    /// The signed checkpoint of the log that the report was made from, as a section of a report that is signed itself.
    pub(crate) fn anchor(&mut self, checkpoint: &Checkpoint, note: &str) -> Result<(), PageError> {
        self.room(200.0);
        self.y = heading(&mut self.page, self.y + 14.0, "Anchor of the audit log");
        let signed =
            "This file is signed by the station: the note beside it says so, and of a print nobody can tell.";
        seal(&mut self.page, self.y, 150.0, (checkpoint, note), signed)?;
        self.y += 160.0;
        Ok(())
    }

    /// Begins a page where `height` does not fit any more; returns whether it did.
    pub(crate) fn room(&mut self, height: f32) -> bool {
        let full = self.y + height > BOTTOM;
        if full {
            self.done.push(std::mem::take(&mut self.page));
            self.y = TOP;
        }
        full
    }

    /// The file. `moment` (UTC, milliseconds since 1970) is the only time in it that is not on the pages.
    pub(crate) fn finish(
        mut self,
        title: &str,
        checkpoint: &Checkpoint,
        moment: i64,
    ) -> Result<Vec<u8>, PageError> {
        self.done.push(self.page);
        let of = self.done.len();
        for (number, page) in (1..).zip(&mut self.done) {
            if number > 1 {
                page.text(LEFT, 40.0, Plain, 9.0, GREY, title);
            }
            foot(page, number, of, checkpoint);
        }
        page::pdf(&self.done, title, moment)
    }
}
