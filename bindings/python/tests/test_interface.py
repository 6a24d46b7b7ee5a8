"""The tables of this package are what the C header says, and the version is the crate's."""

import ctypes
import os
import re
import tempfile
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
    "int": ctypes.c_int,
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


class Interface(unittest.TestCase):
    def test_every_function_is_declared_as_in_the_header(self):
        for table in (_functions.CORE, _functions.TREES):
            for name, (returned, arguments) in table.items():
                with self.subTest(name):
                    self.assertEqual((returned, list(arguments)), declaration_of(name))

    def test_every_function_of_the_header_is_used_or_known_not_to_be(self):
        declared = set(re.findall(r"\b(frazil_\w+)\(", DECLARED))
        used = _functions.CORE.keys() | _functions.TREES.keys()
        unused = {name for name in declared - used if not name.endswith("_init")}
        # Python makes these of others, iterators, file objects, exceptions, or takes paths alone.
        self.assertEqual(
            unused,
            {
                "frazil_backup_tree",
                "frazil_backup_tree_file",
                "frazil_error_callback_code",
                "frazil_gen_sig_from_file",
                "frazil_gen_sig_from_stream",
                "frazil_patch_file_chain",
                "frazil_libarchive_version",
                "frazil_librsync_version",
                "frazil_patch_open_chain",
                "frazil_restore_level",
                "frazil_signature_of_data",
                "frazil_signature_save_fd",
                "frazil_snapshot_list_fd",
                "frazil_snapshot_list_stream",
                "frazil_status_name",
                "frazil_tree_verify_fd",
                "frazil_tree_verify_stream",
                "frazil_version_number",
            },
        )

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
