//! Signature against signature, held against a comparison of the contents byte by byte.

#[path = "support/random.rs"]
mod random;
#[path = "support/ranges.rs"]
mod ranges;

use std::path::Path;

use frazil::{
    BlockRange, ErrorKind, Format, LevelOptions, LevelReader, RangeKind, Signature, SignatureFile, SignatureParams,
    StrongKind, WeakKind, compare_data, compare_files,
};
use random::{Content, Edit, Random, seed};
use ranges::{check_ranges, without_moves};

fn params(block_len: u32) -> SignatureParams {
    SignatureParams::with_block_len(block_len).unwrap()
}

fn sign(content: &[u8], params: SignatureParams) -> Signature {
    let options = LevelOptions::new().params(params).format(Format::Rdiff);
    LevelReader::new(content, None, options).unwrap().finish().unwrap()
}

/// The signature without length and fingerprint.
fn stripped(signature: &Signature) -> Signature {
    Signature::read_from(&signature.write_to(Vec::new(), Format::Rdiff).unwrap()[..]).unwrap()
}

fn saved(signature: &Signature, path: &Path, format: Format) -> SignatureFile {
    signature.save(path, format).unwrap();
    SignatureFile::open(path).unwrap()
}

fn held(old: &Signature, new: &Signature) -> Vec<BlockRange> {
    old.compare(new).unwrap().collect()
}

fn filed(old: &SignatureFile, new: &SignatureFile) -> Vec<BlockRange> {
    compare_files(old, new).unwrap().map(Result::unwrap).collect()
}

fn streamed(old: &Signature, new: &[u8]) -> Vec<BlockRange> {
    compare_data(old, new).unwrap().map(Result::unwrap).collect()
}

#[test]
fn ranges_are_what_the_bytes_say() {
    let dir = tempfile::tempdir().unwrap();
    let first = seed(1);
    let mut moves = 0;
    for (case, seed) in (first..first + 600).enumerate() {
        let mut random = Random::new(seed);
        let block_len = random.pick(&[1_usize, 2, 7, 100, 512, 1024]);
        let kind = random.pick(&Content::ALL);
        let len = random.below(30 * block_len + 2);
        let old = random.content(kind, len);
        let mut new = old.clone();
        for _ in 0..random.below(4) {
            random.pick(&Edit::ALL).apply(&mut random, kind, &mut new);
        }
        if random.below(2) == 0 && new.len() >= 4 * block_len {
            // Whole blocks that stay on the grid: what a comparison of signatures can find again.
            let blocks = new.len() / block_len;
            new[..blocks * block_len].rotate_left((1 + random.below(blocks - 1)) * block_len);
        }
        let (old_signature, new_signature) =
            (sign(&old, params(block_len as u32)), sign(&new, params(block_len as u32)));
        let ranges = held(&old_signature, &new_signature);
        check_ranges(&ranges, &old, &new, block_len, true);
        moves += ranges.iter().filter(|range| matches!(range.kind, RangeKind::Moved { .. })).count();
        assert_eq!(streamed(&old_signature, &new), ranges);
        assert_eq!(streamed(&stripped(&old_signature), &new), ranges);
        assert_eq!(held(&stripped(&old_signature), &new_signature), ranges);

        if case % 4 == 0 {
            let at = |name: &str| dir.path().join(format!("{case}-{name}"));
            let old_file = saved(&old_signature, &at("old"), Format::Sealed);
            let new_file = saved(&new_signature, &at("new"), Format::Sealed);
            let in_files = filed(&old_file, &new_file);
            check_ranges(&in_files, &old, &new, block_len, false);
            assert_eq!(in_files, without_moves(&ranges));
            assert_eq!(filed(&saved(&old_signature, &at("plain"), Format::Rdiff), &new_file), in_files);
        }
    }
    assert!(moves > 300, "only {moves} moved ranges were compared");
}

#[test]
fn each_kind_of_range_is_named_by_its_bytes() {
    let mut random = Random::new(seed(2000));
    let old = random.content(Content::Random, 10 * 1000 + 500);
    let mut new = old.clone();
    new[2000..4000].swap_with_slice(&mut old[6000..8000].to_vec());
    new[9000] ^= 1;
    let range = |offset, len, kind| BlockRange { offset, len, kind };
    let expected = [
        range(0, 2000, RangeKind::Same),
        range(2000, 2000, RangeKind::Moved { from: 6000 }),
        range(4000, 5000, RangeKind::Same),
        range(9000, 1000, RangeKind::Changed),
        range(10_000, 500, RangeKind::Same),
    ];
    let (old, new_signature) = (sign(&old, params(1000)), sign(&new, params(1000)));
    assert_eq!(held(&old, &new_signature), expected);
    assert_eq!(streamed(&old, &new), expected);
}

