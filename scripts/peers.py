"""The tools that whole trees are taken through: a first backup, a second one and a restore, each tool by itself.

All run in one directory, in which `tree` is what they back up. Nobody compresses or encrypts where that can be left
out, since frazil does neither by default; restic always encrypts.
"""

import dataclasses
import os
import statistics
import subprocess
import time

import benchmarks
import charts

FIRST, SECOND, RESTORE = "level 0", "level 1", "restore"
SECRET = {"RESTIC_PASSWORD": "bench", "BORG_PASSPHRASE": "bench", "PASSPHRASE": "bench"}
WALK = r"%p %s %T@ %C@ %i %m %n\n"
IN_TURN = ["sh", "-c", 'for level in 0 1; do "$@" -xf tar.$level -C restored || exit; done', "sh"]


@dataclasses.dataclass
class Tool:
    """The commands of a tool, and what they leave."""

    name: str
    phases: dict
    stores: list = dataclasses.field(default_factory=list)
    # Also left, but not a backup.
    caches: list = dataclasses.field(default_factory=list)
    prepare: list | None = None
    # Where in `restored` the tree is then, as a pattern.
    restored: str = "tree"
    # Taken in the first round alone.
    slow: bool = False
    version: str = ""


def tools(work):
    """All of them, frazil first."""
    frazil, version = [benchmarks.FRAZIL], benchmarks.version
    borg = ["borg", "--lock-wait", "5"]
    restic = ["restic", "-q", "-r", f"{work}/restic", "--cache-dir", f"{work}/restic-cache"]
    tar = ["tar", "--numeric-owner", "--xattrs", "--acls"]
    duplicity = ["--no-encryption", "--no-compression", f"--archive-dir={work}/duplicity-cache"]
    at_duplicity = f"file://{work}/duplicity"
    return [
        Tool("frazil", {
            FIRST: [*frazil, "-q", "backup", "--snapshot", "s0", "tree", "frazil.0"],
            SECOND: [*frazil, "-q", "backup", "--since", "s0", "--snapshot", "s1", "tree", "frazil.1"],
            RESTORE: [*frazil, "-q", "restore", "--privileged", "frazil.0", "frazil.1", "restored"],
        }, ["frazil.0", "frazil.1"], ["s0", "s1"], restored="", version=benchmarks.frazil_version()),
        Tool("tar --listed-incremental", {
            FIRST: [*tar, "--listed-incremental=tar.snar", "-cf", "tar.0", "tree"],
            SECOND: [*tar, "--listed-incremental=tar.snar", "-cf", "tar.1", "tree"],
            RESTORE: [*IN_TURN, *tar, "--listed-incremental=/dev/null"],
        }, ["tar.0", "tar.1"], ["tar.snar"], version=f"GNU tar {version(['tar', '--version'], 3)}"),
        Tool("restic", {
            FIRST: [*restic, "backup", "--compression=off", "tree"],
            SECOND: [*restic, "backup", "--compression=off", "tree"],
            RESTORE: [*restic, "restore", "latest", "--target", "restored"],
        }, ["restic"], ["restic-cache"], prepare=[*restic, "init"],
            version=f"restic {version(['restic', 'version'], 1)}"),
        Tool("borg", {
            FIRST: [*borg, "create", "--compression=none", "borg::0", "tree"],
            SECOND: [*borg, "create", "--compression=none", "borg::1", "tree"],
            RESTORE: ["sh", "-c", 'cd restored && exec borg extract "$1::1"', "sh", f"{work}/borg"],
        }, ["borg"], ["borg-base"], prepare=[*borg, "init", "--encryption=none", "borg"],
            version=f"borg {version(['borg', '--version'], 1)}"),
        Tool("duplicity", {
            FIRST: ["duplicity", "full", *duplicity, "tree", at_duplicity],
            SECOND: ["duplicity", "incremental", *duplicity, "tree", at_duplicity],
            RESTORE: ["duplicity", "restore", *duplicity, at_duplicity, "restored/tree"],
        }, ["duplicity"], ["duplicity-cache"], slow=True,
            version=f"duplicity {version(['duplicity', '--version'], 1)}"),
        Tool("rdiff-backup", {
            FIRST: ["rdiff-backup", "backup", "--no-compression", "tree", "rdiff"],
            SECOND: ["rdiff-backup", "backup", "--no-compression", "tree", "rdiff"],
            RESTORE: ["rdiff-backup", "restore", "rdiff", "restored/tree"],
        }, ["rdiff"], slow=True, version=f"rdiff-backup {version(['rdiff-backup', '--version'], 1)}"),
    ]


