//! Every call of a source, a sink, a basis or an observer goes wrong once, in every way: the right error comes
//! out, nothing is published, nothing is left behind or leaks, and the handle goes on or refuses as it says.
//!
//! What the files and trees themselves do is swept by `tests/fault_calls.rs`. With `FRAZIL_FAULTS`, as `make faults` has
//! it, contents are swept too that several threads work on.

#[path = "support/content.rs"]
mod content;
#[path = "fault_sweep/drive.rs"]
mod drive;
#[path = "support/faults.rs"]
mod faults;
#[path = "fault_sweep/function.rs"]
mod function;
#[path = "fault_sweep/functions.rs"]
mod functions;
#[path = "fault_sweep/ground.rs"]
mod ground;
#[path = "fault_sweep/held.rs"]
mod held;
#[path = "fault_sweep/judge.rs"]
mod judge;
#[path = "support/look.rs"]
mod look;
#[path = "fault_sweep/looks.rs"]
mod looks;
#[path = "fault_sweep/woods.rs"]
mod woods;

use faults::{Fault, Faults};
use function::Function;
use ground::{FORMS, Ground};
use judge::{Judge, Tally};
use woods::Woods;

#[global_allocator]
static COUNTING: held::Counting = held::Counting;

/// What a function works on.
trait Place {
    /// Most bytes that one call takes or gives.
    fn piece(&self) -> usize;
    /// All that can be seen of it.
    fn listing(&self) -> look::Listing;
    /// As it was before anything was published.
    fn reset(&self);
    fn is_level_of_a_beginning(&self, output: &[u8]) -> bool;
    /// Whether what was half done comes to `expected` when it is gone on with, if there is such a thing.
    fn is_finished_later(&self, expected: &[u8]) -> bool;
}

impl Place for Ground {
    fn piece(&self) -> usize {
        Ground::piece(self)
    }

    fn listing(&self) -> look::Listing {
        Ground::listing(self)
    }

    fn reset(&self) {
        Ground::reset(self);
    }

    fn is_level_of_a_beginning(&self, output: &[u8]) -> bool {
        Ground::is_level_of_a_beginning(self, output)
    }

    fn is_finished_later(&self, _: &[u8]) -> bool {
        false
    }
}

impl Place for Woods {
    fn piece(&self) -> usize {
        700
    }

    fn listing(&self) -> look::Listing {
        Woods::listing(self)
    }

    fn reset(&self) {
        Woods::reset(self);
    }

    /// An archive says where it ends.
    fn is_level_of_a_beginning(&self, _: &[u8]) -> bool {
        false
    }

    fn is_finished_later(&self, expected: &[u8]) -> bool {
        Woods::is_finished_later(self, expected)
    }
}

/// What is there, but for the time of the directory, which temporary files come to and go from.
fn seen(place: &impl Place) -> look::Listing {
    let mut listing = place.listing();
    listing.remove(std::path::Path::new(""));
    listing
}

/// Fails each call in turn, in every way that it can fail in.
fn sweep<G: Place>(form: &str, place: &G, function: &Function<G>) -> Tally {
    let context = format!("{}, {form}", function.name);
    let undisturbed = Faults::none(place.piece());
    let expected =
        (function.run)(place, &undisturbed).output.unwrap_or_else(|| panic!("{context}: it fails by itself"));
    assert!(undisturbed.calls() > 0, "{context}: {} calls", undisturbed.calls());
    place.reset();
    let before = seen(place);
    let mut tally = Tally::default();
    for &fault in function.seam.faults() {
        for at in 1.. {
            assert!(at < 10_000, "{context}: {fault:?} has no end");
            let context = format!("{context}: {fault:?} at call {at}");
            let outcome = held::leaving_nothing(&context, || {
                let faults = Faults::new(fault, at, place.piece());
                let run = (function.run)(place, &faults);
                let published = run.output.is_some();
                let judge = Judge { function, faults: &faults, expected: &expected, context: &context };
                let outcome = judge.outcome(&run, |output| place.is_level_of_a_beginning(output));
                if published {
                    place.reset();
                }
                let mut after = seen(place);
                // Who panics at being told what is published ends that, as a kill does.
                if fault == Fault::Panic && after != before && place.is_finished_later(&expected) {
                    place.reset();
                    after = seen(place);
                }
                assert!(after == before, "{context}: {:#?}", look::differences(&before, &after));
                faults.struck().then_some(outcome)
            });
            match outcome {
                Some(outcome) => tally.count(outcome),
                None => break,
            }
        }
    }
    println!("{}, {form}: {tally}", function.name);
    tally
}

#[test]
fn whatever_call_of_a_source_or_sink_fails_the_six_functions_say_so_and_publish_nothing() {
    held::alone(|| {
        let mut all = Tally::default();
        // Where threads have something to do, much is to be looked at after each.
        let all_forms = std::env::var_os("FRAZIL_FAULTS").is_some();
        for form in FORMS.into_iter().filter(|form| all_forms || form.is_short()) {
            let ground = Ground::new(form);
            for function in functions::FUNCTIONS.iter().chain(&looks::FUNCTIONS) {
                all += sweep(&format!("{form:?}"), &ground, function);
            }
        }
        println!("streams and files: {all}");
        // Nine tenths of what was counted when this was written.
        assert!(all.injected() >= if all_forms { 8_850 } else { 6_130 }, "{all}");
    });
}

#[test]
fn whatever_call_of_a_source_or_sink_fails_backup_and_restore_say_so_and_leave_what_was_there() {
    held::alone(|| {
        let mut all = Tally::default();
        for threads in [1, 2] {
            let woods = Woods::new(threads);
            for function in &woods::FUNCTIONS {
                all += sweep(&format!("{threads} threads"), &woods, function);
            }
        }
        println!("trees: {all}");
        assert!(all.injected() >= 5_550, "{all}");
    });
}
