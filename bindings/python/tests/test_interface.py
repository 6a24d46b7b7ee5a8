"""The tables of this package are what the C header says, and the version is the crate's."""

import ctypes
import os
import re
import tempfile
import types
import typing
import unittest
from pathlib import Path
from typing import Literal, get_args, get_origin

import frazil
from frazil import _callbacks, _calls, _choices, _functions, _library, _option_structs, _structs
from ground import ROOT

HEADER = (ROOT / "include/frazil.h").read_text()
# Without comments and directives, and with no line breaks in a declaration.
DECLARED = re.sub(r"\s+", " ", re.sub(r"^ *(//|#).*$", "", HEADER, flags=re.MULTILINE))

# What a C type is in the tables; every other pointer to a handle is a `c_void_p`.
TYPES = {
    "const char *": ctypes.c_char_p,
    "const char *const *": ctypes.POINTER(ctypes.c_char_p),
    "void *": ctypes.c_void_p,
    "const void *": ctypes.c_void_p,
    "void *const *": ctypes.POINTER(ctypes.c_void_p),
    "int": ctypes.c_int,
    "const int *": ctypes.POINTER(ctypes.c_int),
    "frazil_status": ctypes.c_int,
    "frazil_weak_sum": ctypes.c_int,
    "frazil_strong_sum": ctypes.c_int,
    "size_t": ctypes.c_size_t,
    "size_t *": ctypes.POINTER(ctypes.c_size_t),
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "void": None,
    "frazil_read_fn": _callbacks.READ,
    "frazil_write_fn": _callbacks.WRITE,
    "frazil_entry_fn": _callbacks.TOLD,
    "frazil_difference_fn": _callbacks.TOLD,
    "frazil_snapshot_entry_fn": _callbacks.TOLD,
}


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


STRUCTS = {
    f"frazil_{snake(name)}": struct
    for name, struct in vars(_structs).items()
    if isinstance(struct, type) and issubclass(struct, ctypes.Structure)
}


def type_of(spelt):
    """The entry of the tables for a type as the header spells it."""
    if spelt in TYPES:
        return TYPES[spelt]
    name = re.fullmatch(r"(?:const )?(frazil_\w+) (\*+)", spelt)
    if name and name[1] in STRUCTS and name[2] == "*":
        return ctypes.POINTER(STRUCTS[name[1]])
    if name and name[2] == "*":
        return ctypes.c_void_p
    if name and name[2] == "**":
        return ctypes.POINTER(ctypes.c_void_p)
    raise AssertionError(f"no type for {spelt!r}")


def declaration_of(function):
    """What the header says that a function returns and takes."""
    found = re.search(rf"(?:^|[;{{}}] )([\w ]+?\*? ?){function}\(([^)]*)\);", DECLARED)
    assert found, f"{function} is not in the header"
    returned, arguments = found[1].strip(), found[2]
    spelt = [] if arguments == "void" else [re.sub(r"\w+$", "", one).strip() for one in arguments.split(", ")]
    return type_of(returned), [type_of(one) for one in spelt]


# What the package has no need of, and why.
LEFT_OUT = {
    "frazil_backup_tree": "`backup_tree` reads a `TreeBackup`, so that a signal is answered between two pieces",
    "frazil_backup_tree_file": "it publishes two files at once, and a `TreeBackup` is read to where it is to stay",
    "frazil_error_callback_code": "what a function raised comes out itself",
    "frazil_gen_sig_from_file": "`gen_sig_from_file` reads a `Level`",
    "frazil_gen_sig_from_stream": "`gen_sig_from_stream` reads a `Level`",
    "frazil_patch_file_chain": "`chain_file` takes paths too, by the function for inputs of any kind",
    "frazil_patch_open_chain": "`PatchReader.of_levels` takes paths too, by the function for inputs of any kind",
    "frazil_signature_of_data": "`Signature.of_stream` takes bytes as any other stream",
    "frazil_signature_save_fd": "`Signature.save` writes to a file object, which Python opens on any descriptor",
    "frazil_status_name": "`Status` has names, and no exception is without a message",
    "frazil_version_number": "`library_version` says it",
}

