//! Seeded random contents, and edits of them.
#![allow(dead_code, reason = "each suite takes what it needs")]

/// A generator whose values depend on its seed alone; it names the seed when a test fails.
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

/// The seed to begin with: that of the environment, or else `default`.
pub(crate) fn seed(default: u64) -> u64 {
    match std::env::var("FRAZIL_SEED") {
        Ok(seed) => seed.parse().expect("FRAZIL_SEED is a number"),
        Err(_) => default,
    }
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds that follow one another must not begin alike, and none may begin with 0.
        let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self { seed, state: state | 1 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A number less than `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { ((self.next() >> 11) % end as u64) as usize }
    }

    /// A number from 0 to `max`, more often a small one.
    pub(crate) fn small(&mut self, max: usize) -> usize {
        let max = self.below(max + 1);
        self.below(max + 1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Content of a kind, which goes on from any other of its kind as little as it can.
    pub(crate) fn content(&mut self, kind: Content, len: usize) -> Vec<u8> {
        match kind {
            Content::Random => (0..len).map(|_| (self.next() >> 32) as u8).collect(),
            Content::Text => {
                const WORDS: [&str; 12] =
                    ["frazil ", "ice ", "forms ", "in ", "a ", "moving ", "stream ", "level ", "of ", "7", "\n", ", "];
                let mut text = Vec::with_capacity(len + 8);
                while text.len() < len {
                    text.extend_from_slice(self.pick(&WORDS).as_bytes());
                }
                text.truncate(len);
                text
            }
            Content::Zeros => vec![0; len],
            Content::Repetitive => {
                let period = 1 + self.small(300);
                let pattern = self.content(Content::Random, period);
                pattern.into_iter().cycle().take(len).collect()
            }
        }
    }

    /// Where a run of the content begins and ends.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.small(len - start)
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the case that failed has the seed {0}: FRAZIL_SEED={0} begins with it", self.seed);
        }
    }
}

/// What content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Random,
    Text,
    Zeros,
    Repetitive,
}

impl Content {
    pub(crate) const ALL: [Self; 4] = [Self::Random, Self::Text, Self::Zeros, Self::Repetitive];
}

/// What happens to content between two levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    ChangeByte,
    OverwriteRun,
    Insert,
    Delete,
    Move,
    Duplicate,
    Append,
    Truncate,
    ZeroRun,
    Swap,
    Reverse,
}

impl Edit {
    pub(crate) const ALL: [Self; 11] = [
        Self::ChangeByte,
        Self::OverwriteRun,
        Self::Insert,
        Self::Delete,
        Self::Move,
        Self::Duplicate,
        Self::Append,
        Self::Truncate,
        Self::ZeroRun,
        Self::Swap,
        Self::Reverse,
    ];

    /// Edits the content at a random place; what is new is of the kind `kind`.
    pub(crate) fn apply(self, random: &mut Random, kind: Content, content: &mut Vec<u8>) {
        let range = random.range(content.len());
        let fresh = 1 + random.small(content.len().max(40));
        match self {
            Self::ChangeByte => {
                let at = random.below(content.len());
                if let Some(byte) = content.get_mut(at) {
                    *byte ^= 1 + random.below(255) as u8;
                }
            }
            Self::OverwriteRun => {
                let fresh = random.content(kind, range.len());
                content[range].copy_from_slice(&fresh);
            }
            Self::Insert => {
                let fresh = random.content(kind, fresh);
                content.splice(range.start..range.start, fresh);
            }
            Self::Delete => drop(content.drain(range)),
            Self::Move => {
                let moved: Vec<u8> = content.drain(range).collect();
                let to = random.below(content.len() + 1);
                content.splice(to..to, moved);
            }
            Self::Duplicate => {
                let copy = content[range].to_vec();
                let to = random.below(content.len() + 1);
                content.splice(to..to, copy);
            }
            Self::Append => content.extend(random.content(kind, fresh)),
            Self::Truncate => content.truncate(range.end),
            Self::ZeroRun => content[range].fill(0),
            Self::Reverse => content[range].reverse(),
            Self::Swap => {
                let middle = range.start + random.below(range.len() + 1);
                content[range.clone()].rotate_left(middle - range.start);
            }
        }
    }
}
