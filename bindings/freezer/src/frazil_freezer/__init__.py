"""What makes frazil an engine of OpenStack's backup agent Freezer, whose engine itself is in `freezer.engine.frazil`.

`registration` makes the agent's options know the engine's name. `streams` is for engines of others, whose source
is a stream of bytes and no tree.
"""

VERSION = "0.1.0"

__version__ = VERSION
