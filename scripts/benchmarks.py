"""What the benchmarks have in common: sizes, paired rounds, the machine, the page and the charts that they write."""

import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
PAGE = HERE / "docs/benchmarks.md"
CHARTS = HERE / "docs/charts"
# What was measured, for scripts/at-scale.
RESULTS = HERE / "target/bench"
FRAZIL = str(pathlib.Path(os.environ.get("FRAZIL", HERE / "target/release/frazil")).resolve())


def setting(name, default):
    """A number from the environment."""
    return int(os.environ.get(name) or default)


def words(name):
    """Words from the environment, with commas between them."""
    return [word for word in os.environ.get(name, "").split(",") if word]


MIB = setting("BENCH_MIB", 1024)
FILES = setting("BENCH_FILES", 100_000)
SEED = setting("BENCH_SEED", 1)
# A file that is younger than this when it is read is read again by the next level.
RACY_SECONDS = 2


def say(text):
    print(f"{pathlib.Path(sys.argv[0]).name}: {text}", file=sys.stderr, flush=True)


def need(program):
    if not pathlib.Path(program).exists():
        name = pathlib.Path(sys.argv[0]).name
        sys.exit(f"{name}: {program} is missing; make {name} builds it")


@dataclasses.dataclass
class Run:
    """One command that ran to its end."""

    seconds: float
    processor_seconds: float
    peak_kib: int | None = None


def run(command, *, cwd=None, env=None, peak=False, feed=None):
    """Runs a command, which has to end with 0; what it says is shown if it does not.

    Its peak is asked of time(1), since a process inherits the peak of who starts it. `feed` is called with a pipe
    to its standard input.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said, tempfile.NamedTemporaryFile() as told:
        timed = ["env", "time", "-f", "%M", "-o", told.name, *words] if peak else words
        stdin = subprocess.DEVNULL if feed is None else subprocess.PIPE
        begin = time.perf_counter()
        process = subprocess.Popen(timed, cwd=cwd, env=env, stdin=stdin, stdout=said, stderr=said)
        if feed is not None:
            # What it says about an early end is shown below.
            with contextlib.suppress(BrokenPipeError), process.stdin:
                feed(process.stdin.fileno())
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{' '.join(words)} ended with {process.returncode}:\n"
                     + said.read().decode(errors="replace")[-2000:])
        peak_kib = int(told.read()) if peak else None
    return Run(seconds, used.ru_utime + used.ru_stime, peak_kib)


def paired(measures, rounds):
    """What each of the measures gives, round by round; who comes first in one round comes last in the next."""
    results = []
    for number in range(rounds):
        places = range(len(measures)) if number % 2 == 0 else range(len(measures) - 1, -1, -1)
        got = {place: measures[place]() for place in places}
        results.append([got[place] for place in range(len(measures))])
    return results


@contextlib.contextmanager
def workplace(default=None, *, fresh=False):
    """A directory in BENCH_DIR, or `default`, that is removed at the end unless KEEP says otherwise.

    A `fresh` one is a file system of its own, where root can mount one: millions of files are then gone with one, and
    nobody works where many were removed a moment ago, which is slow on ext4.
    """
    name = pathlib.Path(sys.argv[0]).name
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=os.environ.get("BENCH_DIR", default)))
    image = work.with_suffix(".ext4")
    mounted = fresh and mount(image, work)
    try:
        yield work
    finally:
        if not os.environ.get("KEEP"):
            if mounted:
                subprocess.run(["umount", work], check=True)
            remove(work, image)


def mount(image, place):
    """Whether an ext4 in a sparse file could be mounted; it may grow to most of what is free."""
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    options = "loop,nodiscard,noinit_itable"
    with open(image, "wb") as file:
        file.truncate(free * 4 // 5)
    commands = (["mkfs.ext4", "-q", "-F", "-i", "8192", "-E", "lazy_itable_init=1,nodiscard", image],
                ["mount", "-o", options, image, place])
    try:
        for command in commands:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        say("no file system of its own can be mounted; the last files may take long to remove")
        return False
    return True


def remove(*paths):
    # As one process: Python's own way takes long for a million files.
    subprocess.run(["rm", "-rf", "--", *paths], check=True)


def plant_tree(tree, files):
    """Files of 0 to 4 KiB, a hundred to a directory and a hundred of those to another, past the racy window."""
    noise = bytes((number * 48271 >> 7) & 0xFF for number in range(8192))
    for number in range(files):
        if number % 100 == 0:
            directory = tree / f"{number // 10000:03}" / f"{number // 100 % 100:02}"
            os.makedirs(directory)
        size = number * 2654435761 % 2**32 % 4096
        start = number % 4096
        with open(f"{directory}/{number:07}", "wb") as file:
            file.write(b"%d\n" % number + noise[start : start + size])
    time.sleep(RACY_SECONDS + 1)


def spread(ratios, digits=2):
    """The least, the median and the most."""
    return ", ".join(f"{value:.{digits}f}" for value in (min(ratios), statistics.median(ratios), max(ratios)))


def table(head, rows):
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)])


def version(command, word):
    """The word of that number in the first line that a command prints."""
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return said.split("\n")[0].split()[word].rstrip(",)")


def commit():
    """The commit that is checked out here, of which what is measured should be built."""
    describe = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
    return subprocess.run(describe, capture_output=True, text=True).stdout.strip() or "no commit"


def frazil_version():
    return f"frazil {version([FRAZIL, '--version'], 1)} ({commit()})"


def machine(work):
    """What the figures were measured on."""
    def first(path, start):
        with open(path) as lines:
            return next((line.split(":")[1].strip() for line in lines if line.startswith(start)), "?")

    cpu, memory = first("/proc/cpuinfo", "model name"), int(first("/proc/meminfo", "MemTotal").split()[0]) >> 20
    filesystem = subprocess.run(["df", "--output=fstype", str(work)], capture_output=True, text=True).stdout.split()[-1]
    kernel = ".".join(platform.release().split(".")[:2])
    flags = first("/proc/cpuinfo", "flags").split()
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "no AVX2")
    return f"{os.cpu_count()} cores of an {cpu} with {vectors}, {memory} GiB, Linux {kernel}, {filesystem}"


def rounds(number):
    return f"{number} round{'' if number == 1 else 's'}"


def load(loads):
    """What the load average was before each of what was measured."""
    return f"the load average before each was {min(loads):.1f} to {max(loads):.1f}"


def publish(name, text, pages=(PAGE,)):
    """Prints what was measured, and puts it between the marks of that name, in the pages that have them."""
    print(text)
    begin, end = f"<!-- {name} -->", f"<!-- {name}: end -->"
    for path in pages:
        page = path.read_text()
        if begin in page and end in page:
            pattern = re.escape(begin) + ".*?" + re.escape(end)
            path.write_text(re.sub(pattern, lambda _: f"{begin}\n\n{text}\n\n{end}", page, flags=re.DOTALL))


def chart(name, svg):
    """Writes docs/charts/NAME.svg, and gives the line that shows it on the page."""
    CHARTS.mkdir(exist_ok=True)
    (CHARTS / f"{name}.svg").write_text(svg.text)
    return f"![{svg.title}](charts/{name}.svg)"


def keep(name, results):
    """Keeps what was measured for scripts/at-scale, in target/bench/NAME.json."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def kept(name):
    """What was measured last, or None."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def judge(failed, what="less than it should be"):
    """Ends with what is not as it should be, if anything."""
    if failed:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {what}: {', '.join(failed)}")
