//! Input that was made to do harm: plain streams that lie, and sealed ones that lie with right checksums.

#[path = "support/allocation.rs"]
mod allocation;
#[path = "support/content.rs"]
mod content;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "hostile streams are put together; none is taken apart")]
mod sealed;

use std::io::{self, Read, Write};

use allocation::{Counting, peak_of};
use content::{level, noise, options};
use frazil::{
    Chain, Engine, Error, ErrorKind, Format, LevelReader, PatchOptions, PatchReader, PatchWriter, ReadAt, Signature,
};
use sealed::{
    DATA, DELTA, SIGNATURE, Says, Sealing, TAG_BASIS, TAG_TARGET_BLOCK_LEN, TAG_TARGET_LEN, TRAILER, ZERO_RUN,
};

use ErrorKind::{Corrupt, Limit, Mismatch, Truncated, Unsupported};

#[global_allocator]
static COUNTING: Counting = Counting;

/// What refusing hostile input may hold: some buffers, and none by a length that the input gives.
const PEAK: isize = 2 << 20;

const MAGIC: &[u8] = &[0x72, 0x73, 0x02, 0x36];
const BASIS: &[u8] = b"the basis: forty-two bytes, no more, no less";

fn pull(delta: &[u8], basis: &[u8], options: PatchOptions) -> frazil::Result<()> {
    let mut reader = PatchReader::new(delta, basis, options)?;
    io::copy(&mut reader, &mut io::sink())?;
    reader.finish().map(drop)
}

/// Applies a delta in three ways, each of which must refuse it in little memory.
fn refusals(delta: &[u8], basis: &[u8], options: &PatchOptions) -> [Error; 3] {
    let push = || {
        let mut writer = PatchWriter::new(io::sink(), basis, options.clone())?;
        writer.write_all(delta)?;
        writer.finish().map(drop)
    };
    let chain = || {
        let mut chain = Chain::new(basis, vec![delta], options.clone())?;
        io::copy(&mut chain, &mut io::sink())?;
        chain.finish().map(drop)
    };
    let (results, peak) = peak_of(|| [pull(delta, basis, options.clone()), push(), chain()]);
    assert!(peak < PEAK, "{peak} bytes held to refuse {delta:02x?}");
    results.map(Result::unwrap_err)
}

