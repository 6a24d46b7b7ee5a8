"""Puts options into the structs of C."""

from __future__ import annotations

import ctypes
import operator
import os
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, SupportsIndex, Type

from . import _choices as choices
from . import _structs as structs
from ._callbacks import Callbacks
from ._errors import InvalidInputError
from ._observer import Following, observer
from ._options import BackupOptions, LevelOptions, PatchOptions, RestoreOptions, Selection, VerifyOptions
from ._streams import Output, path_of

_CHOICES = {
    "weak_sum": choices.WeakSum,
    "strong_sum": choices.StrongSum,
    "format": choices.Format,
    "signature_format": choices.Format,
    "matching": choices.Matching,
    "engine": choices.Engine,
    "verify_basis": choices.VerifyBasis,
    "filter": choices.Filter,
    "sync": choices.Sync,
}

# Limits and lengths, of which 0 would be none: whoever gives it has none left.
_NOT_ZERO = {"block_len", "memory_limit", "max_output", "index_memory", "link_memory", "max_file_len"}

# What `observer` takes.
_FOLLOWING = {*Following.__optional_keys__, "entry", "restoring", "missing"}

# Puts an option into a struct in a way of its own.
Special = Callable[[Any, Any], None]


def integer(value: SupportsIndex, name: str, bits: int = 64) -> int:
    """A number that is not negative; ctypes would take what is left of one that is too large."""
    value = operator.index(value)  # a float or a text is a TypeError
    if not 0 <= value < 1 << bits:
        raise InvalidInputError(f"{name} is a number from 0 to 2^{bits} - 1, not {value}")
    if not value and name in _NOT_ZERO:
        raise InvalidInputError(f"{name} is 1 or more: leave it out for the default")
    return value


def _text(line: Any, name: str) -> bytes:
    encoded = os.fsencode(line)
    if b"\0" in encoded:
        raise InvalidInputError(f"embedded null byte in {name}")
    return bytes(encoded)


def _array(struct: Any, name: str, count: str, kind: Type[Any], values: Iterable[Any]) -> None:
    """Puts an array and its length into a struct, which keeps it."""
    items = list(values)
    setattr(struct, name, ctypes.cast((kind * len(items))(*items), ctypes.POINTER(kind)))
    setattr(struct, count, len(items))


def _several(values: Any, name: str) -> Iterable[Any]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{name} takes several, not one alone")
    return values  # type: ignore[no-any-return]


def _put_excludes(struct: Any, values: Any) -> None:
    lines = [_text(line, "excludes") for line in _several(values, "excludes")]
    _array(struct, "excludes", "exclude_count", ctypes.c_char_p, lines)


def _put_exclude_marked(struct: Any, values: Any) -> None:
    names = [path_of(name) for name in _several(values, "exclude_marked")]
    _array(struct, "exclude_marked", "exclude_marked_count", ctypes.c_char_p, names)


def _put_leave_out(struct: Any, values: Any) -> None:
    descriptors = [file if isinstance(file, int) else file.fileno() for file in values]
    _array(struct, "leave_out_fds", "leave_out_fd_count", ctypes.c_int, descriptors)


def _put_paths(struct: Any, values: Any) -> None:
    paths = [path_of(path) for path in _several(values, "paths")]
    if not paths:
        raise InvalidInputError("paths is empty: leave it out to restore everything")
    _array(struct, "paths", "path_count", ctypes.c_char_p, paths)


def _put_owners(name: str) -> Special:
    def put(struct: Any, values: Mapping[int, int]) -> None:
        pairs = [structs.OwnerChange(integer(old, name, 32), integer(new, name, 32)) for old, new in values.items()]
        _array(struct, name, name[:-1] + "_count", structs.OwnerChange, pairs)

    return put


def _put_assume_parent(struct: Any, value: bytes) -> None:
    if len(value) != 16:
        raise InvalidInputError(f"the id of a level has 16 bytes, not {len(value)}")
    struct.assume_parent = ctypes.pointer(structs.LevelId.from_buffer_copy(value))


