"""Puts the file that registers the engine beside the packages; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PTH = "frazil-freezer.pth"


class WithPth(build_py):
    """Python reads a `.pth` file in the directory of the packages when it starts."""

    def run(self):
        super().run()
        shutil.copyfile(Path("src", PTH), self._pth())

    def get_source_files(self):
        return [*super().get_source_files(), f"src/{PTH}"]

    def get_outputs(self, include_bytecode=True):
        return [*super().get_outputs(include_bytecode), self._pth()]

    def _pth(self):
        return str(Path(self.build_lib, PTH))


setup(cmdclass={"build_py": WithPth})
