//! `frazil backup`: one level of a whole tree, and the snapshot that the next level needs.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use frazil::{BackupOptions, BackupReader, BackupSummary, Error, ErrorKind, Filter, Matching, Selection, Since};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::header_json;
use crate::options::{MatchingName, Memory, Replacing, Threads, parse_block_len, parse_size};
use crate::output::{Output, commit_both};
use crate::place::{Place, check_different_outputs};
use crate::report::{Report, count, human, one_line, seconds, share};
use crate::session::Session;
use crate::table::Table;

const AFTER_HELP: &str = "\
Level 0 is made without --since, level n with the snapshot that level n-1 wrote. The archive is what is restored; \
the snapshot is needed for the next level alone, and only its owner may read it. Any tar lists the archive. What \
cannot be read, changes while it is read or does not fit a limit is named, the rest is backed up, and the exit \
status is 3. Of sockets there is nothing to keep; they are named, and no more. The archive and the snapshot \
themselves are left out, should they lie in the tree.

A file is read when its size, modification time, change time, owner, mode or inode is another than before, or \
when it changed within two seconds before it was read. With --since a file, what was renamed is recognised and not \
sent again; from a pipe it is not.

Patterns are those of .gitignore, from the root of the tree; the last that matches decides, those of --exclude \
come after those of --exclude-from, and one that begins with ! takes back what those before it leave out. A line \
that begins with # is a comment in FILE, and a pattern in --exclude.

With --json, a line is printed for each entry that was looked at, with the reason and what was sent, and the \
summary as the last. A path that is not UTF-8 has U+FFFD in it where it cannot be said, and its bytes beside it, \
in hexadecimal, as path_bytes.

Examples:
  frazil backup --snapshot snap.0 /home home.0
  frazil backup --since snap.0 --snapshot snap.1 --filter zstd --exclude '*.o' /home home.1
  frazil backup --since snap.1 --snapshot snap.2 /home - | ssh host 'cat > home.2'

Restore the levels with frazil restore.";

/// Back up a tree of files: everything, or what changed since the level whose snapshot is given
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The snapshot of the level before; without it this is level 0
    #[arg(long, value_name = "OLD_SNAP")]
    since: Option<Place>,
    /// Where the new snapshot goes, which the next level needs
    #[arg(long, value_name = "NEW_SNAP")]
    snapshot: Place,
    /// Compress the archive
    #[arg(long, value_name = "FILTER", default_value = "none")]
    filter: FilterName,
    /// Bytes in a block (4096, 64K, …); level 0 decides for the whole chain [default: 65536]
    #[arg(long, value_name = "N", value_parser = parse_block_len)]
    block_size: Option<u32>,
    /// Which matches are looked for in files that changed
    #[arg(long, value_name = "MATCHING", default_value = "auto")]
    matching: MatchingName,
    #[command(flatten)]
    memory: Memory,
    /// Hold at most SIZE bytes of files of which not all names were met yet; beyond it, hard links become files of
    /// their own, and are named [default: 32MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    link_memory: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    replacing: Replacing,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Back up what symbolic links lead to in their place
    #[arg(long)]
    dereference: bool,
    /// Read every file, whatever its metadata says
    #[arg(long)]
    always_read: bool,
    /// Take a file for unchanged although its change time is another
    #[arg(long)]
    ignore_ctime: bool,
    /// Take a file for unchanged although its inode is another
    #[arg(long)]
    ignore_inode: bool,
    /// Read a file again whose device is another
    #[arg(long)]
    compare_device: bool,
    /// Do not read the holes that the file system tells of
    #[arg(long)]
    trust_holes: bool,
    /// A directory, or a single file
    tree: PathBuf,
    /// Where the archive goes
    archive: Place,
}

/// What is left out.
#[derive(Args)]
pub(crate) struct SelectionArguments {
    /// Leave out what matches a pattern; !PATTERN takes it back
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Take the patterns in FILE, one a line
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Leave out what is in directories that a CACHEDIR.TAG marks
    #[arg(long)]
    exclude_caches: bool,
    /// Leave out what is in directories that hold a file of this name
    #[arg(long, value_name = "NAME")]
    exclude_marked: Vec<PathBuf>,
    /// Leave out what has the nodump flag
    #[arg(long)]
    nodump: bool,
    /// Stay on the file system of the root
    #[arg(long)]
    one_file_system: bool,
}

impl SelectionArguments {
    /// Whether anything is left out.
    pub(crate) fn leaves_out(&self) -> bool {
        let Self { exclude, exclude_from, exclude_caches, exclude_marked, nodump, one_file_system } = self;
        let patterns = exclude.is_empty() && exclude_from.is_empty() && exclude_marked.is_empty();
        !patterns || *exclude_caches || *nodump || *one_file_system
    }

    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        let mut selection = Selection::new()
            .exclude_caches(self.exclude_caches)
            .nodump(self.nodump)
            .one_file_system(self.one_file_system);
        for file in &self.exclude_from {
            let lines = std::fs::read_to_string(file)
                .map_err(|error| Failure::io(format_args!("reading {}", one_line(file)), error))?;
            for line in lines.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
                selection = selection.exclude(line);
            }
        }
        for pattern in &self.exclude {
            selection = match pattern.as_bytes() {
                [] => return Err(Failure::usage("--exclude: an empty pattern leaves nothing out")),
                // In a file it would be a comment; here somebody means such a name.
                [b'#', ..] => selection.exclude(format!("\\{pattern}")),
                _ => selection.exclude(pattern),
            };
        }
        for name in &self.exclude_marked {
            selection = selection.exclude_marked(name);
        }
        Ok(selection)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FilterName {
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
}

