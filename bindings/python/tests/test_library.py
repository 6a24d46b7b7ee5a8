"""Which library is loaded, and what is said of one that is not right."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import frazil
from frazil import _functions
from ground import ROOT, Ground

# Another build of the library, with debug assertions and the hook that panics.
OTHER = Path(os.environ.get("FRAZIL_DEBUG_LIBRARY", ROOT / "target/debug/libfrazil.so"))


class Library(Ground):
    def run_with(self, library, program="import frazil"):
        environment = {**os.environ, "FRAZIL_LIBRARY": str(library)}
        command = [sys.executable, "-c", textwrap.dedent(program)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stdout, done.stderr

    def made(self, version, names):
        """A library with this version and functions of these names."""
        lines = [f'const char *frazil_version(void) {{ return "{version}"; }}']
        lines += [f"void {name}(void) {{}}" for name in names if name != "frazil_version"]
        source, library = self.write("made.c", "\n".join(lines).encode()), self.dir / "made.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        return library

    def test_another_copy_of_the_library_is_loaded_where_one_is_named(self):
        self.assertTrue(OTHER.exists(), f"{OTHER} is built by: cargo build --lib --all-features")
        program = """
            import frazil
            print(frazil.library_file(), frazil.gen_sig_from_stream(b"content").length)
            """
        self.assertEqual(self.run_with(OTHER, program), (0, f"{OTHER} 7\n", ""))

    def test_a_panic_is_an_exception(self):
        program = """
            import ctypes, frazil
            from frazil import _calls, _library
            hook = _library.library.frazil_test_panic
            hook.restype, hook.argtypes = ctypes.c_int, [ctypes.POINTER(ctypes.c_void_p)]
            try:
                _calls.call(hook)
            except frazil.InternalError as error:
                print(error)
            """
        code, out, _ = self.run_with(OTHER, program)
        self.assertEqual((code, out), (0, "a fault in frazil: on purpose\n"))

    def test_a_library_of_another_minor_version_is_refused(self):
        everything = [*_functions.CORE, *_functions.TREES]
        version = frazil.__version__.rsplit(".", 1)[0]
        self.assertEqual(self.run_with(self.made(version + ".99", everything)), (0, "", ""))
        for other in ("0.0.1", "0.999.0", "9.1.0", ""):
            library = self.made(other, everything)
            code, _, said = self.run_with(library)
            self.assertEqual(code, 1)
            self.assertIn(f"ImportError: {library} is version {other} of frazil, and version {version} is needed", said)

    def test_what_is_no_library_of_frazil_is_refused_by_name(self):
        missing = self.made(frazil.__version__, [name for name in _functions.CORE if name != "frazil_level_read"])
        for library, said in [
            (missing, "frazil_level_read"),
            (self.write("text", b"no library"), "text"),
            (self.dir / "none", "none"),
            ("libm.so.6", "frazil_version"),
        ]:
            code, _, error = self.run_with(library)
            self.assertEqual(code, 1)
            self.assertIn("ImportError: cannot load the library of frazil", error)
            self.assertIn(said, error)

    def test_a_library_without_trees_says_so_when_one_is_asked_for(self):
        program = """
            import frazil
            for call in (frazil.TreeBackup, frazil.TreeRestore, frazil.conclude_restore):
                try:
                    call("tree", *["snapshot"] * (call is frazil.TreeBackup))
                except frazil.UnsupportedError as error:
                    print(error)
            """
        library = self.made(frazil.__version__, _functions.CORE)
        code, out, said = self.run_with(library, program)
        self.assertEqual((code, said), (0, ""))
        self.assertEqual(out.count(f"{library} was built without trees"), 3)

    def test_the_versions_of_what_is_in_the_library_are_known(self):
        self.assertRegex(frazil.librsync_version(), r"\b2\.\d+\.\d+")
        self.assertRegex(frazil.libarchive_version(), r"^3\.\d+\.\d+$")
