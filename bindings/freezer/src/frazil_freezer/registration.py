"""Makes the options of an installed Freezer know the engine `frazil`.

Freezer finds an engine by its directory, but takes no name for `--engine` that is not in a fixed list, and its
scheduler runs no job with an engine that is not in another. Nothing lets a package add to either. So the file
`frazil-freezer.pth` has Python import this module when it starts, and this module waits for the two modules that have
the lists. When one of them is imported, by its own loader and from its own file, `frazil` is appended to its list
after it was executed; nothing else is touched, and no file of Freezer is changed.

- What it costs every start of Python in the environment is the import of this module, which imports nothing that is
  not loaded, and for each import of a module afterwards one look into a dict.
- Without Freezer it does nothing.
- It raises nothing: where Freezer has become another, it logs a warning, and the engine is not known.
- Where Freezer lists `frazil` itself one day, it changes nothing. Then this package is not needed any more.
"""

import sys

TYPE_CHECKING = False  # that of `typing`, which is not imported for it
if TYPE_CHECKING:
    from typing import Any, Callable

ENGINE = "frazil"


def _add_choice(config: "Any") -> None:
    """To the choices of the option that has the name of the engine."""
    for option in config._COMMON:
        if option.dest == "engine_name":
            option.type.choices.setdefault(ENGINE)
            return
    raise LookupError("no option has the name of the engine")


def _add_supported(arguments: "Any") -> None:
    """To the engines that the scheduler runs jobs with unless its configuration says others."""
    names = arguments.DEFAULT_SUPPORTED_ENGINES.split(",")
    if ENGINE not in names:
        arguments.DEFAULT_SUPPORTED_ENGINES = ",".join([*names, ENGINE])


_ADDITIONS = {
    "freezer.common.config": _add_choice,
    "freezer.scheduler.arguments": _add_supported,
}


class Finder:
    """Finds the two modules where they are found without it, and has their loaders add the engine."""

    @staticmethod
    def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        addition = _ADDITIONS.get(name)
        if addition is None:
            return None
        for finder in sys.meta_path:
            if finder is Finder or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _follow(spec.loader, addition)
                return spec
        return None


def _follow(loader: "Any", addition: "Callable[[Any], None]") -> None:
    """Has the loader, which is this module's alone, make the addition once it has executed the module."""
    execute = getattr(loader, "exec_module", None)
    if execute is None:
        return

    def exec_module(module: "Any") -> None:
        execute(module)
        try:
            addition(module)
        except Exception as error:
            import logging

            logging.getLogger(__name__).warning("%s does not know the engine %s: %r", module.__name__, ENGINE, error)

    loader.exec_module = exec_module


if Finder not in sys.meta_path:
    sys.meta_path.insert(0, Finder)
