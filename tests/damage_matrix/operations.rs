//! What is done next with something that may be damaged, and how it ends.

use std::fmt;
use std::fs::{self, File};

use frazil::{
    BlockRange, Error, ErrorKind, Filter, Format, LevelReader, PatchOptions, RangeKind, RestoreOptions, Result,
    Signature, Since, VerifyOptions, backup_tree, chain_file, compare_data, inspect, list_archive, list_snapshot,
    patch_file, patch_in_place, recover_restore, restore_tree, verify_archive, verify_tree,
};

use crate::content::options;
use crate::ground::{BEFORE, FILTERS, Ground, all_of, backup_options};
use crate::look::{differences, listing, tree};

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// By an error of this kind, and nothing was changed.
    Refused(&'static str),
    /// By an error that tells of damage: of which kind depends on where a decompressor stumbles.
    Damaged,
    /// There is nothing to be damaged so.
    Unchanged,
    /// Of what makes nothing: no damage was seen.
    Passed,
    /// It says itself that not all is as it should be.
    Partial,
    /// What was made is right all the same.
    Right,
    /// It says that all is well, and it is not.
    Wrong,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Refused(kind) => kind,
            Self::Damaged => "damaged",
            Self::Unchanged => "-",
            Self::Passed => "passes",
            Self::Partial => "partial",
            Self::Right => "right",
            Self::Wrong => "WRONG",
        })
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Refused(match error.kind() {
            ErrorKind::Io => "Io",
            ErrorKind::Truncated => "Truncated",
            ErrorKind::Corrupt => "Corrupt",
            ErrorKind::Unsupported => "Unsupported",
            ErrorKind::Limit => "Limit",
            ErrorKind::WrongBasis => "WrongBasis",
            ErrorKind::Mismatch => "Mismatch",
            kind => panic!("{kind:?} is no way to tell of damage: {error}"),
        })
    }
}

/// A stream, and what is done next with it.
pub(crate) struct Row {
    pub(crate) stream: String,
    /// The file that is damaged.
    pub(crate) file: String,
    pub(crate) operation: &'static str,
    /// What the command is given for it, one run after another.
    pub(crate) command: String,
    /// What state the destination is to be in before.
    pub(crate) stands: Option<&'static str>,
    pub(crate) run: Box<dyn Fn(&Ground) -> Outcome>,
}

impl Row {
    fn new(
        stream: impl Into<String>,
        file: impl Into<String>,
        operation: &'static str,
        command: impl Into<String>,
        run: impl Fn(&Ground) -> Outcome + 'static,
    ) -> Self {
        let (stream, file, command) = (stream.into(), file.into(), command.into());
        Self { stream, file, operation, command, stands: None, run: Box::new(run) }
    }

    /// Whether there is nothing by which damage could be known.
    pub(crate) fn has_no_checksums(&self) -> bool {
        matches!(
            (&*self.stream, self.operation),
            ("plain signature", "plain delta" | "compare")
                | ("plain delta", _)
                | ("basis", "patch, plain" | "in place, plain")
        )
    }

    fn standing(self, state: &'static str) -> Self {
        Self { stands: Some(state), ..self }
    }
}

/// States of destinations.
const LEVEL_0: &str = "level.0.dest";
const PUBLISHING: &str = "publishing.dest";