# The names of functions that anything but the tables calls, with what an `Input` puts behind them.
SOURCES = [path for path in Path(frazil.__file__).parent.glob("*.py") if path.name != "_functions.py"]
NAMED = set(re.findall(r"\bfrazil_(\w+)", "".join(path.read_text() for path in SOURCES)))
CALLED = NAMED | {name + suffix for name in NAMED for suffix in ("_fd", "_stream")}


def public_functions():
    """Every function, method and property that is public, by name."""
    for name in frazil.__all__:
        public = getattr(frazil, name)
        if isinstance(public, types.FunctionType):
            yield name, public
        elif isinstance(public, type):
            for of in public.__mro__:
                for member, value in vars(of).items() if of.__module__ == "frazil" else ():
                    value = getattr(value, "fget", None) or getattr(value, "__func__", value)
                    if isinstance(value, types.FunctionType) and (member[0] != "_" or member == "__init__"):
                        yield f"{name}.{member}", value


class Interface(unittest.TestCase):
    def test_every_function_is_declared_as_in_the_header(self):
        for table in (_functions.CORE, _functions.TREES):
            for name, (returned, arguments) in table.items():
                with self.subTest(name):
                    self.assertEqual((returned, list(arguments)), declaration_of(name))

    def test_every_function_of_the_header_is_used_or_known_not_to_be(self):
        declared = set(re.findall(r"\b(frazil_\w+)\(", DECLARED))
        used = _functions.CORE.keys() | _functions.TREES.keys()
        unused = {name for name in declared - used if not name.endswith("_init")}  # `_structs.sized` does that
        self.assertEqual(unused, LEFT_OUT.keys())
        for name in used:
            with self.subTest(name):
                self.assertIn(name.replace("frazil_", "", 1), CALLED)

    def test_every_struct_has_the_layout_of_the_header(self):
        program = (ROOT / "tests/c/layout.c").read_text()
        sizes = dict(re.findall(r"(?:GROWS|FIXED)\((\w+), (\d+)\)", program))
        fields = re.findall(r"FIELD\((\w+), (\w+), (\d+)\)", program)
        self.assertEqual(set(sizes), set(STRUCTS))
        for name, struct in STRUCTS.items():
            with self.subTest(name):
                self.assertEqual(ctypes.sizeof(struct), int(sizes[name]))
                offsets = [(field, getattr(struct, field).offset) for field, _ in struct._fields_]
                self.assertEqual(offsets, [(field, int(at)) for of, field, at in fields if of == name])

    def test_the_options_of_the_library_end_where_those_of_the_tables_do(self):
        """What is not 0 behind its own end a library refuses; so one of a version before does not pass over a
        field that it does not know."""
        native, out = _library.library, ctypes.c_void_p()
        with tempfile.TemporaryDirectory() as directory:
            root, file, level, new = (os.fsencode(directory + name) for name in ("", "/file", "/level", "/new"))
            Path(directory, "file").write_bytes(b"content")
            frazil.level_file(file, level)
            for kind, opened, arguments, free in [
                (_structs.LevelOptions, native.frazil_level_open, (file, None), native.frazil_level_free),
                (_structs.PatchOptions, native.frazil_patch_open, (None, level), native.frazil_patch_free),
                (_structs.BackupOptions, native.frazil_backup_open, (root, None, new), native.frazil_backup_free),
                (_structs.RestoreOptions, native.frazil_restore_open, (new,), native.frazil_restore_free),
            ]:

                class Longer(ctypes.Structure):
                    _fields_ = [("known", kind), ("unknown", ctypes.c_uint8 * 8)]

                with self.subTest(kind.__name__):
                    options = Longer()
                    options.known.size = ctypes.sizeof(Longer)
                    given = ctypes.cast(ctypes.byref(options), ctypes.POINTER(kind))
                    _calls.call(opened, *arguments, given, ctypes.byref(out))
                    free(out)
                    options.unknown[0] = 1
                    with self.assertRaises(frazil.UnsupportedError):
                        _calls.call(opened, *arguments, given, ctypes.byref(out))

    def test_every_word_is_the_name_of_its_number(self):
        kinds = [kind for kind, of in vars(_choices).items() if get_origin(of) is Literal]
        self.assertEqual(len(kinds), 16)
        for kind in kinds:
            prefix = re.sub(r"_kind$", "", snake(kind)).upper()
            with self.subTest(kind):
                named = re.findall(rf"\bFRAZIL_{prefix}_(\w+) = (\d+),", HEADER)
                words = [(word.upper(), str(number)) for number, word in enumerate(get_args(getattr(_choices, kind)))]
                self.assertEqual(named, words)

    def test_every_status_has_its_number_and_an_exception(self):
        named = dict(re.findall(r"\bFRAZIL_(?:ERR_)?(OK|END|PARTIAL|DIRTY|[A-Z_]+) = (-?\d+),", HEADER.split("frazil_status;")[0]))
        self.assertEqual({status.name: str(status.value) for status in frazil.Status}, named)
        for status in frazil.Status:
            if status < 0:
                with self.subTest(status.name):
                    self.assertNotEqual(type(frazil._errors.make_error(status, "")), frazil.Error)

    def test_the_version_is_that_of_the_crate_and_of_the_library(self):
        manifest = (ROOT / "Cargo.toml").read_text()
        version = re.search(r'^version = "(.*)"$', manifest, re.MULTILINE)[1]
        self.assertEqual((frazil.__version__, frazil.library_version()), (version, version))

    def test_what_is_public_is_named_and_documented(self):
        for name in frazil.__all__:
            with self.subTest(name):
                public = getattr(frazil, name)
                if isinstance(public, type):
                    self.assertEqual(public.__module__, "frazil")
                if isinstance(public, type) or callable(public) and not get_args(public):
                    self.assertTrue(public.__doc__)

    def test_every_annotation_is_there_at_run_time(self):
        hinted = 0
        for name in frazil.__all__:
            if isinstance(getattr(frazil, name), type):
                with self.subTest(name):
                    hinted += len(typing.get_type_hints(getattr(frazil, name)))
        for name, function in public_functions():
            with self.subTest(name):
                hints = typing.get_type_hints(function)
                self.assertEqual(hints.keys(), function.__annotations__.keys())
                if "Error." not in name:  # these hand on what they know nothing of
                    self.assertNotIn(typing.Any, [hint for key, hint in hints.items() if key != "return"])
                hinted += len(hints)
        self.assertGreater(hinted, 600)
        self.assertIs(typing.get_type_hints(frazil.Signature.compare)["return"], frazil.Comparison)
        self.assertEqual(typing.get_type_hints(frazil.list_archive)["each"], frazil.Told[frazil.Entry])

    def test_every_name_of_a_type_is_described(self):
        names = [name for name in frazil.__all__ if get_args(getattr(frazil, name)) and not hasattr(_choices, name)]
        self.assertEqual(sorted(names), ["AnyPath", "Asked", "OpenFile", "Seekable", "Sink", "Stream", "Told"])
        readme = (ROOT / "bindings/python/README.md").read_text()
        for name in names:
            for text in (frazil.__doc__, readme):
                with self.subTest(name):
                    self.assertRegex(text, rf"`{name}\b")

    def test_every_option_and_every_field_is_described_where_help_finds_it(self):
        described = 0
        for name in frazil.__all__:
            public = getattr(frazil, name)
            if not isinstance(public, type) or name in ("Signature", "PullStream", "PushStream", "Status"):
                continue
            # Options say whose they have beside their own.
            others = [frazil.Following, frazil.Selection] if hasattr(public, "__optional_keys__") else []
            text = "".join(
                one.__doc__ for one in [public, *others] if one is public or f"`{one.__name__}`" in public.__doc__
            )
            fields = {field: kind for field, kind in vars(public).get("__annotations__", {}).items() if field[0] != "_"}
            for field in fields:
                with self.subTest(name, field=field):
                    self.assertRegex(text, rf"(?m)^ *{field}: ")
                    described += 1
            for option, kind in _option_structs._CHOICES.items():
                if others and option in fields:
                    for word in get_args(kind):
                        with self.subTest(name, option=option):
                            self.assertIn(f'`"{word}"`', text)
        self.assertGreater(described, 150)
