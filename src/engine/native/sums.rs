//! The sums of many blocks, over several threads.

use std::io;
use std::sync::OnceLock;

use super::filling::Filling;
use super::strong::{blocks_at_once, strong_sum, strong_sums};
use super::weak::weak_sum;
use crate::engine::is_zeros;
use crate::format::{BlockSum, SignatureParams};
use crate::sharing::{share_out, threads_for, work_while_fed};

/// What a thread sums at once: enough blocks of the usual length for every lane of a vector, few enough to stay in
/// a core's own cache between the sums.
const PIECE_LEN: usize = 512 * 1024;

/// Longer blocks make longer pieces, up to this, so that every lane has its block.
const PIECE_LEN_MAX: usize = 1024 * 1024;

/// Appends the sums of each block of `data`, in order; the last block may be short.
///
/// The strong sums are whole, whatever length the parameters keep.
pub(crate) fn block_sums(params: &SignatureParams, data: &[u8], threads: usize, sums: &mut Vec<BlockSum>) {
    if data.is_empty() {
        return;
    }
    let block_len = params.block_len as usize;
    let first = sums.len();
    sums.resize(first + data.len().div_ceil(block_len), BlockSum::default());
    let sums = &mut sums[first..];
    let threads = threads_for(data.len(), threads).min(sums.len());
    let blocks = sums.len().div_ceil(threads).min(piece_blocks(params));
    let of_zeros = ZeroSum::default();
    share_out(data.chunks(blocks * block_len).zip(sums.chunks_mut(blocks)), threads, |(data, sums)| {
        serial(params, data, sums, &of_zeros);
    });
}

/// The sums of a block of zeros, once there was one: images have many, and to see that a block is one is many times
/// quicker than to sum it.
#[derive(Default)]
pub(crate) struct ZeroSum(OnceLock<BlockSum>);

impl ZeroSum {
    fn get(&self, params: &SignatureParams, zeros: &[u8]) -> BlockSum {
        *self
            .0
            .get_or_init(|| BlockSum { weak: weak_sum(params.weak, zeros), strong: strong_sum(params.strong, zeros) })
    }
}

fn serial(params: &SignatureParams, data: &[u8], sums: &mut [BlockSum], of_zeros: &ZeroSum) {
    let block_len = params.block_len as usize;
    let is_zero = |block: &[u8]| block.len() == block_len && is_zeros(block);
    let (mut data, mut sums) = (data, sums);
    while !data.is_empty() {
        let zeros = data.chunks(block_len).take_while(|block| is_zero(block)).count();
        let others = data.chunks(block_len).skip(zeros).take_while(|block| !is_zero(block)).count();
        let (zero_sums, rest) = std::mem::take(&mut sums).split_at_mut(zeros);
        let (other_sums, rest) = rest.split_at_mut(others);
        sums = rest;
        if zeros > 0 {
            zero_sums.fill(of_zeros.get(params, &data[..block_len]));
        }
        let (content, behind) =
            data[zeros * block_len..].split_at((others * block_len).min(data.len() - zeros * block_len));
        data = behind;
        sum_all(params, content, other_sums);
    }
}

/// Sums every block.
fn sum_all(params: &SignatureParams, data: &[u8], sums: &mut [BlockSum]) {
    let block_len = params.block_len as usize;
    let mut place = sums.iter_mut();
    strong_sums(params.strong, data, block_len, |strong| {
        if let Some(sum) = place.next() {
            sum.strong = *strong;
        }
    });
    for (sum, block) in sums.iter_mut().zip(data.chunks(block_len)) {
        sum.weak = weak_sum(params.weak, block);
    }
}

/// How many blocks make a piece.
fn piece_blocks(params: &SignatureParams) -> usize {
    let block_len = params.block_len as usize;
    (PIECE_LEN / block_len).max(blocks_at_once(params.strong).min(PIECE_LEN_MAX / block_len)).max(1)
}

/// Blocks of a window that lie one after the other, to be summed once they are there.
pub(crate) struct BlockRun<'a> {
    pub(crate) params: SignatureParams,
    /// Where in the window the first begins.
    pub(crate) from: usize,
    /// The sums are appended here.
    pub(crate) sums: &'a mut Vec<BlockSum>,
    /// Takes in the blocks, for the checksum of the content.
    pub(crate) crc: Option<&'a mut crc32fast::Hasher>,
    pub(crate) of_zeros: &'a ZeroSum,
}

