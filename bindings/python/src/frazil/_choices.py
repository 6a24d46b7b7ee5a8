"""Words that the library knows as numbers: each is spelt as in the header, in lower case, in its order."""

from __future__ import annotations

from typing import Any, Literal, get_args

from ._errors import InvalidInputError

WeakSum = Literal["default", "rollsum", "rabin_karp"]
"""The sum that rolls along the data. The default is that of the basis's signature, or RabinKarp."""

StrongSum = Literal["default", "md4", "blake2"]
"""The sum that decides. The default is that of the basis's signature, or BLAKE2b; MD4 is for old peers."""

Format = Literal["sealed", "rdiff"]
"""frazil's integrity frame, or librsync's plain form, which checks nothing."""

Matching = Literal["auto", "aligned", "rolling"]
"""Which matches are looked for: in their place first, then by a scan; in their place alone, in constant
memory; or by a scan of everything that does not match in its place."""

Engine = Literal["native", "librsync"]
"""Who computes sums and finds matches."""

VerifyBasis = Literal["default", "before", "after"]
"""When the basis is held against its fingerprint: before the first byte comes out, or by the result."""

Filter = Literal["none", "gzip", "bzip2", "xz", "zstd", "lz4"]
"""What an archive is compressed with."""

Sync = Literal["level", "file"]
"""Whether what was restored is flushed as a whole file system, or file by file."""

StreamKind = Literal["signature", "delta"]
"""What a stream carries: the sums of some content, or what turns one content into another, a level."""

InputKind = Literal["none", "path", "fd", "callback"]
"""Where the bytes of an input are that can be read anywhere."""

RangeKind = Literal["same", "moved", "changed"]
"""What a range of the new content is to the old."""

Action = Literal["full", "delta", "copy", "link", "metadata", "delete", "void", "none"]
"""How an entry comes to be what it is at its level; `"none"` where it proved to be what it was."""

Reason = Literal[
    "new",
    "kind",
    "size",
    "modified",
    "changed",
    "owner",
    "inode",
    "device",
    "racy",
    "dirty",
    "unlinked",
    "link",
    "always",
    "gone",
    "content",
]
"""Why a backup looked at an entry: what is other than at the level before; or it may have changed unseen
(`"racy"`, `"dirty"`), every file was to be read (`"always"`), or something in the directory changed
(`"content"`)."""

EntryKind = Literal["unknown", "file", "directory", "symlink", "fifo", "char_device", "block_device"]
"""What kind of entry it is; unknown where it is gone, or a further name of another."""

DifferenceKind = Literal[
    "missing",
    "extra",
    "kind",
    "content",
    "mode",
    "owner",
    "modified",
    "attributes",
    "flags",
    "target",
    "link",
    "unreadable",
]
"""How an entry of a tree differs from what its archives say; `"unreadable"` is what could not be compared."""

RecoveryKind = Literal["nothing", "stands", "finished", "finished_in_part", "dropped"]
"""What a restore that was killed had left behind."""


def number(choice: Any, word: str, name: str) -> int:
    """The number of a word that was given as the option `name`."""
    words = get_args(choice)
    if word not in words:
        raise InvalidInputError(f"{name} is one of {', '.join(map(repr, words))}, not {word!r}")
    return words.index(word)


def word(choice: Any, number: int) -> Any:
    """The word for a number; one of a newer library that has no word is named by the number."""
    words = get_args(choice)
    return words[number] if 0 <= number < len(words) else f"number {number}"
