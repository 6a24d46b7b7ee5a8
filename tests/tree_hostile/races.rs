//! Somebody who changes the destination while a restore is at work in it.

use super::*;

/// Somebody who may write in the destination, and swaps what is there for a link as fast as he can.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

impl Swapper {
    fn new(destination: &Path, swaps: Vec<(PathBuf, PathBuf)>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let swaps: Vec<_> = swaps.into_iter().map(|(a, b)| (destination.join(a), destination.join(b))).collect();
        let work = move || {
            let mut done = 0;
            while !stopped.load(Ordering::Relaxed) {
                for (a, b) in &swaps {
                    done += u64::from(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok());
                }
            }
            done
        };
        Self { stop, thread: Some(std::thread::spawn(work)) }
    }

    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

#[test]
fn who_swaps_directories_for_links_during_a_restore_leads_it_nowhere() {
    const RUNS: usize = 100;
    const FILES: usize = 30;
    let zero = level_0(|level| {
        level.open("d").file("d/f", b"f");
        for number in 10..10 + FILES {
            level.file(format!("d/f{number}"), b"f");
        }
        level.open("d/sub").file("d/sub/f", b"f").file("d/sub/secret", b"s").close("d/sub").close("d").file("f", b"f")
    });
    let one = level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"f")));
        for number in 10..10 + FILES {
            let metadata = Metadata { size: 1, ..Metadata::new(b'-').mode(0o777) };
            level.record(&Record::file(b'M', format!("d/f{number}"), b"f").with(metadata).after(Parent::file(b"f")));
        }
        level.file("d/new", b"new").record(&Record::new(b'X', "d/sub/f").after(Parent::file(b"f")));
        level.record(&Record::new(b'L', "d/sub/linked").from("f"));
        level.record(&Record::new(b'X', "d/sub/secret").after(Parent::file(b"s")));
        level.close("d/sub").close("d")
    });
    let ground = Ground::new();
    let (mut swaps, mut failed, mut partial, mut whole) = (0, 0, 0, 0);
    for _ in 0..RUNS {
        fs::remove_dir_all(ground.destination()).unwrap();
        fs::create_dir(ground.destination()).unwrap();
        // Both names lead to the same kind of harm: all names that the levels use are there outside too.
        symlink(ground.out(""), ground.path("s")).unwrap();
        symlink(ground.out("d"), ground.path("t")).unwrap();
        let start = || {
            let swap = |a: &str, b: &str| (PathBuf::from(a), PathBuf::from(b));
            Swapper::new(&ground.destination(), vec![swap("d", "s"), swap("d/sub", "t"), swap("f", "t")])
        };
        for archive in [&zero, &one] {
            let swapper = start();
            for options in [plain().overwrite(true), plain().overwrite(true).keep_going(true).accept_partial(true)] {
                match restore_tree(&archive[..], ground.destination(), options) {
                    Err(_) => failed += 1,
                    Ok(summary) if summary.is_partial() => partial += 1,
                    Ok(_) => whole += 1,
                }
            }
            swaps += swapper.stop();
            assert_eq!(differences(&ground.outside, &ground.look_outside()), [""; 0]);
        }
    }
    println!("{swaps} swaps: {failed} restores failed, {partial} were partial and {whole} whole");
    // A restore that always fails would pass for one that is led nowhere.
    assert!(swaps > 0 && partial + whole > 0);
}

/// An archive behind the last byte of which something is done.
struct Then<'a, F>(&'a [u8], Option<F>);

impl<F: FnOnce()> std::io::Read for Then<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty()
            && let Some(then) = self.1.take()
        {
            then();
        }
        self.0.read(buffer)
    }
}

#[test]
fn who_puts_another_file_in_a_place_when_all_was_checked_does_not_have_it_changed() {
    let mut one = level_1(|level| {
        let metadata = Metadata { size: 7, modified: (800_000_000, 0), ..Metadata::new(b'-').mode(0o666) };
        level.record(&Record::file(b'M', "f", b"content").with(metadata).after(Parent::file(b"content")))
    });
    // Zeros behind the end of a tar are part of it, and libarchive reads some way ahead.
    one.resize(one.len() + (1 << 20), 0);
    for replace in [|from: &str, to: &Path| fs::hard_link(from, to), |from: &str, to: &Path| symlink(from, to)] {
        let ground = Ground::new();
        ground.prepare(&innocent());
        let swap = || {
            fs::remove_file(ground.path("f")).unwrap();
            replace(&ground.out("f"), &ground.path("f")).unwrap();
        };
        let heard = Arc::new(Heard::default());
        let options = plain().observer(heard.clone());
        let summary = restore_tree(Then(&one, Some(swap)), ground.destination(), options).unwrap();
        assert_eq!(differences(&ground.outside, &ground.look_outside()), [""; 0]);
        assert!(summary.is_partial() && heard.all().starts_with("Mismatch"), "{}", heard.all());
    }
}
