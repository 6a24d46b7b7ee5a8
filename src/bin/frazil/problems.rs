//! What the work survived: said as it comes, and counted where there is much of a sort.

use frazil::{Error, ErrorKind};

use crate::report::plain;

/// So many of one sort are said; of the others, how many there were.
const SAID_MAX: u64 = 100;

/// So many sorts of problems are told apart, and of notes; all others are one.
const SORTS_MAX: usize = 8;

/// Something that the work survived.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    text: String,
    sort: Sort,
    /// Whether the result is less than what was asked for; else it only took another way.
    grave: bool,
}

/// What problems of one cause have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sort {
    kind: Option<ErrorKind>,
    /// The text without what is of one file alone.
    text: String,
}

impl Problem {
    pub(crate) fn new(text: impl Into<String>, grave: bool) -> Self {
        let text = text.into();
        Self { sort: Sort { kind: None, text: text.clone() }, text, grave }
    }

    /// What the library tells.
    pub(crate) fn of(error: &Error, grave: bool) -> Self {
        Self { text: error.to_string(), sort: Sort { kind: Some(error.kind()), text: error.summary() }, grave }
    }

    fn line(&self) -> String {
        line(&self.text, self.grave)
    }
}

fn line(text: &str, grave: bool) -> String {
    format!("frazil: {}{}", if grave { "" } else { "note: " }, plain(text))
}

/// All problems so far, in memory that does not grow with their number.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Whether texts are kept until the end, for JSON, and not said at once.
    keeps: bool,
    kept: Vec<Problem>,
    grave: Tally,
    notes: Tally,
}

/// How many there were, either of what is grave or of what is not: many notes are in no problem's way.
#[derive(Debug, Default)]
struct Tally {
    all: u64,
    sorts: Vec<(Sort, u64)>,
    /// Of no sort that is told apart.
    others: u64,
}

impl Problems {
    pub(crate) fn new(keeps: bool) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// Takes one in, and gives the line that is to be said of it now, if any.
    pub(crate) fn add(&mut self, problem: Problem) -> Option<String> {
        let tally = if problem.grave { &mut self.grave } else { &mut self.notes };
        if tally.count(&problem.sort) > SAID_MAX {
            return None;
        }
        if self.keeps {
            self.kept.push(problem);
            return None;
        }
        Some(problem.line())
    }

    /// How many took something from the result.
    pub(crate) fn grave(&self) -> u64 {
        self.grave.all
    }

    /// The texts that were kept, and how many more there were: what took something from the result, or what did not.
    pub(crate) fn texts(&self, grave: bool) -> Vec<String> {
        let kept = self.kept.iter().filter(|problem| problem.grave == grave).map(|problem| problem.text.clone());
        kept.chain(if grave { &self.grave } else { &self.notes }.more()).collect()
    }

    /// The lines that were not said yet.
    pub(crate) fn lines(&self) -> Vec<String> {
        let kept = self.kept.iter().map(Problem::line);
        let more = [(&self.grave, true), (&self.notes, false)];
        let more = more.into_iter().flat_map(|(tally, grave)| tally.more().map(move |text| line(&text, grave)));
        kept.chain(more).collect()
    }
}

impl Tally {
    /// Which one of its sort it is, from 1.
    fn count(&mut self, sort: &Sort) -> u64 {
        self.all += 1;
        let mut known = self.sorts.iter().position(|(known, _)| known == sort);
        if known.is_none() && self.sorts.len() < SORTS_MAX {
            known = Some(self.sorts.len());
            self.sorts.push((sort.clone(), 0));
        }
        let number = match known {
            Some(known) => &mut self.sorts[known].1,
            None => &mut self.others,
        };
        *number += 1;
        *number
    }

    /// How many there were beyond those that were said.
    fn more(&self) -> impl Iterator<Item = String> {
        let sorts = self.sorts.iter().filter(|(_, number)| *number > SAID_MAX);
        let sorts = sorts.map(|(sort, number)| format!("and {} more: {}", number - SAID_MAX, sort.text));
        let others = self.others.checked_sub(SAID_MAX).filter(|number| *number > 0);
        sorts.chain(others.map(|number| format!("and {number} of other kinds")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(problems: &mut Problems, number: u64, sort: &str, grave: bool) -> u64 {
        let sort = Sort { kind: Some(ErrorKind::Io), text: sort.to_owned() };
        let problem = |n| Problem { text: format!("{} {n}", sort.text), sort: sort.clone(), grave };
        (0..number).map(|n| u64::from(problems.add(problem(n)).is_some())).sum()
    }

    #[test]
    fn of_each_sort_the_first_are_said_and_the_others_counted() {
        let mut problems = Problems::new(false);
        assert_eq!(told(&mut problems, 20_000, "left out", true), SAID_MAX);
        assert_eq!(told(&mut problems, 3, "missing", true), 3);
        assert_eq!(told(&mut problems, 1 + SAID_MAX, "left out", false), SAID_MAX);
        assert_eq!(problems.grave(), 20_003);
        assert_eq!(problems.lines(), ["frazil: and 19900 more: left out", "frazil: note: and 1 more: left out"]);
    }

    #[test]
    fn notes_leave_room_for_problems() {
        let mut problems = Problems::new(false);
        for sort in 0..2_000 {
            told(&mut problems, 1, &format!("note {sort}"), false);
        }
        assert_eq!(told(&mut problems, 1 + SAID_MAX, "damaged", true), SAID_MAX);
        assert_eq!(problems.lines()[0], "frazil: and 1 more: damaged");
    }

    #[test]
    fn what_is_kept_is_bounded_however_many_sorts_there_are() {
        let mut problems = Problems::new(true);
        for sort in 0..2_000 {
            assert_eq!(told(&mut problems, 1, &format!("sort {sort}"), sort % 2 == 0), 0);
        }
        let said = SORTS_MAX + SAID_MAX as usize;
        assert_eq!((problems.kept.len(), problems.grave.sorts.len()), (2 * said, SORTS_MAX));
        assert_eq!(problems.grave(), 1_000);
        let rest = 1_000 - said;
        for grave in [true, false] {
            assert_eq!(problems.texts(grave).last(), Some(&format!("and {rest} of other kinds")));
        }
    }
}