/// All kinds of streams, each with all that is done with it.
pub(crate) fn rows() -> Vec<Row> {
    let (state, journal) = ("dest/.frazil-restore/state", "dest/.frazil-restore/journal");
    let staged = "dest/.frazil-restore/stage/0/0";
    let mut rows = vec![
        Row::new("sealed signature", "sealed.sig", "show", "show sealed.sig", |ground| show(ground, "sealed.sig")),
        Row::new(
            "sealed signature",
            "sealed.sig",
            "level",
            "level --force --against sealed.sig new out; patch --force old out target",
            |ground| level(ground, "sealed.sig", Format::Sealed),
        ),
        Row::new("plain signature", "plain.sig", "show", "show plain.sig", |ground| show(ground, "plain.sig")),
        Row::new(
            "plain signature",
            "plain.sig",
            "level",
            "level --force --against plain.sig new out; patch --force old out target",
            |ground| level(ground, "plain.sig", Format::Sealed),
        ),
        Row::new(
            "plain signature",
            "plain.sig",
            "plain delta",
            "delta --force --format rdiff plain.sig new out; patch --force old out target",
            |ground| level(ground, "plain.sig", Format::Rdiff),
        ),
        Row::new("sealed level 0", "level.0", "show", "show level.0", |ground| show(ground, "level.0")),
        Row::new("sealed level 0", "level.0", "patch", "patch --force /dev/null level.0 target", patch_of_nothing),
        Row::new(
            "sealed level 0",
            "level.0",
            "chain",
            "patch --force /dev/null level.0 sealed.delta target",
            |ground| chain(ground, "sealed.delta"),
        ),
    ];
    for (stream, file) in [("sealed signature", "sealed.sig"), ("plain signature", "plain.sig")] {
        rows.push(Row::new(stream, file, "compare", format!("compare --data {file} old"), |ground| {
            compare(ground, file)
        }));
    }
    for (stream, file) in [("sealed delta", "sealed.delta"), ("plain delta", "plain.delta")] {
        rows.extend([
            Row::new(stream, file, "show", format!("show {file}"), |ground| show(ground, file)),
            Row::new(stream, file, "patch", format!("patch --force old {file} target"), |ground| patch(ground, file)),
            Row::new(stream, file, "chain", format!("patch --force /dev/null level.0 {file} target"), |ground| {
                chain(ground, file)
            }),
            Row::new(stream, file, "in place", "", |ground| in_place(ground, file)),
        ]);
        let (by, in_place_by) = match file {
            "sealed.delta" => ("patch, sealed", "in place, sealed"),
            _ => ("patch, plain", "in place, plain"),
        };
        rows.push(Row::new("basis", "old", by, format!("patch --force old {file} target"), |ground| {
            patch(ground, file)
        }));
        rows.push(Row::new("basis", "old", in_place_by, "", |ground| in_place(ground, file)));
    }
    for filter in FILTERS {
        let (stream, file) = (archive_name(filter), format!("a1.{filter}"));
        let of = |operation, command: &str, run: fn(&Ground, &str) -> Outcome| {
            let name = file.clone();
            Row::new(&stream, &file, operation, command.replace("FILE", &file), move |ground| {
                match run(ground, &name) {
                    Outcome::Refused("Corrupt" | "Mismatch" | "Truncated") if filter != Filter::None => {
                        Outcome::Damaged
                    }
                    outcome => outcome,
                }
            })
        };
        rows.push(of("show", "show FILE", show_archive));
        rows.push(of("verify", "verify FILE", verify));
        rows.push(of("restore", "restore --more FILE dest", restore).standing(LEVEL_0));
    }
    rows.push(Row::new("snapshot", "s0", "show", "show s0", show_snapshot));
    rows.push(Row::new("snapshot", "s0", "backup", "backup --force --since s0 --snapshot s.new tree a.new", backup));
    rows.extend([
        Row::new("state", state, "restore", "restore --more a1.none dest", restore_onto).standing(LEVEL_0),
        Row::new("journal", journal, "recover", "restore dest", recover).standing(PUBLISHING),
        Row::new("staged file", staged, "recover", "restore dest", recover).standing(PUBLISHING),
        Row::new("staged file", staged, "and verify", "restore dest; verify --tree dest a0", recover_and_verify)
            .standing(PUBLISHING),
    ]);
    rows
}

fn archive_name(filter: Filter) -> String {
    if filter == Filter::None { "archive".to_owned() } else { format!("archive, {filter}") }
}

/// How something ends that makes nothing.
fn passed(result: Result<()>) -> Outcome {
    result.map_or_else(Outcome::from, |()| Outcome::Passed)
}

/// How something ends that makes what is right or not.
fn made(result: Result<bool>) -> Outcome {
    match result {
        Ok(true) => Outcome::Right,
        Ok(false) => Outcome::Wrong,
        Err(error) => error.into(),
    }
}

pub(crate) fn show(ground: &Ground, file: &str) -> Outcome {
    let inspection = ground.open(file).and_then(inspect);
    passed(inspection.and_then(|inspection| inspection.damage.map_or(Ok(()), Err)))
}

/// Holds the old content against its signature: nothing has changed.
fn compare(ground: &Ground, file: &str) -> Outcome {
    let compared = Signature::load(ground.path(file))
        .and_then(|signature| compare_data(&signature, ground.open("old")?)?.collect::<Result<Vec<_>>>());
    let is_same = |ranges: Vec<BlockRange>| ranges.iter().all(|range| range.kind == RangeKind::Same);
    made(compared.map(is_same))
}

/// Makes a level against a signature; it is right when it makes the new content out of the old.
pub(crate) fn level(ground: &Ground, file: &str, format: Format) -> Outcome {
    let make = || {
        let signature = Signature::load(ground.path(file))?;
        let level = LevelReader::new(ground.open("new")?, &signature, options(1024).format(format))?;
        all_of(level)
    };
    made(make().and_then(|delta| {
        let target = ground.path("target");
        let patched = patch_file(Some(&ground.path("old")), &delta[..], &target, replacing());
        patched.map(|_| target_is_new(ground))
    }))
}

fn replacing() -> PatchOptions {
    PatchOptions::new().replace(true).threads(1)
}

fn target_is_new(ground: &Ground) -> bool {
    target_is(ground, "new")
}

/// Looks at what was published, and puts back what was there.
fn target_is(ground: &Ground, name: &str) -> bool {
    let is_right = ground.read("target") == ground.read(name);
    ground.put("target", Some(BEFORE));
    is_right
}

