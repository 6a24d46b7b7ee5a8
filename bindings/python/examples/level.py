"""Makes the level of a file, writes it to standard output and saves the new signature:

    python level.py SOURCE NEW-SIGNATURE [OLD-SIGNATURE] >LEVEL

Without an old signature it is level 0.
"""

import shutil
import sys

import frazil


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: level.py SOURCE NEW-SIGNATURE [OLD-SIGNATURE] >LEVEL")
    source, new_signature, *old_signature = sys.argv[1:]
    try:
        before = frazil.Signature.load(old_signature[0]) if old_signature else None
        with frazil.Level.of_file(source, before) as level:
            shutil.copyfileobj(level, sys.stdout.buffer)
            after = level.finish()
        sys.stdout.buffer.flush()
        after.save(new_signature)
    except frazil.Error as error:
        sys.exit(f"level: {error}")
    if after.dirty:
        print(f"level: {source} changed while it was read", file=sys.stderr)


if __name__ == "__main__":
    main()
