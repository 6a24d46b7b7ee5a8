"""The agent's `--exclude`: one pattern as GNU tar takes it, in the lines of a `.gitignore` that frazil takes.

A pattern of tar matches from the start of any name on, or with `./` before it from the root of the tree; what is
below an excluded directory is excluded. Its `*` goes over slashes, that of a `.gitignore` does not, so each is
given twice. Two differences stay: `?` and `[...]` do not match a slash; and the root is never left out. The pattern
is taken as it is, where the agent gives that of tar to a shell between double quotes.
"""

from __future__ import annotations

import itertools
from typing import List, Optional, Tuple

STARS_MAX = 8
"""How many `*` there may be between other characters: the lines are two to that power."""

_CROSSING = ("*", "*/**/*")


def lines(pattern: str) -> List[str]:
    """The lines that leave out what tar leaves out for the pattern, a tree being named `.`.

    None for a pattern that begins or ends with a slash, as no name does. `ValueError` for what a `.gitignore`
    cannot say.
    """
    tokens = _tokens(pattern)
    anchored = tokens[:2] == [".", "/"]
    if anchored:
        tokens = tokens[2:]
    elif tokens[:2] == ["*", "/"]:
        # The `*` matches the `.` that names begin with, too.
        tokens = tokens[2:]
    if not tokens or tokens == ["."] or "/" in (tokens[0], tokens[-1]):
        return []
    first = 0 if anchored else 1
    inner = [at for at, token in enumerate(tokens) if token == "*" and first <= at < len(tokens) - 1]
    if len(inner) > STARS_MAX:
        raise ValueError(f"the pattern {pattern!r} has more than {STARS_MAX} stars between other characters")
    made = []
    for choice in itertools.product(_CROSSING, repeat=len(inner)):
        for at, star in zip(inner, choice):
            tokens[at] = star
        made.append(_line("".join(tokens), anchored))
    return made


def _line(text: str, anchored: bool) -> str:
    if anchored:
        text = "/" + text
    elif "/" in text:
        text = "**/" + text
    elif text[0] in "!#":
        text = "\\" + text
    # Spaces at the end count only if they are escaped.
    stripped = text.rstrip(" ")
    return stripped + "\\ " * (len(text) - len(stripped))


def _tokens(pattern: str) -> List[str]:
    """The pattern's characters and brackets, each as a `.gitignore` has it; stars in a row are one."""
    found: List[str] = []
    rest = pattern
    while rest:
        token, rest = _next(rest, pattern)
        if not (token == "*" and found[-1:] == ["*"]):
            found.append(token)
    return found


def _next(rest: str, pattern: str) -> Tuple[str, str]:
    first = rest[0]
    if first == "\\":
        escaped = rest[1:2] or "\\"
        # Letters stand for themselves behind a backslash as well.
        return (escaped if escaped == "/" else "\\" + escaped), rest[2:]
    if first == "[":
        end = _bracket_end(rest)
        if end is None:
            return "\\[", rest[1:]
        inside = rest[1:end]
        if "\\" in inside or "[:" in inside or "[." in inside or "[=" in inside or "/" in inside:
            raise ValueError(f"the pattern {pattern!r} has brackets that frazil's patterns do not know")
        return "[" + ("!" + inside[1:] if inside[0] == "^" else inside) + "]", rest[end + 1 :]
    return ("\\" + first if first in "{}" else first), rest[1:]


def _bracket_end(text: str) -> Optional[int]:
    """Where the bracket that the text begins with ends; one that is first in it is a member of it."""
    start = 2 if text[1:2] in ("!", "^") else 1
    end = text.find("]", start + 1)
    return None if end < 0 else end
