"""The package is installed beside the agent, whose options know the engine then, and leaves it as it was."""

import base64
import csv
import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import sysconfig
import types
import unittest
from pathlib import Path
from unittest import mock

from frazil_freezer import registration
from freezer.common import config
from freezer.engine import manager
from freezer.engine.frazil.frazil import FrazilEngine
from freezer.scheduler import arguments
from ground import Ground
from oslo_config import cfg

# Wheels of this package and of the agent, which `scripts/test-freezer` has put there.
WHEELS = Path(os.environ["FRAZIL_FREEZER_WHEELS"])


class Environment:
    """A virtual environment with nothing in it, on which the pip of this one works."""

    def __init__(self, path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
        self.python = path / "bin/python"
        scheme = {"base": str(path), "platbase": str(path)}
        self.packages = Path(sysconfig.get_path("purelib", vars=scheme))

    def pip(self, *words):
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python, *words]
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def install(self, name):
        self.pip("install", "--no-index", "--no-deps", "--find-links", WHEELS, name)

    def uninstall(self, name):
        self.pip("uninstall", "--yes", name)

    def run(self, program):
        """What a program prints, and what is on standard error."""
        ran = subprocess.run(
            [self.python, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True
        )
        return ran.stdout.strip(), ran.stderr

    def recorded(self, name):
        """The files that a package has installed, with their digests."""
        record = next(self.packages.glob(f"{name}-*.dist-info/RECORD"))
        with open(record, newline="") as lines:
            return {path: digest for path, digest, _ in csv.reader(lines) if not path.endswith((".pyc", "RECORD"))}

    def is_whole(self, name):
        def holds(path, digest):
            content = (self.packages / path).read_bytes()
            return not digest or digest == "sha256=" + base64.urlsafe_b64encode(
                hashlib.sha256(content).digest()
            ).decode().rstrip("=")

        return all(holds(path, digest) for path, digest in self.recorded(name).items())


class Installing(Ground):
    def setUp(self):
        super().setUp()
        self.environment = Environment(self.dir / "environment")

    def test_it_comes_and_goes_in_either_order_and_the_agent_is_whole(self):
        here = self.environment
        engine = here.packages / "freezer/engine/frazil"
        for order in (["freezer", "frazil-freezer"], ["frazil-freezer", "freezer"]):
            with self.subTest(order):
                for name in order:
                    here.install(name)
                self.assertTrue((engine / "frazil.py").exists())
                self.assertTrue(here.is_whole("freezer") and here.is_whole("frazil_freezer"))
                self.assertEqual(here.recorded("freezer").keys() & here.recorded("frazil_freezer").keys(), set())
                here.uninstall("frazil-freezer")
                self.assertTrue(here.is_whole("freezer"))
                self.assertFalse(engine.exists())
                self.assertEqual(list(here.packages.glob("*frazil*")), [])
                here.install("frazil-freezer")
                here.uninstall("freezer")
                self.assertTrue(here.is_whole("frazil_freezer"))
                here.uninstall("frazil-freezer")
                self.assertFalse((here.packages / "freezer").exists())

    def test_without_the_agent_it_does_nothing_and_says_nothing(self):
        listing = "import sys; print(sorted(sys.modules))"
        before, _ = self.environment.run(listing)
        self.environment.install("frazil-freezer")
        after, said = self.environment.run(listing)
        self.assertEqual(said, "")
        added = set(eval(after)) - set(eval(before))
        self.assertEqual(added, {"frazil_freezer", "frazil_freezer.registration"})
        _, said = self.environment.run("import freezer.common.config")
        self.assertIn("ModuleNotFoundError", said)

    def test_where_only_the_file_of_the_package_is_left_python_starts_without_a_word(self):
        self.environment.install("frazil-freezer")
        shutil.rmtree(self.environment.packages / "frazil_freezer")
        self.assertEqual(self.environment.run("print(1)"), ("1", ""))


class Registration(unittest.TestCase):
    def test_the_agent_takes_the_engine_by_its_name_and_no_other_that_it_does_not_know(self):
        conf = cfg.ConfigOpts()
        conf.register_cli_opts(config._COMMON)
        conf(["--engine", "frazil"], project="freezer", default_config_files=[])
        self.assertEqual(conf.engine_name, "frazil")
        for name in ("tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"):
            conf(["--engine", name], project="freezer", default_config_files=[])
        with self.assertRaises(ValueError):
            conf.set_override("engine_name", "frazil2")

    def test_the_scheduler_runs_jobs_with_it(self):
        engines = arguments.DEFAULT_SUPPORTED_ENGINES.split(",")
        self.assertEqual(engines, ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance", "frazil"])

    def test_the_loader_makes_the_engine(self):
        with mock.patch.object(manager, "CONF", mock.Mock(engine_name="frazil")):
            engine = manager.EngineManager().load_engine(
                compression="xz",
                symlinks=None,
                exclude=None,
                storage=None,
                max_segment_size=1_000,
                rsync_block_size=4_096,
                encrypt_key=None,
                temp_resource_prefix="freezer_",
                dry_run=False,
            )
        self.assertIs(type(engine), FrazilEngine)
        self.assertEqual((engine.name, engine.compression, engine.max_segment_size), ("frazil", "xz", 1_000))

    def test_the_modules_are_the_agents_own(self):
        for module in (config, arguments):
            self.assertIn("freezer", module.__file__)
            self.assertIs(type(module.__loader__).__name__, "SourceFileLoader")
            self.assertNotIn("frazil", inspect.getsource(module))

    def test_where_the_agent_knows_the_engine_nothing_is_changed(self):
        choices = {"tar": None, "frazil": "its own description"}
        option = types.SimpleNamespace(dest="engine_name", type=types.SimpleNamespace(choices=dict(choices)))
        registration._add_choice(types.SimpleNamespace(_COMMON=[option]))
        self.assertEqual(option.type.choices, choices)
        module = types.SimpleNamespace(DEFAULT_SUPPORTED_ENGINES="frazil,tar")
        registration._add_supported(module)
        self.assertEqual(module.DEFAULT_SUPPORTED_ENGINES, "frazil,tar")

    def test_where_the_agent_has_become_another_it_is_imported_all_the_same_and_a_warning_says_so(self):
        for name, addition in registration._ADDITIONS.items():
            module = types.ModuleType(name)
            loader = types.SimpleNamespace(exec_module=lambda _module: None)
            registration._follow(loader, addition)
            with self.subTest(name), self.assertLogs("frazil_freezer.registration") as logs:
                loader.exec_module(module)
            self.assertIn("does not know the engine frazil", logs.output[0])

    def test_a_fault_of_the_agents_own_comes_out_as_it_is(self):
        def failing(_module):
            raise SyntaxError("theirs")

        loader = types.SimpleNamespace(exec_module=failing)
        registration._follow(loader, registration._add_choice)
        with self.assertRaisesRegex(SyntaxError, "theirs"):
            loader.exec_module(types.ModuleType("freezer.common.config"))

    def test_other_modules_are_found_without_it(self):
        self.assertIsNone(registration.Finder.find_spec("freezer.common.utils"))
        self.assertIsNone(registration.Finder.find_spec("config"))
        self.assertEqual(sys.meta_path.count(registration.Finder), 1)