def chosen(all_tools):
    """Those that BENCH_TOOLS names, with commas between them; by default all."""
    wanted = benchmarks.words("BENCH_TOOLS")
    return [tool for tool in all_tools if not wanted or tool.name in wanted]


def stored(work, tool):
    """Bytes that a tool has in its stores."""
    places = [work / name for name in tool.stores if (work / name).exists()]
    if not places:
        return 0
    said = subprocess.run(["du", "-sbc", *places], check=True, capture_output=True, text=True).stdout
    return int(said.split()[-2])


@dataclasses.dataclass
class Taken:
    """What a phase took."""

    seconds: float
    peak_kib: int
    stored: int


def take(work, tool, change, check):
    """Takes one tool through its phases; `change` is called before the second, `check` after the restore."""
    env = {**os.environ, **SECRET, "BORG_BASE_DIR": f"{work}/borg-base", "LC_ALL": "C"}
    if tool.prepare:
        benchmarks.run(tool.prepare, cwd=work, env=env)
    taken, before = {}, stored(work, tool)
    for phase in (FIRST, SECOND, RESTORE):
        if phase == SECOND:
            # Some name their levels by the second.
            time.sleep(1.1)
            change()
        if phase not in tool.phases:
            continue
        if phase == RESTORE:
            (work / "restored").mkdir()
        subprocess.run(["sync"], check=True)
        run = benchmarks.run(tool.phases[phase], cwd=work, env=env, peak=True)
        after = stored(work, tool)
        taken[phase] = Taken(run.seconds, run.peak_kib, after - before)
        before = after
        benchmarks.say(f"{tool.name}, {phase}: {run.seconds:.2f} s, {run.peak_kib >> 10} MiB")
    check(tool)
    benchmarks.remove(*(work / name for name in (*tool.stores, *tool.caches)))
    return taken


def rounds_of(chosen_tools, rounds, take_one):
    """What each tool took in each round, by its name; who comes first in one round comes last in the next."""
    results, loads = {tool.name: [] for tool in chosen_tools}, []
    for number in range(rounds):
        for tool in chosen_tools if number % 2 == 0 else reversed(chosen_tools):
            if not tool.slow or number == 0:
                loads.append(os.getloadavg()[0])
                results[tool.name].append((number, take_one(tool, number)))
    return results, loads


def ratios(results, name, phase):
    """A tool's times over frazil's, round by round."""
    own = dict(results["frazil"]) if "frazil" in results else {}
    return [taken[phase].seconds / own[number][phase].seconds
            for number, taken in results[name] if number in own and phase in taken]


def phase_table(results, phase, bounds):
    """A phase's table, and what is less than it should be. `bounds` gives a tool's least ratio in a phase, or None."""
    rows, short = [], []
    for name, taken in results.items():
        runs = [each[phase] for _, each in taken if phase in each]
        if not runs:
            continue
        found, least = ratios(results, name, phase), bounds(name, phase)
        rows.append([name, f"{statistics.median(run.seconds for run in runs):.2f} s",
                     benchmarks.spread(found) if found and name != "frazil" else "",
                     "" if least is None else f"{least}",
                     f"{max(run.peak_kib for run in runs) / 1024:.0f} MiB",
                     "" if phase == RESTORE else f"{statistics.median(run.stored for run in runs) / 1e6:,.1f} MB"])
        if least is not None and found and statistics.median(found) < least:
            short.append(f"{phase} beside {name}")
    head = [phase, "time", "ratio: least, median, most", "at least", "peak", "stored"]
    return benchmarks.table(head, rows), short


def chart(title, results, bounds):
    """Bars of the ratios of all phases."""
    groups = {}
    for phase in (FIRST, SECOND, RESTORE):
        for name in results:
            if name != "frazil" and (found := ratios(results, name, phase)):
                groups.setdefault(phase, []).append(charts.Bar(name, statistics.median(found), bounds(name, phase)))
    return charts.bars(title, "the tool's time over frazil's", groups)


def report(name, title, results, bounds, head):
    """Publishes tables and chart under `scripts/NAME` and keeps the figures, unless only some tools were measured."""
    parts, short = [head], []
    for phase in (FIRST, SECOND, RESTORE):
        text, found = phase_table(results, phase, bounds)
        parts.append(text)
        short += found
    if benchmarks.words("BENCH_TOOLS"):
        print("\n\n".join(parts))
    else:
        parts.append(benchmarks.chart(name.removeprefix("bench-"), chart(title, results, bounds)))
        benchmarks.keep(name, {tool: [{phase: dataclasses.asdict(each[phase]) for phase in each} for _, each in taken]
                               for tool, taken in results.items()})
        benchmarks.publish(f"scripts/{name}", "\n\n".join(parts))
    benchmarks.judge(short)
