//! A summary of several lines: what it is of, and a row for each figure.

use std::fmt::Display;

/// Rows of a label and a value under a heading.
pub(crate) struct Table {
    heading: String,
    rows: Vec<(&'static str, String)>,
}

impl Table {
    pub(crate) fn new(heading: String) -> Self {
        Self { heading, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, label: &'static str, value: impl Display) {
        self.rows.push((label, value.to_string()));
    }

    pub(crate) fn into_text(self) -> String {
        let width = self.rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        let rows = self.rows.iter().map(|(label, value)| format!("\n  {label:<width$}  {value}"));
        self.heading + &rows.collect::<String>()
    }
}
