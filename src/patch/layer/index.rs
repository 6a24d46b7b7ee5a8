//! Where a delta can be parsed from, within a budget of memory.

use crate::patch::place::{Place, Unit};

/// The least number of places that are kept, however little memory there is.
const PLACES_MIN: usize = 16;

/// The frames of a sealed delta; when they have used up their budget, every second one of them.
pub(super) struct Frames {
    places: Vec<Unit>,
    most: usize,
    /// Only every so many are kept.
    stride: usize,
    seen: usize,
}

impl Frames {
    pub(super) fn new(budget_bytes: u64) -> Self {
        Self { places: Vec::with_capacity(PLACES_MIN), most: most_of::<Unit>(budget_bytes), stride: 1, seen: 0 }
    }

    pub(super) fn push(&mut self, frame: Unit) {
        if self.seen.is_multiple_of(self.stride) {
            if !has_room(&mut self.places, self.most) {
                let mut at = 0;
                self.places.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.places.push(frame);
            }
        }
        self.seen += 1;
    }

    /// The last frame at or before `output`.
    pub(super) fn before(&self, output: u64) -> Option<Place> {
        let at = self.places.partition_point(|place| place.output <= output);
        self.places.get(at.checked_sub(1)?).map(|&frame| Place::of_frame(frame))
    }
}

/// Places so many bytes of the delta from each other that all fit in the budget.
///
/// From the last one before any byte of the target, little more than that distance has to be parsed to come to it:
/// the beginning of each frame that is longer is a place too.
pub(super) struct Marks {
    places: Vec<Place>,
    most: usize,
    spacing: u64,
}

impl Marks {
    pub(super) fn new(budget_bytes: u64) -> Self {
        Self { places: Vec::with_capacity(PLACES_MIN), most: most_of::<Place>(budget_bytes), spacing: 0 }
    }

    pub(super) fn push(&mut self, place: Place) {
        while self.is_wanted(self.places.last(), &place) {
            if has_room(&mut self.places, self.most) {
                return self.places.push(place);
            }
            self.thin();
        }
    }

    fn is_wanted(&self, last: Option<&Place>, place: &Place) -> bool {
        let Some(last) = last else { return true };
        let (frame, rest) = place.rest_of_frame();
        let begins_long_frame = frame != last.rest_of_frame().0 && rest >= self.spacing;
        begins_long_frame || place.offset - last.offset >= self.spacing.max(1)
    }

    /// Leaves half of the places, or fewer.
    fn thin(&mut self) {
        let span = self.places.last().map_or(0, |last| last.offset - self.places[0].offset);
        self.spacing = self.spacing.saturating_mul(2).max(span / (self.places.len() as u64 / 4).max(1)).max(1);
        let mut kept: Option<Place> = None;
        let mut places = std::mem::take(&mut self.places);
        places.retain(|place| {
            let wanted = self.is_wanted(kept.as_ref(), place);
            if wanted {
                kept = Some(*place);
            }
            wanted
        });
        self.places = places;
    }

    /// The last place at or before `output`.
    pub(super) fn before(&self, output: u64) -> Option<Place> {
        let at = self.places.partition_point(|place| place.output <= output);
        self.places.get(at.checked_sub(1)?).copied()
    }
}

fn most_of<T>(budget_bytes: u64) -> usize {
    (usize::try_from(budget_bytes).unwrap_or(usize::MAX) / size_of::<T>()).max(PLACES_MIN)
}

/// Whether there may be one more. Where there is no memory for what is allowed, fewer have to do.
fn has_room<T>(places: &mut Vec<T>, most: usize) -> bool {
    let len = places.len();
    len < most && (len < places.capacity() || places.try_reserve_exact(len.min(most - len)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_frames_beyond_the_budget_every_second_is_kept_to_the_end() {
        const COUNT: u64 = 10_000;
        const BUDGET: usize = 64;
        let mut frames = Frames::new((BUDGET * size_of::<Unit>()) as u64);
        for number in 0..COUNT {
            frames.push(Unit { number, offset: number * 100, output: number * 1000 });
        }
        assert!(frames.places.len() <= BUDGET, "{}", frames.places.len());
        for output in (0..COUNT * 1000).step_by(777) {
            let before = frames.before(output).expect("the first is always kept").output;
            assert!(before <= output && output - before <= COUNT * 1000 * 2 / BUDGET as u64, "{before} for {output}");
        }
    }
}