/// Holds each refusal of a delta against the kind, the offset and a part of the message.
fn check(delta: &[u8], basis: &[u8], kind: ErrorKind, offset: Option<u64>, part: &str) {
    for error in refusals(delta, basis, &PatchOptions::new()) {
        assert_eq!(error.kind(), kind, "{part}: {error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
        assert_eq!(error.offset(), offset, "{part}: {error}");
    }
}

#[test]
fn plain_deltas_that_lie_are_refused_before_memory_is_taken() {
    let literal8 = |len: u64| [&[0x44][..], &len.to_be_bytes(), b"some bytes"].concat();
    let copy8 = |offset: u64, len: u64| [&[0x54][..], &offset.to_be_bytes(), &len.to_be_bytes(), &[0]].concat();
    let (past, within) = ("copy reaches past the end of the basis", "delta ends within a literal");
    let table: [(Vec<u8>, ErrorKind, u64, &str); 20] = [
        ([&[0x43, 0x80, 0, 0, 0][..], b"some bytes"].concat(), Truncated, 19, within),
        (literal8(1 << 31), Truncated, 23, within),
        (literal8(1 << 32), Truncated, 23, within),
        (literal8(1 << 63), Limit, 4, "output is longer than is allowed"),
        (literal8(u64::MAX), Limit, 4, "output is longer than is allowed"),
        (literal8(0), Corrupt, 4, "literal command of no bytes"),
        (vec![0x41, 0, 0], Corrupt, 4, "literal command of no bytes"),
        (copy8(0, 0), Corrupt, 4, "copy command of no bytes"),
        (vec![0x45, 0, 0, 0], Corrupt, 4, "copy command of no bytes"),
        (copy8(0, BASIS.len() as u64 + 1), Corrupt, 4, past),
        (copy8(BASIS.len() as u64, 1), Corrupt, 4, past),
        (copy8(1 << 32, 1), Corrupt, 4, past),
        (copy8(0, 1 << 32), Corrupt, 4, past),
        (copy8(1 << 63, 1), Corrupt, 4, "copy command reaches past every file"),
        (copy8(u64::MAX, u64::MAX), Corrupt, 4, "copy command reaches past every file"),
        (vec![0x55, 0], Corrupt, 4, "unknown delta command"),
        (vec![1, b'a'], Truncated, 6, "delta ends without its end command"),
        (vec![0x54, 0, 0], Truncated, 7, "delta ends within a command"),
        (vec![0, 0], Corrupt, 5, "bytes after the end of the delta"),
        (Vec::new(), Truncated, 4, "delta ends without its end command"),
    ];
    for (commands, kind, offset, part) in table {
        check(&[MAGIC, &commands].concat(), BASIS, kind, Some(offset), part);
    }
    check(&[], BASIS, Truncated, Some(0), "delta is empty");
    check(&MAGIC[..3], BASIS, Truncated, Some(3), "delta ends within its magic");
    check(b"plain text", BASIS, Corrupt, Some(0), "neither a sealed stream nor a librsync delta");
    check(&0x7273_0147_u32.to_be_bytes(), BASIS, Corrupt, Some(0), "expected delta, found signature");
}

/// A basis of any length that was never written.
struct Endless(u64);

impl ReadAt for Endless {
    fn read_at(&self, buffer: &mut [u8], _: u64) -> io::Result<usize> {
        buffer.fill(7);
        Ok(buffer.len())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0)
    }
}

#[test]
fn a_small_delta_that_would_fill_every_disk_is_refused() {
    // 1 KiB of copies of 1 TiB less a byte each: the first stays within the default limit.
    let len = (1u64 << 40) - 1;
    let copy = [&[0x48, 0][..], &len.to_be_bytes()].concat();
    let bomb = [MAGIC, &copy.repeat(102), &[0]].concat();
    let basis = Endless(1 << 40);
    let (error, peak) = peak_of(|| Chain::new(&basis, vec![&bomb[..]], PatchOptions::new()).err().unwrap());
    assert_eq!((error.kind(), error.offset()), (Limit, Some(14)), "{error}");
    assert!(error.to_string().contains("expected at most 1099511627776 bytes"), "{error}");
    assert!(peak < PEAK, "{peak}");

    let mut reader = PatchReader::new(&bomb[..], &basis, PatchOptions::new().max_output(1 << 30)).unwrap();
    let error = Error::from(reader.read(&mut [0; 100]).unwrap_err());
    assert_eq!((error.kind(), error.offset()), (Limit, Some(4)), "not a byte comes out: {error}");

    let short = [MAGIC, &[0x45, 0, 40].repeat(300), &[0]].concat();
    for error in refusals(&short, BASIS, &PatchOptions::new().max_output(1000)) {
        assert_eq!((error.kind(), error.offset()), (Limit, Some(4 + 25 * 3)), "{error}");
    }
}

