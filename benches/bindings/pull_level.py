"""Pulls the level of a file through `Level.read` and drops it, as pull_level.rs does:

    pull_level.py PIECE_LEN SOURCE [SIGNATURE]
"""

import sys

import frazil


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: pull_level.py PIECE_LEN SOURCE [SIGNATURE]")
    piece_len, source = int(sys.argv[1]), sys.argv[2]
    old = frazil.Signature.load(sys.argv[3]) if len(sys.argv) > 3 else None
    with frazil.Level.of_file(source, old) as level:
        while level.read(piece_len):
            pass
        level.finish()


if __name__ == "__main__":
    main()