def _fill(struct: Any, accepted: Any, given: Mapping[str, Any], special: Dict[str, Special]) -> None:
    """Puts options into the fields of the same name, by their types."""
    unknown = given.keys() - accepted.__optional_keys__
    if unknown:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    kinds = dict(struct._fields_)
    for name, value in given.items():
        if value is None or name in _FOLLOWING:
            continue
        if name in special:
            special[name](struct, value)
        elif name in _CHOICES:
            setattr(struct, name, choices.number(_CHOICES[name], value, name))
        elif kinds[name] is ctypes.c_int:
            setattr(struct, name, bool(value))
        elif kinds[name] is ctypes.c_char_p:
            setattr(struct, name, path_of(value))
        else:
            setattr(struct, name, integer(value, name, 8 * ctypes.sizeof(kinds[name])))


def _made(
    kind: Type[structs.StructType],
    accepted: Any,
    given: Mapping[str, Any],
    callbacks: Callbacks,
    special: Optional[Dict[str, Special]] = None,
) -> structs.StructType:
    options = structs.sized(kind)
    _fill(options, accepted, given, special or {})
    following = observer(given, callbacks)
    if following is not None:
        options.observer = ctypes.pointer(following)
    return options


def level_options(given: Mapping[str, Any], callbacks: Callbacks) -> structs.LevelOptions:
    def put_signature_to(options: Any, sink: Any) -> None:
        options.no_signature = True
        options.write_signature, options.signature_user_data = Output(sink).callback(callbacks)

    def put_hold(options: Any, hold: Any) -> None:
        options.no_signature = not hold

    def put_identify(options: Any, identify: Any) -> None:
        options.no_identity = not identify

    # The sink comes last, since nothing holds a signature that goes there.
    special: Dict[str, Special] = {
        "hold_signature": put_hold,
        "identify": put_identify,
        "signature_to": put_signature_to,
    }
    ordered = dict(sorted(given.items(), key=lambda option: option[0] == "signature_to"))
    return _made(structs.LevelOptions, LevelOptions, ordered, callbacks, special)


def patch_options(given: Mapping[str, Any], callbacks: Callbacks) -> structs.PatchOptions:
    return _made(structs.PatchOptions, PatchOptions, given, callbacks)


_SELECTED = Selection.__optional_keys__ - Following.__optional_keys__


def _made_with_selection(
    kind: Type[structs.StructType],
    accepted: Any,
    given: Mapping[str, Any],
    callbacks: Callbacks,
    special: Optional[Dict[str, Special]] = None,
) -> structs.StructType:
    """Options with what is left out of a tree, which has a struct of its own."""
    left_out = {name: value for name, value in given.items() if name in _SELECTED}
    others = {name: value for name, value in given.items() if name not in _SELECTED}
    selection = structs.sized(structs.Selection)
    _fill(selection, Selection, left_out, {"excludes": _put_excludes, "exclude_marked": _put_exclude_marked})
    options = _made(kind, accepted, others, callbacks, special)
    options.selection = ctypes.pointer(selection)
    return options


def backup_options(given: Mapping[str, Any], callbacks: Callbacks) -> structs.BackupOptions:
    return _made_with_selection(
        structs.BackupOptions, BackupOptions, given, callbacks, {"leave_out": _put_leave_out}
    )


def verify_options(given: Mapping[str, Any], callbacks: Callbacks) -> structs.VerifyOptions:
    return _made_with_selection(structs.VerifyOptions, VerifyOptions, given, callbacks)


def restore_options(given: Mapping[str, Any], callbacks: Callbacks) -> structs.RestoreOptions:
    special: Dict[str, Special] = {
        "assume_parent": _put_assume_parent,
        "paths": _put_paths,
        "users": _put_owners("users"),
        "groups": _put_owners("groups"),
    }
    return _made(structs.RestoreOptions, RestoreOptions, given, callbacks, special)
