use super::*;

#[test]
fn a_walk_that_goes_ahead_comes_upon_the_same() {
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
            _ => fs::write(at, number.to_string()).unwrap(),
        }
    }
    for descriptors in [128, 2] {
        let limits = Limits { descriptors, ..Limits::default() };
        let walk = || Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap();
        let (mut here, mut ahead) = (Visits::of(walk(), 1), Visits::of(walk(), 2));
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