impl From<FilterName> for Filter {
    fn from(name: FilterName) -> Self {
        match name {
            FilterName::None => Self::None,
            FilterName::Gzip => Self::Gzip,
            FilterName::Bzip2 => Self::Bzip2,
            FilterName::Xz => Self::Xz,
            FilterName::Zstd => Self::Zstd,
            FilterName::Lz4 => Self::Lz4,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let Arguments { snapshot, archive, tree, .. } = arguments;
    check_different_outputs(archive, Some(snapshot))?;
    let mut options = BackupOptions::new()
        .filter(arguments.filter.into())
        .matching(Matching::from(arguments.matching))
        .memory_limit(arguments.memory.bytes())
        .threads(arguments.threads.number())
        .selection(arguments.selection.selection()?)
        .dereference(arguments.dereference)
        .always_read(arguments.always_read)
        .ignore_ctime(arguments.ignore_ctime)
        .ignore_inode(arguments.ignore_inode)
        .compare_device(arguments.compare_device)
        .trust_holes(arguments.trust_holes)
        .observer(session.entry_observer(*archive == Place::Standard));
    if let Some(block_len) = arguments.block_size {
        options = options.block_len(block_len);
    }
    if let Some(bytes) = arguments.link_memory {
        options = options.link_memory(bytes);
    }
    let since = match &arguments.since {
        None => Since::Nothing,
        Some(place) => {
            let input = Input::open_kind(place, Kind::Snapshot)?;
            match place.path().filter(|_| input.len().is_some()) {
                Some(path) => Since::File(path.to_owned()),
                None => Since::Stream(Box::new(input)),
            }
        }
    };
    for output in [archive, snapshot] {
        if is_same_file(tree, output) {
            return Err(Failure::usage(format!("{}: the output would replace the source", one_line(tree))));
        }
    }
    let mut archive_out = Output::create_binary(archive, arguments.replacing.force)?;
    let mut snapshot_out = Output::create_private(snapshot, arguments.replacing.force)?;
    let looking = |error| Failure::of("looking at the outputs", error);
    for (output, place) in [(&mut archive_out, archive), (&mut snapshot_out, snapshot)] {
        options = options.leave_out(output.file()).map_err(looking)?;
        // What is about to be replaced is no part of the tree either.
        if let Some(path) = place.path().filter(|path| path.is_file()) {
            let old = File::open(path).map_err(|error| Failure::io(one_line(path), error))?;
            options = options.leave_out(&old).map_err(looking)?;
        }
    }
    let failed = |error: Error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("backing up {}", one_line(tree)), error);
        match kind {
            ErrorKind::InvalidInput => Failure::usage(failure.to_string()),
            _ => failure,
        }
    };
    let sink = archive_out.writer()?;
    let backup = BackupReader::new(tree, since, snapshot_out.writer()?, options).map_err(failed)?;
    let summary = backup.write_to(sink).map_err(failed)?;
    let snapshot_bytes = snapshot_out.written();
    // The archive first: a snapshot without its archive would let the next level leave a gap in the chain.
    commit_both(archive_out, (snapshot_out, snapshot), arguments.since.as_ref())?;
    Ok(report(arguments, &summary, snapshot_bytes, session))
}

/// Whether the source is the single file at a place.
fn is_same_file(tree: &Path, place: &Place) -> bool {
    let Some(other) = place.path().and_then(|path| path.metadata().ok()) else { return false };
    tree.metadata().is_ok_and(|data| data.is_file() && (data.dev(), data.ino()) == (other.dev(), other.ino()))
}

fn report(arguments: &Arguments, summary: &BackupSummary, snapshot_bytes: u64, session: &Session) -> Report {
    let header = summary.header;
    let mut table = Table::new(format!(
        "{}: level {} ({}), {} in {}",
        one_line(&arguments.tree),
        header.number,
        header.id,
        count(summary.entries, "entry"),
        seconds(session.elapsed()),
    ));
    table.row("read", format!("{}, {}", count(summary.files_read, "file"), human(summary.source_bytes)));
    table.row("whole", summary.full);
    if header.parent.is_some() {
        table.row("as deltas", summary.deltas);
        table.row("renamed, copied", summary.copies);
        table.row("metadata alone", summary.metadata);
        table.row("deleted", summary.deleted);
    }
    if summary.links > 0 {
        table.row("hard links", summary.links);
    }
    let share = share(summary.stream_bytes, summary.source_bytes);
    let share = share.map_or(String::new(), |share| format!(" ({share} of what was read)"));
    table.row("archive", human(summary.stream_bytes) + &share);
    table.row("snapshot", human(snapshot_bytes));
    if summary.is_partial() {
        table.row("problems", format!("{}: this backup is partial", summary.problems));
    }
    let mut json = json!({
        "command": "backup",
        "entries": summary.entries,
        "files_read": summary.files_read,
        "source_bytes": summary.source_bytes,
        "content_bytes": summary.content_bytes,
        "stream_bytes": summary.stream_bytes,
        "snapshot_bytes": snapshot_bytes,
        "full": summary.full,
        "deltas": summary.deltas,
        "copies": summary.copies,
        "links": summary.links,
        "metadata": summary.metadata,
        "deleted": summary.deleted,
        "partial": summary.is_partial(),
        "seconds": session.elapsed().as_secs_f64(),
    });
    if let (Some(json), Some(header)) = (json.as_object_mut(), header_json(&header).as_object_mut()) {
        json.append(header);
    }
    let stdout_is_data = arguments.archive == Place::Standard || arguments.snapshot == Place::Standard;
    Report::new(table.into_text(), json, stdout_is_data).partial(summary.is_partial())
}
