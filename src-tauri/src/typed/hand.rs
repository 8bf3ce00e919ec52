//! What tests have in place of a dialog.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tauri::{Runtime, WebviewWindow};
use zeroize::Zeroizing;

use super::{Alive, Question, Text, Turn};
use crate::problem::Problem;

/// As the dialog of the operating system, of whoever has the hand.
pub(super) async fn ask<R: Runtime>(
    _: &WebviewWindow<R>,
    question: &Question,
    turn: &Turn<'_>,
) -> Result<Option<Text>, Problem> {
    Ok(turn.dialogs.hand.answer(question, &turn.dialogs.alive))
}

/// The same for a file: its path was laid out.
pub(super) async fn file<R: Runtime>(
    _: &WebviewWindow<R>,
    question: &Question,
    turn: &Turn<'_>,
) -> Result<Option<PathBuf>, Problem> {
    Ok(laid_out(question, turn))
}

/// As the dialog for a folder.
pub(super) async fn folder<R: Runtime>(
    _: &WebviewWindow<R>,
    title: &'static str,
    _: &Path,
    turn: &Turn<'_>,
) -> Result<Option<PathBuf>, Problem> {
    Ok(laid_out(&Question::new(title, "", ""), turn))
}

fn laid_out(question: &Question, turn: &Turn<'_>) -> Option<PathBuf> {
    let chosen = turn.dialogs.hand.answer(question, &turn.dialogs.alive);
    chosen.map(|path| PathBuf::from(String::from_utf8(path.to_vec()).expect("a test lays out a path")))
}

/// Nothing stays open here.
pub(super) fn dismiss() {}

/// A person who answers without a display: with what was laid out, if it is what is asked for, and cancels otherwise.
#[derive(Default)]
pub(crate) struct Hand(Mutex<VecDeque<Typed>>);

/// Title of the dialog, what is typed, and what happens while it is.
type Typed = (&'static str, String, Box<dyn FnOnce() + Send>);

impl Hand {
    /// Lays out what is typed when a dialog of this title is shown.
    pub(crate) fn lay_out(&self, title: &'static str, text: &str, meanwhile: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().push_back((title, text.to_owned(), Box::new(meanwhile)));
    }

    /// Whether all of it was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn answer(&self, question: &Question, alive: &Alive) -> Option<Text> {
        let next = self.0.lock().unwrap().pop_front_if(|(title, ..)| *title == question.title);
        next.map(|(_, text, meanwhile)| {
            meanwhile();
            alive();
            Zeroizing::new(text.into_bytes())
        })
    }
}