#[test]
fn the_short_last_block_is_changed_when_the_content_grows() {
    let old = Random::new(seed(3000)).content(Content::Random, 2500);
    let grown = [&old[..], b"more"].concat();
    let range = |offset, len, kind| BlockRange { offset, len, kind };
    let (signature, new) = (sign(&old, params(1000)), sign(&grown, params(1000)));
    let expected = [range(0, 2000, RangeKind::Same), range(2000, 504, RangeKind::Changed)];
    assert_eq!(held(&signature, &new), expected);
    // A signature without its length has a whole last block, as far as anyone can tell.
    let whole = [range(0, 2000, RangeKind::Same), range(2000, 1000, RangeKind::Changed)];
    assert_eq!(held(&signature, &stripped(&new)), whole);
    assert_eq!(held(&stripped(&signature), &stripped(&signature)), [range(0, 3000, RangeKind::Same)]);
    // The last block of one content moves to the end of the other.
    let moved = [&old[..1000], &old[2000..]].concat();
    let expected = [range(0, 1000, RangeKind::Same), range(1000, 500, RangeKind::Moved { from: 2000 })];
    assert_eq!(held(&signature, &sign(&moved, params(1000))), expected);
}

#[test]
fn nothing_has_no_ranges() {
    let dir = tempfile::tempdir().unwrap();
    let (nothing, something) = (sign(b"", params(512)), sign(b"something", params(512)));
    assert_eq!(held(&something, &nothing), []);
    assert_eq!(streamed(&something, b""), []);
    let file = |signature: &Signature, name: &str| saved(signature, &dir.path().join(name), Format::Sealed);
    let (nothing_file, something_file) = (file(&nothing, "nothing"), file(&something, "something"));
    assert_eq!(filed(&something_file, &nothing_file), []);
    let changed = [BlockRange { offset: 0, len: 9, kind: RangeKind::Changed }];
    assert_eq!(held(&nothing, &something), changed);
    assert_eq!(filed(&nothing_file, &something_file), changed);
    assert_eq!(streamed(&nothing, b"something"), changed);
}

#[test]
fn strong_sums_of_two_lengths_are_compared_as_far_as_both_go() {
    let mut random = Random::new(seed(4000));
    let old = random.content(Content::Random, 5000);
    let mut new = old.clone();
    new[1500] ^= 1;
    new[3000..].rotate_left(1000);
    let of_len = |strong_len| SignatureParams::new(WeakKind::RabinKarp, StrongKind::Blake2, 500, strong_len).unwrap();
    let expected = held(&sign(&old, of_len(32)), &sign(&new, of_len(32)));
    check_ranges(&expected, &old, &new, 500, true);
    for (a, b) in [(32, 8), (8, 32), (12, 20)] {
        assert_eq!(held(&sign(&old, of_len(a)), &sign(&new, of_len(b))), expected, "{a} and {b}");
    }
}

#[test]
fn other_sums_and_block_lengths_are_incomparable() {
    let dir = tempfile::tempdir().unwrap();
    let of = |weak, strong, block_len| SignatureParams::new(weak, strong, block_len, 16).unwrap();
    let here = of(WeakKind::RabinKarp, StrongKind::Blake2, 1000);
    let others = [
        (of(WeakKind::Rollsum, StrongKind::Blake2, 1000), "Rollsum and Blake2 over blocks of 1000"),
        (of(WeakKind::RabinKarp, StrongKind::Md4, 1000), "RabinKarp and Md4 over blocks of 1000"),
        (of(WeakKind::RabinKarp, StrongKind::Blake2, 1001), "RabinKarp and Blake2 over blocks of 1001"),
    ];
    let old = sign(b"content", here);
    let old_file = saved(&old, &dir.path().join("old"), Format::Rdiff);
    for (turn, (params, described)) in others.into_iter().enumerate() {
        let new = sign(b"content", params);
        let new_file = saved(&new, &dir.path().join(turn.to_string()), Format::Rdiff);
        for error in [old.compare(&new).err().unwrap(), compare_files(&old_file, &new_file).err().unwrap()] {
            assert_eq!(error.kind(), ErrorKind::Incomparable);
            assert_eq!(
                error.to_string(),
                format!(
                    "comparing signatures: signatures have different parameters: expected RabinKarp and Blake2 over \
                     blocks of 1000, found {described}"
                )
            );
        }
    }
}
