use std::sync::atomic::{AtomicU64, Ordering};

use anstyle::{AnsiColor, Style};
use tokio::sync::mpsc;

use super::record::{Attempt, Origin, Record};
use crate::{escaped::Escaped, instant};

/// Lines for the terminal, which never makes a delivery wait: what it cannot take is counted.
pub(crate) struct Terminal {
    lines: mpsc::Sender<String>,
    missed: AtomicU64,
}

/// Limit on the lines that wait for the terminal.
const WAITING: usize = 1024;

/// Limit on a value in a line, in characters.
const WIDTH: usize = 120;

const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const DIM: Style = Style::new().dimmed();

impl Terminal {
    pub(crate) fn new() -> (Self, mpsc::Receiver<String>) {
        let (lines, receiver) = mpsc::channel(WAITING);
        (Self { lines, missed: AtomicU64::new(0) }, receiver)
    }

    pub(crate) fn delivery(&self, record: &Record) {
        self.write(line(record));
    }

    pub(crate) fn note(&self, text: &str) {
        self.write(Escaped::line(text).to_string());
    }

    pub(crate) fn failure(&self, text: &str) {
        self.write(format!("{BAD}error:{BAD:#} {}", Escaped::line(text)));
    }

    fn write(&self, line: String) {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        let line = if missed == 0 { line } else { format!("({missed} lines left out)\n{line}") };
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(missed.saturating_add(1), Ordering::Relaxed);
        }
    }
}

/// One line about a delivery: its number, verdict, sender, request, and what became of it.
fn line(record: &Record) -> String {
    let shown = instant::show(record.instant());
    let time = shown.get(11..).unwrap_or(&shown);
    let verdict = &record.verdict;
    let sender = verdict.sender.as_deref().unwrap_or("?");
    let mut line = format!("{DIM}{time}{DIM:#} #{} ", record.id);
    if verdict.is_verified {
        line.push_str(&format!("{GOOD}verified{GOOD:#} "));
    } else {
        let reason = verdict.reason.as_deref().unwrap_or("rejected");
        line.push_str(&format!("{BAD}{}{BAD:#} ", Escaped::line(reason)));
    }
    line.push_str(&format!("{} {} {}", short(sender), short(&record.method), short(&record.target)));
    line.push_str(&format!(" {}", size(record.body_length)));
    if let Origin::Resigned(id) = record.origin {
        line.push_str(&format!(" (signed here, after #{id})"));
    }
    if let Some(attempt) = record.attempts.last() {
        line.push_str(&outcome(attempt));
    }
    match (verdict.causes.first(), &verdict.advice) {
        (Some(cause), _) => line.push_str(&format!(" {DIM}{}{DIM:#}", Escaped::line(&cause.message))),
        (None, Some(advice)) => line.push_str(&format!(" {DIM}{}{DIM:#}", Escaped::line(advice))),
        (None, None) => {}
    }
    line
}

fn outcome(attempt: &Attempt) -> String {
    let arrow = if attempt.is_replay { "replayed" } else { "->" };
    match (attempt.status, &attempt.failure) {
        (_, Some(failure)) => format!(" {arrow} {BAD}{}{BAD:#}", Escaped::line(failure)),
        (Some(status), None) => {
            let style = if (200..300).contains(&status) { GOOD } else { BAD };
            format!(" {arrow} {style}{status}{style:#} in {} ms", attempt.took_ms)
        }
        (None, None) => String::new(),
    }
}

/// A value from outside, escaped and cut.
fn short(text: &str) -> String {
    let shown = Escaped::line(text).to_string();
    match shown.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", shown.get(..at).unwrap_or_default()),
        None => shown,
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
