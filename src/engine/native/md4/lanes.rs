//! What a vector of words does in all its lanes at once.

use super::CHUNK_LEN;

/// Words of 32 bits.
pub(super) trait Lanes: Copy {
    const COUNT: usize;

    fn splat(word: u32) -> Self;

    /// The sixteen words of each lane's chunk, the first words of all lanes first.
    fn load(chunks: &[&[u8; CHUNK_LEN]]) -> [Self; 16];

    /// Puts the words where there is room for so many.
    fn store(self, words: &mut [u32]);

    /// Modulo 2^32.
    fn add(self, other: Self) -> Self;

    fn and(self, other: Self) -> Self;

    fn or(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    fn rotate_left<const BITS: i32>(self) -> Self;
}

/// Words of any processor's, whose steps it takes side by side.
pub(super) type Portable = Pair<Pair<u32>>;

impl Lanes for u32 {
    const COUNT: usize = 1;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        word
    }

    #[inline(always)]
    fn load(chunks: &[&[u8; CHUNK_LEN]]) -> [Self; 16] {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(chunks[0].as_chunks().0) {
            *word = Self::from_le_bytes(*bytes);
        }
        words
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        words[0] = self;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32>(self) -> Self {
        self.rotate_left(BITS.cast_unsigned())
    }
}

/// Two of a kind: the steps of one wait for each other, and a processor takes those of the other meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Pair<L>(L, L);

impl<L: Lanes> Lanes for Pair<L> {
    const COUNT: usize = 2 * L::COUNT;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(L::splat(word), L::splat(word))
    }

    #[inline(always)]
    fn load(chunks: &[&[u8; CHUNK_LEN]]) -> [Self; 16] {
        let (low, high) = chunks.split_at(L::COUNT);
        let mut words = [Self::splat(0); 16];
        for ((words, low), high) in words.iter_mut().zip(L::load(low)).zip(L::load(high)) {
            *words = Self(low, high);
        }
        words
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        let (low, high) = words.split_at_mut(L::COUNT);
        self.0.store(low);
        self.1.store(high);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0), self.1.and(other.1))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0), self.1.or(other.1))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0.xor(other.0), self.1.xor(other.1))
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32>(self) -> Self {
        Self(self.0.rotate_left::<BITS>(), self.1.rotate_left::<BITS>())
    }
}
