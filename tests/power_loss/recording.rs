//! What a command does to files, in order, as strace sees it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

/// All calls that change files or make that durable, that open or duplicate descriptors, or move in files.
const CALLS: &str = "open,openat,openat2,creat,dup,dup2,dup3,fcntl,lseek,write,writev,pwrite64,pwritev,pwritev2,\
    truncate,ftruncate,fallocate,copy_file_range,sendfile,splice,ioctl,rename,renameat,renameat2,link,linkat,\
    unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,mknod,mknodat,fsync,fdatasync,sync,syncfs,\
    sync_file_range,chmod,fchmod,fchmodat,utimensat,setxattr,fsetxattr,lsetxattr,removexattr,fremovexattr,\
    lremovexattr";

/// One thing done beneath a directory; paths are relative to it.
#[derive(Debug)]
pub(crate) enum Op {
    /// A file is made where none is; where one is, it is opened alone.
    Create {
        path: PathBuf,
        mode: u32,
    },
    MakeDirectory {
        path: PathBuf,
        mode: u32,
    },
    MakeSymlink {
        path: PathBuf,
        target: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    Write {
        path: PathBuf,
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        path: PathBuf,
        len: u64,
    },
    SetMode {
        path: PathBuf,
        mode: u32,
    },
    SetTime {
        path: PathBuf,
        time: (i64, i64),
    },
    Sync {
        path: PathBuf,
    },
    SyncAll,
}

/// Whether there is an strace that may look into other processes.
pub(crate) fn can_record() -> bool {
    let can = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = can.is_ok_and(|output| output.status.success());
    assert!(can || std::env::var_os("FRAZIL_REQUIRE_TOOLS").is_none(), "strace is not installed, or may do nothing");
    can
}

/// Runs a command, which must end well, and gives what it did beneath the directory `within`.
pub(crate) fn record(command: &Command, within: &Path) -> Vec<Op> {
    let log = tempfile::NamedTempFile::new().expect("a file for strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-xx", "-s", "100000000", "-e", &format!("trace={CALLS}"), "-o"]).arg(log.path());
    strace.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    if let Some(directory) = command.get_current_dir() {
        strace.current_dir(directory);
    }
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.output().expect("strace is installed (Debian: apt-get install strace)");
    assert!(output.status.success(), "{strace:?}: {}", String::from_utf8_lossy(&output.stderr));
    let directory = command.get_current_dir().unwrap_or(within).canonicalize().expect("a directory");
    let within = within.canonicalize().expect("a directory");
    let mut recorder = Recorder { within, directory, ..Recorder::default() };
    let log = fs::read_to_string(log.path()).expect("what strace wrote");
    log.lines().for_each(|line| recorder.line(line));
    recorder.ops
}

#[derive(Default)]
struct Recorder {
    within: PathBuf,
    /// Where the command runs.
    directory: PathBuf,
    ops: Vec<Op>,
    /// Calls of threads that were not over when another thread's came.
    unfinished: HashMap<String, String>,
    /// What descriptors lead to, for the paths beneath `/proc`.
    descriptors: HashMap<u32, PathBuf>,
    /// Where in a file the next write goes. Whoever writes to one has it open once.
    positions: HashMap<PathBuf, u64>,
}

