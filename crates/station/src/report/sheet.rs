//! The job sheet: one page for the box or the traveller, and an anchor of the log on paper.

use crate::report::facts::Facts;
use crate::report::page::{self, Page, PageError};
use crate::report::parts::{counts, foot, head, heading, keys, seal};

/// The page as a PDF file.
pub(crate) fn sheet(facts: &Facts) -> Result<Vec<u8>, PageError> {
    let mut page = Page::default();
    let y = head(&mut page, "Job sheet", &facts.job, &facts.checkpoint);
    let y = counts(&mut page, y + 8.0, facts);
    let y = keys(&mut page, y, facts);
    let y = heading(&mut page, y + 18.0, "Anchor of the audit log");
    // 60 mm: a module of about 0.8 mm, which a phone reads at arm's length and a copier does not blur.
    seal(&mut page, y, 170.0, (&facts.checkpoint, &facts.note), "")?;
    foot(&mut page, 1, 1, &facts.checkpoint);
    page::pdf(&[page], &format!("Job sheet {}", facts.job), facts.period.1)
}
