"""Pulls level 0 of a file through `Level.read` and drops it, for scripts/bench-bindings:

    pull_level.py PIECE_LEN SOURCE
"""

import sys

import frazil


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: pull_level.py PIECE_LEN SOURCE")
    piece_len, source = int(sys.argv[1]), sys.argv[2]
    with frazil.Level.of_file(source) as level:
        while level.read(piece_len):
            pass
        level.finish()


if __name__ == "__main__":
    main()
