"""Says which ranges of a file have changed since a signature was made of it, and reads nothing else of them:

    python changed_ranges.py OLD-SIGNATURE NEW-SIGNATURE

For a store that can fetch ranges: what is the same, or has moved, need not be fetched.
"""

import sys

import frazil


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: changed_ranges.py OLD-SIGNATURE NEW-SIGNATURE")
    try:
        old, new = (frazil.Signature.load(path) for path in sys.argv[1:])
        fetched = 0
        for kind, offset, length, origin in old.compare(new):
            if kind == "changed":
                fetched += length
            where = f" from {origin}" if kind == "moved" else ""
            print(f"{kind} {offset} {length}{where}")
    except frazil.Error as error:
        sys.exit(f"changed_ranges: {error}")
    print(f"to fetch: {fetched} of {new['length']} bytes")


if __name__ == "__main__":
    main()
