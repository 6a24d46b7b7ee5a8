//! What the work survived: said as it comes, and counted where there is much of a sort.

use frazil::Error;

use crate::report::plain;

/// So many of one sort are said; of the others, how many there were.
const SAID_MAX: usize = 100;

/// So many sorts are told apart; all others are one.
const SORTS_MAX: usize = 8;

/// Something that the work survived.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    text: String,
    /// The text without what is of one file alone.
    sort: String,
    /// Whether the result is less than what was asked for; else it only took another way.
    grave: bool,
}

impl Problem {
    pub(crate) fn new(text: impl Into<String>, grave: bool) -> Self {
        let text = text.into();
        Self { sort: text.clone(), text, grave }
    }

    /// What the library tells.
    pub(crate) fn of(error: &Error, grave: bool) -> Self {
        let text = error.to_string();
        Self { sort: sort(error, &text), text, grave }
    }

    fn line(&self) -> String {
        line(&self.text, self.grave)
    }
}

/// Without the path and the offset.
fn sort(error: &Error, text: &str) -> String {
    let mut sort = text.to_owned();
    if let Some(path) = error.file() {
        let path = path.display();
        // Behind what was being done, or in front.
        sort = match sort.strip_prefix(&format!("{path}: ")) {
            Some(rest) => rest.to_owned(),
            None => sort.replacen(&format!(" {path}"), "", 1),
        };
    }
    match error.offset() {
        Some(offset) => sort.replacen(&format!(" at offset {offset}"), "", 1),
        None => sort,
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
    sorts: Vec<Sort>,
    others: Others,
    grave: u64,
}

#[derive(Debug)]
struct Sort {
    name: String,
    grave: bool,
    number: usize,
}

/// What is of no sort that is told apart.
#[derive(Debug, Default)]
struct Others {
    said: usize,
    grave: u64,
    notes: u64,
}

impl Problems {
    pub(crate) fn new(keeps: bool) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// Takes one in, and gives the line that is to be said of it now, if any.
    pub(crate) fn add(&mut self, problem: Problem) -> Option<String> {
        self.grave += u64::from(problem.grave);
        if !self.is_said(&problem) {
            return None;
        }
        if self.keeps {
            self.kept.push(problem);
            return None;
        }
        Some(problem.line())
    }

    /// Counts it, and tells whether it is among the first of its sort.
    fn is_said(&mut self, problem: &Problem) -> bool {
        let known = |sort: &&mut Sort| sort.grave == problem.grave && sort.name == problem.sort;
        if let Some(sort) = self.sorts.iter_mut().find(known) {
            sort.number += 1;
            return sort.number <= SAID_MAX;
        }
        if self.sorts.len() < SORTS_MAX {
            self.sorts.push(Sort { name: problem.sort.clone(), grave: problem.grave, number: 1 });
            return true;
        }
        let others = &mut self.others;
        if others.said < SAID_MAX {
            others.said += 1;
            return true;
        }
        *(if problem.grave { &mut others.grave } else { &mut others.notes }) += 1;
        false
    }

    /// How many took something from the result.
    pub(crate) fn grave(&self) -> u64 {
        self.grave
    }

    /// The texts that were kept, and how many more there were: what took something from the result, or what did not.
    pub(crate) fn texts(&self, grave: bool) -> Vec<String> {
        let kept = self.kept.iter().filter(|problem| problem.grave == grave).map(|problem| problem.text.clone());
        kept.chain(self.more().into_iter().filter(|(_, is_grave)| *is_grave == grave).map(|(text, _)| text)).collect()
    }

    /// The lines that were not said yet.
    pub(crate) fn lines(&self) -> Vec<String> {
        let kept = self.kept.iter().map(Problem::line);
        kept.chain(self.more().into_iter().map(|(text, grave)| line(&text, grave))).collect()
    }

    /// How many there were beyond those that were said, and whether they were grave.
    fn more(&self) -> Vec<(String, bool)> {
        let sorts = self.sorts.iter().filter(|sort| sort.number > SAID_MAX);
        let more = |sort: &Sort| (format!("and {} more: {}", sort.number - SAID_MAX, sort.name), sort.grave);
        let others = [(self.others.grave, true), (self.others.notes, false)];
        let others = others.into_iter().filter(|(number, _)| *number > 0);
        sorts.map(more).chain(others.map(|(number, grave)| (format!("and {number} of other kinds"), grave))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(problems: &mut Problems, number: usize, sort: &str, grave: bool) -> usize {
        let problem = |n| Problem { text: format!("{sort} {n}"), sort: sort.to_owned(), grave };
        (0..number).filter(|&n| problems.add(problem(n)).is_some()).count()
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
    fn what_is_kept_is_bounded_however_many_sorts_there_are() {
        let mut problems = Problems::new(true);
        for sort in 0..2_000 {
            assert_eq!(told(&mut problems, 1, &format!("sort {sort}"), sort % 2 == 0), 0);
        }
        assert_eq!((problems.kept.len(), problems.sorts.len()), (SORTS_MAX + SAID_MAX, SORTS_MAX));
        assert_eq!(problems.grave(), 1_000);
        let rest = (2_000 - SORTS_MAX - SAID_MAX) / 2;
        for grave in [true, false] {
            assert_eq!(problems.texts(grave).last(), Some(&format!("and {rest} of other kinds")));
        }
    }
}