impl Recorder {
    fn line(&mut self, line: &str) {
        let (thread, call) = line.split_once(' ').expect("a thread's number");
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            self.unfinished.insert(thread.to_owned(), begun.to_owned());
        } else if call.starts_with("<... ") {
            let (_, end) = call.split_once(" resumed>").expect("the rest of a call");
            let begun = self.unfinished.remove(thread).expect("its beginning");
            self.call(&format!("{begun}{end}"));
        } else if !call.starts_with("+++") && !call.starts_with("---") {
            self.call(call);
        }
    }

    fn call(&mut self, call: &str) {
        let (name, rest) = call.split_once('(').expect("a call");
        let (arguments, result) = rest.rsplit_once(" = ").expect("a result");
        if result.starts_with(['-', '?']) {
            return;
        }
        let arguments = split(arguments.trim_end().strip_suffix(')').expect("the end of a call"));
        if let Some((number, _)) = result.split_once('<')
            && let Ok(number) = number.parse()
        {
            self.descriptors.insert(number, bytes_of(result).map(to_path).expect("a path"));
        }
        let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
        let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{text} in {call}"));
        let mode = |text: &str| u32::from_str_radix(text.rsplit('|').next().unwrap_or(text), 8).expect("a mode");
        let fd = |at: usize| self.inside(bytes_of(argument(at)).map(to_path));
        let at = |directory: usize, name: usize| self.resolved(Some(argument(directory)), argument(name));
        let named = |name: usize| self.resolved(None, argument(name));
        let is_file = |at: usize| fd(at).is_some() && !argument(at).contains("(deleted)");
        match name {
            "openat" | "open" => {
                let (path, flags) = if name == "open" { (named(0), 1) } else { (at(0, 1), 2) };
                let Some(path) = path else { return };
                if argument(flags).contains("O_CREAT") {
                    let mode = mode(argument(flags + 1)) & !umask();
                    self.positions.insert(path.clone(), 0);
                    self.ops.push(Op::Create { path: path.clone(), mode });
                }
                if argument(flags).contains("O_TRUNC") {
                    self.ops.push(Op::SetLen { path, len: 0 });
                }
            }
            "openat2" => assert!(!argument(2).contains("O_CREAT"), "{call}"),
            "dup" | "dup2" | "dup3" | "fcntl" => {}
            "lseek" if is_file(0) => {
                let path = fd(0).unwrap_or_default();
                self.positions.insert(path, number(result));
            }
            "write" | "writev" | "pwrite64" if is_file(0) => {
                let path = fd(0).unwrap_or_default();
                assert!(!arguments[1].contains("\"..."), "all of what is written");
                let mut bytes: Vec<u8> = arguments[1].split('"').skip(1).step_by(2).flat_map(unhex).collect();
                bytes.truncate(number(result) as usize);
                let position = self.positions.entry(path.clone()).or_default();
                let offset = if name == "pwrite64" { number(argument(3)) } else { *position };
                if name != "pwrite64" {
                    *position += bytes.len() as u64;
                }
                self.ops.push(Op::Write { path, offset, bytes });
            }
            // A range without room reads as if zeros were written there.
            "fallocate" if is_file(0) => {
                assert!(argument(1).contains("FALLOC_FL_PUNCH_HOLE"), "{call}");
                let (offset, len) = (number(argument(2)), number(argument(3)));
                self.ops.extend(fd(0).map(|path| Op::Write { path, offset, bytes: vec![0; len as usize] }));
            }
            "ftruncate" => self.ops.extend(fd(0).map(|path| Op::SetLen { path, len: number(argument(1)) })),
            "rename" | "renameat" | "renameat2" => {
                let (from, to) = if name == "rename" { (named(0), named(1)) } else { (at(0, 1), at(2, 3)) };
                let Some((from, to)) = from.zip(to) else { return };
                assert!(!argument(4).contains("EXCHANGE"), "{call}");
                if let Some(position) = self.positions.remove(&from) {
                    self.positions.insert(to.clone(), position);
                }
                self.ops.push(Op::Rename { from, to });
            }
            "link" => self.ops.extend(named(0).zip(named(1)).map(|(from, to)| Op::Link { from, to })),
            "linkat" => self.ops.extend(at(0, 1).zip(at(2, 3)).map(|(from, to)| Op::Link { from, to })),
            "unlink" | "rmdir" => self.ops.extend(named(0).map(|path| Op::Remove { path })),
            "unlinkat" => self.ops.extend(at(0, 1).map(|path| Op::Remove { path })),
            "mkdir" | "mkdirat" => {
                let (path, bits) = if name == "mkdir" { (named(0), argument(1)) } else { (at(0, 1), argument(2)) };
                self.ops.extend(path.map(|path| Op::MakeDirectory { path, mode: mode(bits) & !umask() }));
            }
            "symlinkat" => {
                let target = to_path(bytes_of(argument(0)).unwrap_or_default());
                self.ops.extend(at(1, 2).map(|path| Op::MakeSymlink { path, target }));
            }
            "fchmod" => self.ops.extend(fd(0).map(|path| Op::SetMode { path, mode: mode(argument(1)) })),
            "chmod" => self.ops.extend(named(0).map(|path| Op::SetMode { path, mode: mode(argument(1)) })),
            "fchmodat" => self.ops.extend(at(0, 1).map(|path| Op::SetMode { path, mode: mode(argument(2)) })),
            "utimensat" => {
                let path = if argument(1) == "NULL" { fd(0) } else { at(0, 1) };
                self.ops.extend(path.zip(time(argument(2))).map(|(path, time)| Op::SetTime { path, time }));
            }
            "fsync" | "fdatasync" => self.ops.extend(fd(0).map(|path| Op::Sync { path })),
            "sync" => self.ops.push(Op::SyncAll),
            "syncfs" => self.ops.extend(fd(0).map(|_| Op::SyncAll)),
            // Flags and what terminals are asked; what shares extents is a call that nobody here knows.
            "ioctl" => assert!(!argument(1).contains("FICLONE"), "{call}"),
            "lseek" | "write" | "writev" | "pwrite64" | "sync_file_range" => {}
            _ => assert!(fd(0).or_else(|| named(0)).or_else(|| at(0, 1)).is_none(), "nobody knows {call}"),
        }
    }

    /// A path that a call names, beneath the directory of a descriptor, if it is one of ours.
    fn resolved(&self, directory: Option<&str>, name: &str) -> Option<PathBuf> {
        if !name.starts_with('"') {
            return None;
        }
        let name = to_path(bytes_of(name)?);
        if let Ok(number) = name.strip_prefix("/proc/self/fd") {
            let number = number.to_str().and_then(|number| number.parse().ok());
            return self.inside(number.and_then(|number: u32| self.descriptors.get(&number).cloned()));
        }
        let directory = directory.and_then(bytes_of).map(to_path);
        self.inside(Some(directory.as_deref().unwrap_or(&self.directory).join(name)))
    }

    fn inside(&self, path: Option<PathBuf>) -> Option<PathBuf> {
        let mut normal = PathBuf::new();
        for component in path?.components() {
            match component {
                Component::ParentDir => drop(normal.pop()),
                Component::CurDir => {}
                other => normal.push(other),
            }
        }
        normal.strip_prefix(&self.within).map(Path::to_owned).ok()
    }
}

/// The arguments of a call, at the commas between them.
fn split(arguments: &str) -> Vec<&str> {
    let (mut depth, mut start, mut split) = (0, 0, Vec::new());
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                split.push(arguments[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    split.push(arguments[start..].trim());
    split
}

/// What is between the first quotes or brackets.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let (start, end) = if text.starts_with('"') { ('"', '"') } else { ('<', '>') };
    let rest = text.split_once(start)?.1;
    Some(unhex(rest.split_once(end)?.0).collect())
}

fn unhex(text: &str) -> impl Iterator<Item = u8> {
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).expect("two digits"))
}

fn to_path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// The second of two times, unless it stays.
fn time(times: &str) -> Option<(i64, i64)> {
    let modified = split(times.strip_prefix('[')?.strip_suffix(']')?).get(1).copied()?;
    let field = |name: &str| modified.split_once(name)?.1.split([',', '}']).next()?.parse().ok();
    assert!(modified.contains("tv_sec=") || modified == "UTIME_OMIT", "{times}");
    Some((field("tv_sec=")?, field("tv_nsec=")?))
}

fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).expect("the umask");
    u32::from_str_radix(umask.trim(), 8).expect("octal digits")
}
