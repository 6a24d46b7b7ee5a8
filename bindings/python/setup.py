"""Builds the shared library with cargo and bundles it; all else is in pyproject.toml.

The library is no extension module: ctypes loads it, so it has a plain name, and one wheel suits every
version of Python on its platform.
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist
from setuptools_rust import Binding, RustExtension, Strip

HERE = Path(__file__).resolve().parent
# A source distribution carries the crate with it; in the repository it is two directories higher.
CRATE = HERE / "crate" if (HERE / "crate").is_dir() else HERE.parent.parent


class PlainName(build_ext):
    """Names the library `libfrazil.so`, without the tag of a Python version."""

    def get_ext_filename(self, fullname):
        return os.path.join(*fullname.split(".")) + ".so"


class AnyPython(bdist_wheel):
    """Tags the wheel by its platform alone."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class WithCrate(sdist):
    """Puts the sources of the crate into the source distribution."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        listing = ["cargo", "package", "--list", "--allow-dirty", "--locked", "--offline"]
        listed = subprocess.run(listing, cwd=CRATE, check=True, stdout=subprocess.PIPE, text=True).stdout
        for name in listed.splitlines():
            # cargo lists what it would generate, too; and this package is in the repository of the crate.
            if (CRATE / name).is_file() and not name.startswith("bindings/"):
                to = Path(base_dir, "crate", name)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CRATE / name, to)


setup(
    cmdclass={"build_ext": PlainName, "bdist_wheel": AnyPython, "sdist": WithCrate},
    rust_extensions=[
        RustExtension(
            "frazil.libfrazil",
            path=str(CRATE / "Cargo.toml"),
            args=["--locked"],
            binding=Binding.NoBinding,
            debug=False,
            strip=Strip.Debug,
        )
    ],
)
