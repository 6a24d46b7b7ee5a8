"""Freezer's engine for block-level backups, by the library frazil."""
