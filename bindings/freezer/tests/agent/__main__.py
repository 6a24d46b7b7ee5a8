"""Runs the modules of tests beside each other, as they wait most of the time: for the agent, which waits itself.

The arguments are those of `python -m unittest`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What unittest ends with when the arguments chose no test, from Python 3.12 on.
NO_TESTS = 5


def main(arguments):
    running = []
    for path in sorted(HERE.glob("test_*.py")):
        said = tempfile.TemporaryFile("w+", errors="backslashreplace")
        command = [sys.executable, "-X", "dev", "-m", "unittest", *arguments, path.stem]
        running.append((subprocess.Popen(command, cwd=HERE, stdout=said, stderr=subprocess.STDOUT), said))
    statuses = []
    for process, said in running:
        statuses.append(process.wait())
        with said:
            said.seek(0)
            print(said.read(), end="", flush=True)
    return any(status not in (0, NO_TESTS) for status in statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