pub(crate) fn patch(ground: &Ground, file: &str) -> Outcome {
    let (old, target) = (ground.path("old"), ground.path("target"));
    let patched = ground.open(file).and_then(|delta| patch_file(Some(&old), delta, &target, replacing()));
    made(patched.map(|_| target_is_new(ground)))
}

fn patch_of_nothing(ground: &Ground) -> Outcome {
    let target = ground.path("target");
    let patched = ground.open("level.0").and_then(|delta| patch_file(None, delta, &target, replacing()));
    made(patched.map(|_| target_is(ground, "old")))
}

fn chain(ground: &Ground, file: &str) -> Outcome {
    let chained = ground.open(file).and_then(|delta| {
        let deltas = vec![ground.open("level.0")?, delta];
        chain_file(None, deltas, ground.path("target"), replacing())
    });
    made(chained.map(|_| target_is_new(ground)))
}

/// What is refused before it has begun has to leave the file as it was.
fn in_place(ground: &Ground, file: &str) -> Outcome {
    let Ok(old) = fs::read(ground.path("old")) else { return Outcome::Refused("Io") };
    ground.put("target", Some(&old));
    let patched = ground.open(file).and_then(|delta| patch_in_place(ground.path("target"), delta, replacing()));
    let is_untouched = ground.read("target") == old;
    let outcome = made(patched.map(|_| ground.read("target") == ground.read("new")));
    assert!(is_untouched || !matches!(outcome, Outcome::Refused(kind) if kind != "Mismatch"), "{outcome:?}");
    ground.put("target", Some(BEFORE));
    outcome
}

fn show_archive(ground: &Ground, file: &str) -> Outcome {
    passed(ground.open(file).and_then(|archive| list_archive(archive, |_| Ok(()))).map(drop))
}

pub(crate) fn verify(ground: &Ground, file: &str) -> Outcome {
    passed(ground.open(file).and_then(|archive| verify_archive(archive, None)).map(drop))
}

/// Restores level 1 where level 0 is; what is refused has to leave that.
pub(crate) fn restore(ground: &Ground, file: &str) -> Outcome {
    let destination = ground.stand(LEVEL_0);
    let before = listing(&destination);
    let restored = ground.open(file).and_then(|archive| restore_tree(archive, &destination, RestoreOptions::new()));
    if restored.is_err() {
        assert_eq!(differences(&before, &listing(&destination)), [""; 0]);
    }
    made(restored.map(|_| tree(&destination) == ground.trees[1]))
}

fn show_snapshot(ground: &Ground) -> Outcome {
    passed(ground.open("s0").and_then(|snapshot| list_snapshot(snapshot, |_| Ok(()))).map(drop))
}

/// Makes level 1; it is right when it is restored as the tree is.
pub(crate) fn backup(ground: &Ground) -> Outcome {
    let (snapshot, mut archive) = (ground.path("s.new"), Vec::new());
    let made_level =
        backup_tree(ground.path("tree"), Since::File(ground.path("s0")), &snapshot, &mut archive, backup_options());
    let outcome = made(made_level.and_then(|_| {
        let destination = ground.stand(LEVEL_0);
        restore_tree(&archive[..], &destination, RestoreOptions::new())?;
        Ok(tree(&destination) == ground.trees[1])
    }));
    let is_refused = matches!(outcome, Outcome::Refused(_));
    assert!(fs::remove_file(snapshot).is_err() == is_refused, "a snapshot is there if the level is");
    outcome
}

/// Restores level 1 where something may be wrong with what says that level 0 is there.
fn restore_onto(ground: &Ground) -> Outcome {
    let destination = ground.path("dest");
    let before = tree(&destination);
    let restored =
        ground.open("a1.none").and_then(|archive| restore_tree(archive, &destination, RestoreOptions::new()));
    if restored.is_err() {
        assert_eq!(differences(&before, &tree(&destination)), [""; 0]);
    }
    made(restored.map(|_| tree(&destination) == ground.trees[1]))
}

/// Finishes a restore that was killed while it published.
fn recover(ground: &Ground) -> Outcome {
    let destination = ground.path("dest");
    match recover_restore(&destination, None) {
        Ok(recovered) if recovered.is_partial() => Outcome::Partial,
        recovered => made(recovered.map(|_| tree(&destination) == ground.trees[0])),
    }
}

/// The same, and then holds what is there against the archive.
fn recover_and_verify(ground: &Ground) -> Outcome {
    let _ = recover(ground);
    let archives = vec![File::open(ground.path("a0")).unwrap()];
    let mut count = 0;
    let verified = verify_tree(archives, ground.path("dest"), VerifyOptions::new(), |_| {
        count += 1;
        Ok(())
    });
    match verified {
        Ok(_) if count > 0 => Outcome::Refused("Mismatch"),
        verified => passed(verified.map(drop)),
    }
}
