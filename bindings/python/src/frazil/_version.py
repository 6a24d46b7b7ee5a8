"""The version, which is that of the crate and of the library in the wheel."""

VERSION = "0.1.0"