#[test]
fn plain_signatures_that_lie_are_refused_before_memory_is_taken() {
    let head = |magic: u32, block_len: u32, strong_len: u32| {
        [magic, block_len, strong_len].iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>()
    };
    let (block, strong) = ("block length is out of range", "strong sum length is out of range");
    let table = [
        (head(0x7273_0147, 0, 32), Corrupt, 4, block),
        (head(0x7273_0147, 1 << 31, 32), Corrupt, 4, block),
        (head(0x7273_0147, u32::MAX, 32), Corrupt, 4, block),
        (head(0x7273_0147, 2048, 0), Corrupt, 4, strong),
        (head(0x7273_0147, 2048, 33), Corrupt, 4, strong),
        (head(0x7273_0147, 2048, u32::MAX), Corrupt, 4, strong),
        (head(0x7273_0136, 2048, 17), Corrupt, 4, strong),
        (head(0x7273_0146, 2048, 32), Corrupt, 4, strong),
        (head(0x7273_0138, 2048, 16), Corrupt, 0, "neither a sealed stream nor a librsync signature"),
        (head(0x7273_0236, 2048, 16), Corrupt, 0, "stream is not a signature"),
        (Vec::new(), Truncated, 0, "signature is empty"),
    ];
    for (bytes, kind, offset, part) in table {
        let (error, peak) = peak_of(|| Signature::read_from(&bytes[..]).unwrap_err());
        assert_eq!((error.kind(), error.offset()), (kind, Some(offset)), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(peak < PEAK, "{peak}");
    }
    // A plain signature says nothing of its length: only a cut between two blocks goes unnoticed.
    let (_, signature) = level(&noise(10_000, 1), None, options(2048));
    let whole = signature.write_to(Vec::new(), Format::Rdiff).unwrap();
    for cut in 0..whole.len() {
        match Signature::read_from(&whole[..cut]) {
            Ok(signature) => assert_eq!(12 + signature.block_count() * 36, cut),
            Err(error) => {
                assert_eq!((error.kind(), error.offset()), (Truncated, Some(cut as u64)), "{error}");
                assert!(cut < 12 || (cut - 12) % 36 != 0);
            }
        }
    }
}

#[test]
fn equal_weak_sums_by_the_thousand_do_not_make_the_work_a_product() {
    // 40,000 blocks with the weak sum of zeros and other strong sums, against 4 MiB of zeros: comparing
    // each position with each block would take 160 thousand million comparisons.
    let zeros = vec![0; 4 << 20];
    let (_, of_zeros) = level(&zeros[..2048], None, options(2048));
    let weak = of_zeros.block(0).unwrap().weak;
    let mut hostile = of_zeros.write_to(Vec::new(), Format::Rdiff).unwrap();
    hostile.truncate(12);
    for number in 1..=40_000_u32 {
        hostile.extend(weak.to_be_bytes());
        hostile.extend(noise(32, u64::from(number)));
    }
    let signature = Signature::read_from(&hostile[..]).unwrap();
    let mut reader = LevelReader::new(&zeros[..], &signature, options(2048).format(Format::Rdiff)).unwrap();
    io::copy(&mut reader, &mut io::sink()).unwrap();
    let stats = reader.stats();
    assert_eq!((stats.literal_bytes, stats.copy_bytes), (zeros.len() as u64, 0));

    // librsync's own index has no bound, so it is not given such sums.
    let error = LevelReader::new(&zeros[..], &signature, options(2048).engine(Engine::Librsync)).err().unwrap();
    assert_eq!(error.kind(), Limit);
    assert!(error.to_string().contains("too many different blocks with colliding weak sums"), "{error}");
}

/// Commands after the magic of a delta.
fn commands(bytes: &[u8]) -> Vec<u8> {
    [MAGIC, bytes].concat()
}

#[test]
fn sealed_deltas_that_lie_with_right_checksums_are_refused() {
    let none = Says::truth(b"").as_basis();
    let level0 = || Sealing::new(DELTA, &[(TAG_BASIS, &none)]);
    let whole = || commands(b"\x03abc\x00");
    let abc = Says::truth(b"abc");
    let honest = level0().data(&whole(), 3).end(&abc);
    pull(&honest, b"", PatchOptions::new()).expect("what the table departs from");
    let first = 32 + 50 + 4; // where the frames of a level 0 begin

    let lie = |change: fn(&mut Says)| {
        let mut says = Says::truth(b"abc");
        change(&mut says);
        level0().data(&whole(), 3).end(&says)
    };
    let fields = |fields: &[(u16, &[u8])]| Sealing::new(DELTA, fields).data(&whole(), 3).end(&abc);
    let at = |offset: usize| Some(offset as u64);
    let trailer = first + 22 + whole().len() + 4;
    let table: &[(&str, Vec<u8>, ErrorKind, Option<u64>)] = &[
        ("command crosses the end of its frame", level0().data(&commands(&[0x43, 0]), 3).end(&abc), Corrupt, at(first)),
        ("literal crosses the end of its frame", level0().data(&commands(b"\x03ab"), 3).end(&abc), Corrupt, at(first)),
        ("does not reach the offset it announces", level0().data(&whole(), 4).end(&abc), Corrupt, at(first)),
        ("goes past the offset its frame announces", level0().data(&whole(), 2).end(&abc), Corrupt, at(first)),
        (
            "copy reaches past the end of the basis",
            level0().data(&commands(&[0x45, 0, 3, 0]), 3).end(&abc),
            Corrupt,
            at(first),
        ),
        ("unknown delta command", level0().data(&commands(&[0x60]), 3).end(&abc), Corrupt, at(first)),
        ("bytes after the end of the delta", level0().data(&commands(b"\0\x03abc"), 3).end(&abc), Corrupt, at(first)),
        (
            "frame after the end of the delta",
            level0().data(&whole(), 3).data(b"\x01d", 4).end(&abc),
            Corrupt,
            at(trailer),
        ),
        ("frame after the end of the delta", level0().data(&whole(), 3).zeros(9).end(&abc), Corrupt, at(trailer)),
        ("trailer comes before the end", level0().data(&commands(b"\x03abc"), 3).end(&abc), Corrupt, at(trailer - 1)),
        ("does not begin with its magic", level0().data(b"\x03abc\0", 3).end(&abc), Corrupt, at(first)),
        ("does not begin with its magic", level0().zeros(3).data(&commands(&[0]), 3).end(&abc), Corrupt, at(first)),
        ("trailer comes before the end", level0().end(&Says::truth(b"")), Corrupt, at(first)),
        ("frame of type 03", level0().frame(3, 0, 1, &[0], 0).cut(), Unsupported, at(first)),
        ("codec 1", level0().frame(DATA, 1, 1, &[0], 0).cut(), Unsupported, at(first)),
        ("length that its type", level0().frame(DATA, 0, 0, &[], 0).cut(), Corrupt, at(first)),
        ("frame is too long", level0().frame(DATA, 0, (1 << 20) + 1, &[0; 99], 0).cut(), Corrupt, at(first)),
        ("frame is too long", level0().frame(DATA, 0, u32::MAX, &[0; 99], 0).cut(), Corrupt, at(first)),
        ("length that its type", level0().frame(ZERO_RUN, 0, 7, &[0; 7], 9).cut(), Corrupt, at(first)),
        ("length that its type", level0().frame(TRAILER, 0, 9, &[0; 9], 0).cut(), Corrupt, at(first)),
        ("announces a wrong output offset", level0().frame(ZERO_RUN, 0, 8, &[0; 8], 0).cut(), Corrupt, at(first)),
        ("zero run does not reach", level0().frame(ZERO_RUN, 0, 8, &[1; 8], 9).cut(), Corrupt, at(first)),
        ("output is longer", level0().data(&commands(b"\x01a"), 1).zeros(1 << 62).cut(), Limit, at(first + 32)),
        ("does not make the length of its trailer", lie(|says| says.length = 4), Corrupt, at(trailer)),
        ("result has the wrong checksum", lie(|says| says.crc32 ^= 1), Mismatch, None),
        ("result has the wrong fingerprint", lie(|says| says.fingerprint[9] ^= 1), Mismatch, None),
        ("fingerprint has other leaves", lie(|says| says.leaf_len = 1024), Corrupt, at(trailer)),
        ("leaf length is out of range", lie(|says| says.leaf_len = 0), Corrupt, at(trailer)),
        ("leaf length is out of range", lie(|says| says.leaf_len = u32::MAX), Corrupt, at(trailer)),
        ("trailer flags 00000004", lie(|says| says.flags = 4), Unsupported, at(trailer)),
        ("format version 2", Sealing::versioned(2, DELTA, &[]).cut(), Unsupported, at(8)),
        ("kind 9", Sealing::new(9, &[]).cut(), Unsupported, at(10)),
        ("header field 6", fields(&[(6, b"?")]), Unsupported, at(32)),
        ("header field comes twice", fields(&[(TAG_BASIS, &none), (TAG_BASIS, &none)]), Corrupt, at(82)),
        ("header field has the wrong length", fields(&[(TAG_TARGET_LEN, &[0; 7])]), Corrupt, at(32)),
        ("block length is out of range", fields(&[(TAG_TARGET_BLOCK_LEN, &[0xff; 4])]), Corrupt, at(32)),
        ("header is too long", fields(&[(0x8007, &[0; 1 << 16])]), Corrupt, at(28)),
        ("length that the header declares", fields(&[(TAG_TARGET_LEN, &2_u64.to_be_bytes())]), Corrupt, at(50)),
        ("another basis", fields(&[(TAG_BASIS, &abc.as_basis())]), ErrorKind::WrongBasis, None),
    ];
    for (part, delta, kind, offset) in table {
        check(delta, b"", *kind, *offset, part);
    }
    pull(&fields(&[(0x8007, b"skipped")]), b"", PatchOptions::new()).expect("an optional field is skipped");
}

/// One byte more is refused above.
#[test]
fn a_frame_of_the_greatest_length_is_read() {
    const LITERAL_LEN: usize = (1 << 20) - 9;
    let content = noise(LITERAL_LEN, 3);
    let none = Says::truth(b"").as_basis();
    let level0 = Sealing::new(DELTA, &[(TAG_BASIS, &none)]);
    let payload = commands(&[&[0x43], &(LITERAL_LEN as u32).to_be_bytes()[..], &content].concat());
    assert_eq!(payload.len(), 1 << 20);
    let length = LITERAL_LEN as u64;
    let delta = level0.data(&payload, length).data(&[0], length).end(&Says::truth(&content));
    let mut made = Vec::new();
    PatchReader::new(&delta[..], &b""[..], PatchOptions::new()).unwrap().read_to_end(&mut made).unwrap();
    assert!(made == content);
}

#[test]
fn a_header_that_allows_more_gives_way_to_the_limit() {
    let length = (1_u64 << 62).to_be_bytes();
    let stream = Sealing::new(DELTA, &[(TAG_TARGET_LEN, &length)]).data(&commands(&[1, b'a']), 1).zeros(1 << 61).cut();
    for (options, limit) in
        [(PatchOptions::new().max_output(1 << 20), "1048576"), (PatchOptions::new(), "1099511627776")]
    {
        for error in refusals(&stream, b"", &options) {
            assert_eq!(error.kind(), Limit);
            let said = format!("expected at most {limit} bytes, found 4611686018427387904");
            assert!(error.to_string().contains(&said), "{error}");
        }
    }
}

#[test]
fn sealed_signatures_that_lie_with_right_checksums_are_refused() {
    let content = noise(5000, 1);
    let (_, signature) = level(&content, None, options(65536).format(Format::Rdiff));
    let raw = signature.write_to(Vec::new(), Format::Rdiff).unwrap();
    let begin = || Sealing::new(SIGNATURE, &[]);
    let truth = Says::truth(&content);
    // What only the whole can show is found at the end.
    let (first, after) = (36, 36 + 22 + raw.len() + 4);
    let sealed = |raw: &[u8], says: &Says| begin().data(raw, raw.len() as u64).end(says);
    Signature::read_from(&sealed(&raw, &truth)[..]).expect("what the table departs from");

    let longer = Says { length: 65537, ..truth };
    let other = Says { fingerprint: [7; 32], ..truth };
    let mut short_sums = raw.clone();
    short_sums[11] = 16;
    let shorter = Sealing::new(SIGNATURE, &[(TAG_TARGET_BLOCK_LEN, &4096_u32.to_be_bytes())]);
    let leaves = Says { leaf_len: 1024, ..truth };
    let table: [(&str, Vec<u8>, ErrorKind, Option<usize>); 9] = [
        (
            "differ in their block length: expected 4096, found 65536",
            shorter.data(&raw, 48).end(&truth),
            Corrupt,
            Some(46),
        ),
        ("other leaves than the block length gives", sealed(&raw, &leaves), Corrupt, None),
        ("does not have the blocks of its length: expected 2, found 1", sealed(&raw, &longer), Corrupt, None),
        ("does not have the blocks of its length: expected 1, found 0", sealed(&raw[..12], &truth), Corrupt, None),
        ("fingerprint is not that of the sums", sealed(&raw, &other), Corrupt, None),
        ("without whole BLAKE2b-256 sums", sealed(&short_sums, &truth), Corrupt, Some(first)),
        ("signature ends within the sums of a block", sealed(&raw[..47], &truth), Truncated, None),
        ("signature ends within its head", sealed(&raw[..11], &truth), Truncated, None),
        ("zero run in a stream that has none", begin().data(&raw, 48).zeros(8).end(&truth), Corrupt, Some(after)),
    ];
    for (part, stream, kind, offset) in table {
        let (error, peak) = peak_of(|| Signature::read_from(&stream[..]).unwrap_err());
        assert!(error.to_string().contains(part), "{part}: {error}");
        let offset = offset.unwrap_or(stream.len());
        assert_eq!((error.kind(), error.offset()), (kind, Some(offset as u64)), "{error}");
        assert!(peak < PEAK, "{peak}");
        let mut reader = frazil::SignatureReader::new(&stream[..]).ok();
        let refused = reader.as_mut().is_none_or(|reader| {
            while reader.next_block().is_ok_and(|block| block.is_some()) {}
            reader.next_block().is_err() && reader.identity().is_none()
        });
        assert!(refused, "{part}: an error does not heal");
    }
}

#[test]
fn a_signature_beyond_the_memory_allowed_is_refused() {
    let (_, signature) = level(&noise(400_000, 1), None, options(64));
    let bytes = signature.write_to(Vec::new(), Format::Sealed).unwrap();
    let (error, peak) = peak_of(|| Signature::read_limited(&bytes[..], 50_000).unwrap_err());
    assert_eq!(error.kind(), Limit);
    assert!(error.to_string().contains("expected at most 50000 bytes"), "{error}");
    assert!(peak < PEAK, "{peak}");
}

#[test]
fn files_are_patched_in_as_little_memory_by_many_short_copies_as_by_few_long_ones() {
    let dir = tempfile::tempdir().unwrap();
    let basis = dir.path().join("basis");
    std::fs::write(&basis, BASIS).unwrap();
    // Three bytes for each byte of the target, of which no two follow each other.
    let mut delta = MAGIC.to_vec();
    let places: Vec<u8> = (0..3_000_000_u32).map(|at| (at * 7 % BASIS.len() as u32) as u8).collect();
    places.iter().for_each(|&place| delta.extend([0x45, place, 1]));
    delta.push(0);
    let target = dir.path().join("target");
    let options = PatchOptions::new().threads(1);
    let (summary, peak) = peak_of(|| frazil::patch_file(Some(&basis), &delta[..], &target, options));
    summary.unwrap();
    assert!(peak < PEAK, "{peak} bytes held");
    let expected: Vec<u8> = places.iter().map(|&place| BASIS[usize::from(place)]).collect();
    assert!(std::fs::read(&target).unwrap() == expected);
}
