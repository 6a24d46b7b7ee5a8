"""Restores a file from the level on standard input, or brings it to the next one:

    python restore.py TARGET <LEVEL

The target is whole and verified, or as it was; also after Ctrl-C.
"""

import sys

import frazil


def show(progress: frazil.Progress) -> None:
    """Called about once for each mebibyte; what it raises would stop the restore."""
    print(f"\r{progress.done_bytes} bytes", end="", file=sys.stderr)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: restore.py TARGET <LEVEL")
    try:
        summary = frazil.patch_from_stream(sys.stdin.buffer, sys.argv[1], progress=show)
    except FileNotFoundError as error:
        sys.exit(f"restore: there is no {error.filename}")
    except frazil.Error as error:
        sys.exit(f"restore: {error}")
    except KeyboardInterrupt:
        # If it came behind the last byte, the target is there: in the next state, and never in between.
        sys.exit("restore: interrupted; the target is whole, as it was or as it was to be")
    print(f"\r{summary.output_bytes} bytes restored", file=sys.stderr)


if __name__ == "__main__":
    main()
