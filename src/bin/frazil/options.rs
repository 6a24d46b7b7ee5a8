//! Options that several sub-commands take, and how sizes are written.

use clap::{Args, ValueEnum};

use frazil::{Engine, Format, LevelOptions, MAX_BLOCK_LEN, Matching};

/// What every sub-command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Say what was done as JSON, on standard output, or on standard error when that carries data; where there is
    /// a line for each entry, the summary is the last
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show neither progress nor a summary
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Of what publishes files.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Replacing {
    /// Replace an output that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// Of what computes on several threads.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Threads {
    /// Compute on N threads; by default on as many as there are processors
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    threads: Option<usize>,
}

impl Threads {
    /// As the library takes it.
    pub(crate) fn number(self) -> usize {
        self.threads.unwrap_or(0)
    }
}

/// Of what holds signatures, or indexes of those in files: 12 bytes for each block at most.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of
    /// address space for the process and the buffers of streams [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<u64>,
}

impl Memory {
    pub(crate) fn bytes(self) -> u64 {
        self.memory.unwrap_or(LevelOptions::DEFAULT_MEMORY_LIMIT)
    }
}

/// Of what makes signatures and deltas of files.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Computing {
    #[command(flatten)]
    pub(crate) threads: Threads,
    #[command(flatten)]
    pub(crate) memory: Memory,
    /// Do not read the holes that the file system tells of
    #[arg(long)]
    pub(crate) trust_holes: bool,
    /// Who computes sums and finds matches
    #[arg(long, value_name = "ENGINE", default_value = "native")]
    engine: EngineName,
}

impl Computing {
    pub(crate) fn engine(self) -> Engine {
        self.engine.into()
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EngineName {
    /// frazil's own
    Native,
    /// The C library
    Librsync,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Native => Self::Native,
            EngineName::Librsync => Self::Librsync,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum FormatName {
    /// frazil's: every byte checked, basis and result identified
    #[default]
    Sealed,
    /// librsync's, without any check, for rdiff
    Rdiff,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Sealed => Self::Sealed,
            FormatName::Rdiff => Self::Rdiff,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum MatchingName {
    /// Blocks in their place, and a scan of the runs that changed
    #[default]
    Auto,
    /// Blocks in their place alone, in constant memory: for disk images and databases
    Aligned,
    /// A scan of everything that does not match in its place
    Rolling,
}

impl From<MatchingName> for Matching {
    fn from(name: MatchingName) -> Self {
        match name {
            MatchingName::Auto => Self::Auto,
            MatchingName::Aligned => Self::Aligned,
            MatchingName::Rolling => Self::Rolling,
        }
    }
}

/// Bytes, with an optional unit as `dd` takes it: K or KiB for 1024, KB for 1000, and so on for M, G, T.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "expected a number of bytes such as 4096, 64M or 1GiB".to_owned())?;
    let mut letters = unit.chars();
    let power = match letters.next().map(|letter| letter.to_ascii_uppercase()) {
        None => return Ok(number),
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some(_) => return Err(format!("unknown unit {unit}")),
    };
    let base: u64 = match letters.as_str().to_ascii_lowercase().as_str() {
        "" | "ib" => 1024,
        "b" => 1000,
        _ => return Err(format!("unknown unit {unit}")),
    };
    number.checked_mul(base.pow(power)).ok_or_else(|| "too large".to_owned())
}

/// The length of a block.
pub(crate) fn parse_block_len(text: &str) -> Result<u32, String> {
    let range = 1..=MAX_BLOCK_LEN;
    let len = u32::try_from(parse_size(text)?).ok().filter(|len| range.contains(len));
    len.ok_or_else(|| format!("a block has 1 to {MAX_BLOCK_LEN} bytes"))
}

/// The most threads: more are of no use to anyone, and each takes a stack.
const THREADS_MAX: usize = 1024;

fn parse_threads(text: &str) -> Result<usize, String> {
    let threads = text.parse().ok().filter(|threads| (1..=THREADS_MAX).contains(threads));
    threads.ok_or_else(|| format!("expected 1 to {THREADS_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_dd_reads_them() {
        let table = [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("64k", Some(65_536)),
            ("64K", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("64kB", Some(64_000)),
            ("3M", Some(3 << 20)),
            ("1GiB", Some(1 << 30)),
            ("2T", Some(2 << 40)),
            ("16777216T", None),
            ("", None),
            ("M", None),
            ("-1", None),
            ("1.5G", None),
            ("1X", None),
            ("1KiBB", None),
        ];
        for (text, bytes) in table {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
    }
}
