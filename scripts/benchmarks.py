"""What the benchmarks of whole processes have in common: the machine, paired rounds, and the page they write to."""

import dataclasses
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


@dataclasses.dataclass
class Run:
    """One command that ran to its end."""

    seconds: float
    processor_seconds: float


def run(command, *, cwd=None):
    """Runs a command, which has to end with 0; what it says is shown if it does not."""
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=said,
                                   stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{' '.join(process.args)} ended with {process.returncode}:\n"
                     + said.read().decode(errors="replace")[-2000:])
    return Run(seconds, used.ru_utime + used.ru_stime)


def peak_kib(command, *, cwd):
    """What a command had resident at most; asked of time(1), since a process inherits the peak of who starts it."""
    place = pathlib.Path(cwd) / "peak"
    run(["env", "time", "-f", "%M", "-o", place, *command], cwd=cwd)
    return int(place.read_text())


def waited(process, begin, timeout):
    """The status of a process and what it used; killed when it takes longer than `timeout` seconds."""
    while timeout is not None:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.perf_counter() - begin > timeout:
            process.kill()
            os.wait4(process.pid, 0)
            process.returncode = -9
            raise TimeoutError(f"ended after {timeout:.0f} s")
        time.sleep(0.05)
    else:
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used


def spread(ratios, digits=2):
    """The least, the median and the most."""
    return ", ".join(f"{value:.{digits}f}" for value in (min(ratios), statistics.median(ratios), max(ratios)))


def version(command, word):
    """The word of that number in the first line that a command prints."""
    said = subprocess.run(command, capture_output=True, text=True).stdout
    return said.split("\n")[0].split()[word]


def machine(work):
    """What the figures were measured on."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    filesystem = subprocess.run(["df", "--output=fstype", str(work)], capture_output=True, text=True).stdout.split()[-1]
    memory = next(int(line.split()[1]) >> 20 for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{os.cpu_count()} cores of an {cpu}, {memory} GiB, Linux {kernel}, {filesystem}"


def publish(name, text, pages=(PAGE,)):
    """Prints what was measured, and puts it between the marks of that name, in the pages that have them."""
    print(text)
    begin, end = f"<!-- {name} -->", f"<!-- {name}: end -->"
    for path in pages:
        page = path.read_text()
        if begin in page and end in page:
            pattern = re.escape(begin) + ".*?" + re.escape(end)
            path.write_text(re.sub(pattern, lambda _: f"{begin}\n\n{text}\n\n{end}", page, flags=re.DOTALL))
