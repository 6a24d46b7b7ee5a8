//! How long the deltas were, frazil's beside librsync's.

/// The lengths of the deltas of one script in bytes.
pub(crate) struct Lengths {
    /// frazil's: with the length of the basis known and unknown, rolling, aligned, by its engine librsync.
    pub(crate) ours: [usize; 5],
    /// The vendored librsync's and the system's.
    pub(crate) theirs: [usize; 2],
    pub(crate) new: usize,
}

/// Of fewer scripts one decides the sums.
const ENOUGH: u64 = 500;

/// All of them together.
#[derive(Default)]
pub(crate) struct Tally {
    scripts: u64,
    ours: [usize; 5],
    theirs: [usize; 2],
    new: usize,
    /// Scripts of which frazil's delta was longer, and the most bytes, with the script: by default, and rolling.
    longer: [u64; 2],
    worst: [(usize, u64); 2],
}

impl Tally {
    pub(crate) fn add(&mut self, seed: u64, lengths: Lengths) {
        let Lengths { ours, theirs, new } = lengths;
        self.scripts += 1;
        self.new += new;
        self.ours.iter_mut().zip(ours).for_each(|(sum, len)| *sum += len);
        self.theirs.iter_mut().zip(theirs).for_each(|(sum, len)| *sum += len);
        let least = theirs[0].min(theirs[1]);
        for (at, ours) in [ours[0].max(ours[1]), ours[2]].into_iter().enumerate() {
            let longer = ours.saturating_sub(least);
            self.longer[at] += u64::from(longer > 0);
            self.worst[at] = self.worst[at].max((longer, seed));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.scripts += other.scripts;
        self.new += other.new;
        self.ours.iter_mut().zip(other.ours).for_each(|(sum, len)| *sum += len);
        self.theirs.iter_mut().zip(other.theirs).for_each(|(sum, len)| *sum += len);
        for at in 0..2 {
            self.longer[at] += other.longer[at];
            self.worst[at] = self.worst[at].max(other.worst[at]);
        }
    }

    /// Prints the figures, and fails when frazil's deltas are longer than librsync's by more than a little.
    pub(crate) fn settle(&self) {
        let [known, unknown, rolling, aligned, bound] = self.ours;
        let [vendored, system] = self.theirs;
        println!("  {} scripts, {} bytes of new content", self.scripts, self.new);
        println!(
            "  frazil's deltas {known} bytes, with the length unknown {unknown}, rolling {rolling}, \
                  aligned {aligned}, by librsync {bound}"
        );
        println!("  the vendored librsync's {vendored}, the system's {system}");
        for (at, way) in ["by default", "rolling"].into_iter().enumerate() {
            let (longer, seed) = self.worst[at];
            println!("  {way} longer for {} scripts, by {longer} bytes at most: script {seed}", self.longer[at]);
        }
        if self.scripts < ENOUGH {
            return;
        }
        // As tests/rdiff.rs has it.
        let least = vendored.min(system);
        let auto = known.max(unknown);
        assert!(auto * 50 <= least * 51, "deltas of {auto} bytes are over 2 % longer than librsync's {least}");
        assert!(rolling * 500 <= least * 501, "rolling deltas of {rolling} bytes for librsync's {least}");
    }
}