impl BlockRun<'_> {
    /// Prepares to sum as many blocks as a window of that length holds.
    fn cut<'a>(&'a mut self, window_len: usize, crcs: &'a mut Vec<crc32fast::Hasher>) -> Cutting<'a> {
        let blocks = window_len.saturating_sub(self.from) / self.params.block_len as usize;
        let first = self.sums.len();
        self.sums.resize(first + blocks, BlockSum::default());
        if self.crc.is_some() {
            crcs.resize(blocks.div_ceil(piece_blocks(&self.params)), crc32fast::Hasher::new());
        }
        let sums = &mut self.sums[first..];
        Cutting { params: self.params, next: self.from, sums, crcs, of_zeros: self.of_zeros }
    }
}

/// A piece of a run.
struct Piece<'a> {
    params: SignatureParams,
    content: &'a [u8],
    sums: &'a mut [BlockSum],
    crc: Option<&'a mut crc32fast::Hasher>,
    of_zeros: &'a ZeroSum,
}

impl Piece<'_> {
    fn sum(self) {
        serial(&self.params, self.content, self.sums, self.of_zeros);
        if let Some(crc) = self.crc {
            crc.update(self.content);
        }
    }
}

/// A run that is being taken apart into pieces.
struct Cutting<'a> {
    params: SignatureParams,
    next: usize,
    sums: &'a mut [BlockSum],
    /// One for each piece; none where no checksum is wanted.
    crcs: &'a mut [crc32fast::Hasher],
    of_zeros: &'a ZeroSum,
}

impl<'a> Cutting<'a> {
    /// The next piece that is there: a full one, or of as many blocks as there are if these are the last.
    fn cut(&mut self, filling: &Filling<'a>, are_last: bool) -> Option<Piece<'a>> {
        let block_len = self.params.block_len as usize;
        let there = (filling.filled().saturating_sub(self.next) / block_len).min(self.sums.len());
        let blocks = there.min(piece_blocks(&self.params));
        if blocks == 0 || (blocks < piece_blocks(&self.params) && !are_last) {
            return None;
        }
        let (sums, left) = std::mem::take(&mut self.sums).split_at_mut(blocks);
        self.sums = left;
        let crc = self.crcs.split_off_first_mut();
        let content = filling.content(self.next..self.next + blocks * block_len);
        self.next += content.len();
        Some(Piece { params: self.params, content, sums, crc, of_zeros: self.of_zeros })
    }
}

/// Fills the window by `read`, which gives 0 at the end of the content, and sums the whole blocks of the runs
/// meanwhile; a short last block is left. Of the window `filled` bytes are there, and become more.
///
/// Gives whether the content has ended, which it has not when the window is full.
///
/// # Errors
///
/// What `read` raises; what was read before is summed.
pub(crate) fn sum_while_filling(
    window: &mut [u8],
    filled: &mut usize,
    runs: &mut [BlockRun<'_>],
    threads: usize,
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<bool> {
    let mut crcs = vec![Vec::new(); runs.len()];
    let mut cuttings: Vec<_> = runs.iter_mut().zip(&mut crcs).map(|(run, crcs)| run.cut(window.len(), crcs)).collect();
    let mut filling = Filling::new(window, *filled);
    let result = work_while_fed(threads, Piece::sum, |give| {
        loop {
            let room = filling.room();
            let len = room.len().min(PIECE_LEN);
            let result = match len {
                0 => Some(Ok(false)),
                len => match read(&mut room[..len]) {
                    Ok(0) => Some(Ok(true)),
                    Ok(len) => {
                        filling.advance(len);
                        None
                    }
                    Err(error) => Some(Err(error)),
                },
            };
            for cutting in &mut cuttings {
                while let Some(piece) = cutting.cut(&filling, result.is_some()) {
                    give(piece);
                }
            }
            if let Some(result) = result {
                return result;
            }
        }
    });
    *filled = filling.filled();
    let left: Vec<usize> = cuttings.iter().map(|cutting| cutting.sums.len()).collect();
    for ((run, crcs), left) in runs.iter_mut().zip(&crcs).zip(left) {
        run.sums.truncate(run.sums.len() - left);
        if let Some(crc) = &mut run.crc {
            crcs.iter().for_each(|piece| crc.combine(piece));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{StrongKind, WeakKind};

    fn content(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 19) as u8).collect()
    }

    /// Gives its content in pieces of one length, and fails once before each of them.
    struct Faltering<'a> {
        left: &'a [u8],
        piece_len: usize,
        falters: bool,
    }

    impl Faltering<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.falters = !self.falters;
            if self.falters {
                return Err(io::Error::other("not now"));
            }
            let len = self.left.len().min(self.piece_len).min(room.len());
            room[..len].copy_from_slice(&self.left[..len]);
            self.left = &self.left[len..];
            Ok(len)
        }
    }

