use super::*;
use crate::tree::identify::identify;

const LEAF_LEN: u32 = 20_000;

#[test]
fn a_walk_that_goes_ahead_comes_upon_the_same_and_has_read_the_small_files() {
    let seed = any_seed();
    let mut noise = noise(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut directories = vec![dir.path().to_owned()];
    // More directories, names and bytes of paths than one batch takes.
    for number in 0..3_000 {
        let name = format!("{number}{}", "n".repeat([0, 200][noise(2)]));
        let at = directories[noise(directories.len())].join(name);
        match noise(3) {
            0 if at.as_os_str().len() < 3_000 => {
                fs::create_dir(&at).unwrap();
                directories.push(at);
            }
            1 => symlink(number.to_string(), at).unwrap(),
            _ => {
                let len = [noise(10), LEAF_LEN as usize, LEAF_LEN as usize + 1, 70_000][noise(4)];
                fs::write(&at, &format!("{number} ").repeat(len / 2 + 1).as_bytes()[..len]).unwrap();
                if noise(20) == 0 {
                    fs::hard_link(&at, directories[0].join(format!("{number}.link"))).unwrap();
                }
            }
        }
    }
    let read_ahead = Some(ReadAhead { changed: None, leaf_len: LEAF_LEN });
    for descriptors in [128, 2] {
        let limits = Limits { descriptors, ..Limits::default() };
        let walk = || Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap();
        let (mut here, mut ahead) = (Visits::of(walk(), 1, read_ahead), Visits::of(walk(), 2, read_ahead));
        assert_eq!((here.is_single(), here.stat().identity()), (ahead.is_single(), ahead.stat().identity()));
        loop {
            let (step, same) = (here.advance().unwrap(), ahead.advance().unwrap());
            assert_eq!(format!("{step:?}"), format!("{same:?}"), "seed {seed}");
            let Some(step) = step else { break };
            assert_eq!((here.path(), here.os_path()), (ahead.path(), ahead.os_path()), "seed {seed}");
            assert_eq!(format!("{:?}", here.stat()), format!("{:?}", ahead.stat()), "seed {seed}");
            assert_eq!(here.opened().is_some(), ahead.opened().is_some(), "seed {seed}");
            if !matches!(step, Step::Entry) {
                continue;
            }
            let stat = here.stat();
            let is_small = stat.is(EntryKind::File) && stat.links == 1 && stat.size <= u64::from(LEAF_LEN);
            let small = ahead.take_small();
            assert!(here.take_small().is_none() && small.is_some() == is_small, "seed {seed}: {:?}", here.path());
            if let Some(small) = small {
                let content = fs::read(here.os_path()).unwrap();
                let identity = identify(&mut &content[..], LEAF_LEN, 1, &mut [0; 8192], |_| Ok(())).unwrap();
                assert_eq!(small.identity, identity, "seed {seed}: {:?}", here.path());
                assert!(small.whole.bytes == content && !small.whole.is_resized);
                assert!(ahead.take_small().is_none(), "it is given once");
            }
            match here.stat().kind.unwrap() {
                EntryKind::Symlink => assert_eq!(ahead.read_link().unwrap(), here.read_link().unwrap()),
                _ => {
                    let opened = fstat(ahead.open().unwrap()).unwrap();
                    assert_eq!(Stat::from(opened).identity(), here.stat().identity(), "seed {seed}");
                }
            }
        }
    }
}

#[test]
fn what_vanished_after_its_batch_was_gathered_is_still_there_as_it_was_read() {
    let dir = tree(&["a", "b"]);
    fs::write(dir.path().join("a"), "read before").unwrap();
    let read_ahead = Some(ReadAhead { changed: None, leaf_len: 1024 });
    let mut ahead = Visits::new(dir.path(), WalkOptions::default(), 2, read_ahead).unwrap();
    assert!(matches!(ahead.advance().unwrap(), Some(Step::Entry)), "the root, in one batch with what is in it");
    for name in ["a", "b"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    assert!(matches!(ahead.advance().unwrap(), Some(Step::Entry)));
    assert_eq!(ahead.take_small().unwrap().whole.bytes, b"read before");
    assert_eq!(ahead.open().unwrap_err().kind(), io::ErrorKind::NotFound);
}