    #[test]
    fn the_blocks_of_all_runs_are_summed_whatever_the_pieces_and_threads() {
        for block_len in [1000, 65536, 300_000, 2_000_000] {
            let params = SignatureParams::with_block_len(block_len).unwrap();
            let content = content(5_000_000);
            for (piece_len, threads) in [(777_777, 1), (100_000, 2), (9_000_000, 3)] {
                let mut source = Faltering { left: &content, piece_len, falters: false };
                let mut window = vec![0; 6_000_000];
                let mut filled = 0;
                let (mut sums, mut shifted) = (Vec::new(), Vec::new());
                let mut crc = crc32fast::Hasher::new();
                let of_zeros = ZeroSum::default();
                loop {
                    let next = |sums: &[BlockSum]| sums.len() * block_len as usize;
                    let (from, shift) = (next(&sums), 5 + next(&shifted));
                    let mut runs = [
                        BlockRun { params, from, sums: &mut sums, crc: Some(&mut crc), of_zeros: &of_zeros },
                        BlockRun { params, from: shift, sums: &mut shifted, crc: None, of_zeros: &of_zeros },
                    ];
                    let ended =
                        sum_while_filling(&mut window, &mut filled, &mut runs, threads, |room| source.read(room));
                    if ended.is_ok_and(|ended| ended) {
                        break;
                    }
                }
                let case = format!("blocks of {block_len}, pieces of {piece_len}, {threads} threads");
                assert!(window[..filled] == content, "{case}");
                for (from, found) in [(0, &sums), (5, &shifted)] {
                    let whole = (content.len() - from) / block_len as usize * block_len as usize;
                    let mut expected = Vec::new();
                    block_sums(&params, &content[from..from + whole], 1, &mut expected);
                    assert!(*found == expected, "{case}, from {from}");
                }
                assert_eq!(crc.finalize(), crc32fast::hash(&content[..sums.len() * block_len as usize]), "{case}");
            }
        }
    }

    #[test]
    fn blocks_of_zeros_among_others_have_the_sums_that_they_have_alone() {
        for (weak, strong) in [(WeakKind::RabinKarp, StrongKind::Blake2), (WeakKind::Rollsum, StrongKind::Md4)] {
            let params = SignatureParams { block_len: 1000, weak, strong, ..SignatureParams::default() };
            // Bits say which blocks are zeros; the last is short.
            for pattern in 0..1 << 6 {
                let mut content = content(5_500);
                for (place, block) in
                    content.chunks_mut(1000).enumerate().filter(|(place, _)| pattern >> place & 1 != 0)
                {
                    block.fill(0);
                    // All but one byte of a block that is not the last.
                    block[999.min(block.len() - 1)] = u8::from(place == 3);
                }
                let mut sums = Vec::new();
                block_sums(&params, &content, 1, &mut sums);
                for (sum, block) in sums.iter().zip(content.chunks(1000)) {
                    assert_eq!(
                        (sum.weak, sum.strong),
                        (weak_sum(weak, block), strong_sum(strong, block)),
                        "{pattern:b}"
                    );
                }
                assert_eq!(sums.len(), 6);
            }
        }
    }

    #[test]
    fn a_full_window_is_not_the_end_of_the_content() {
        let params = SignatureParams::with_block_len(64).unwrap();
        let (mut window, mut filled, mut sums) = (vec![0; 640], 0, Vec::new());
        let of_zeros = ZeroSum::default();
        let mut runs = [BlockRun { params, from: 0, sums: &mut sums, crc: None, of_zeros: &of_zeros }];
        let ended = sum_while_filling(&mut window, &mut filled, &mut runs, 2, |room| Ok(room.len().min(100)));
        assert!(!ended.unwrap());
        assert_eq!((filled, sums.len()), (640, 10));
    }
}
