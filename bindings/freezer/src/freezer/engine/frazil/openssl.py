"""The agent's encryption around archives and snapshots: the program that it runs behind tar, with the same arguments.

It is AES-256 in CFB mode with a key out of a pass phrase, and has no check of its own. What is inside has,
so that a wrong phrase, a changed byte and a missing end all fail.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from typing import IO, Iterable, Iterator, List, Optional

from freezer.utils import utils

PIECE_LEN = 1 << 20
BEGIN = b"Salted__"


def encrypted(pieces: Iterable[bytes], pass_file: str, length: int) -> Iterator[bytes]:
    """What openssl makes of the pieces, in pieces of `length` bytes, the last of which may be shorter.

    `ValueError` where the pass phrase is empty, with which openssl would encrypt.
    """
    _check_phrase(pass_file)
    return _through(["enc", "-aes-256-cfb"], pieces, pass_file, length)


def decrypted(pieces: Iterable[bytes], pass_file: str) -> Iterator[bytes]:
    """What was encrypted."""
    return _through(["enc", "-d", "-aes-256-cfb"], pieces, pass_file, PIECE_LEN)


def encrypt_file(path: str, to: str, pass_file: str) -> None:
    """Writes the file at `path`, encrypted, to the file `to`."""
    with open(path, "rb") as plain, open(to, "wb") as target:
        target.writelines(encrypted(iter(lambda: plain.read(PIECE_LEN), b""), pass_file, PIECE_LEN))


def decrypt_file(path: str, to: str, pass_file: str) -> None:
    """Writes what the file at `path` was encrypted from to the file `to`."""
    with open(path, "rb") as secret, open(to, "wb") as target:
        target.writelines(decrypted(iter(lambda: secret.read(PIECE_LEN), b""), pass_file))


def is_encrypted(path: str) -> bool:
    """Whether a file begins as all that openssl encrypts with a pass phrase, and nothing of frazil's."""
    with open(path, "rb") as file:
        return file.read(len(BEGIN)) == BEGIN


def _check_phrase(pass_file: str) -> None:
    """As openssl reads it: the first line, which ends at a null byte too. What cannot be read, it says better."""
    with contextlib.suppress(OSError), open(pass_file, "rb") as file:
        if file.read(1) in (b"", b"\n", b"\r", b"\0"):
            raise ValueError(f"the first line of {pass_file} is empty, and is to be the pass phrase")


def _through(command: List[str], pieces: Iterable[bytes], pass_file: str, length: int) -> Iterator[bytes]:
    """What a command of openssl makes of the pieces; what they raise comes out of it, and so does its failure."""
    program = utils.openssl_path()
    if program is None:
        raise FileNotFoundError("openssl is not installed, by which the agent encrypts")
    # What it says goes to a file, which cannot fill up and stop it, as a pipe could.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [program, *command, "-pass", f"file:{pass_file}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert process.stdin and process.stdout
        feeding = _Feeding(pieces, process.stdin)
        try:
            feeding.start()
            while piece := process.stdout.read(length):
                yield piece
            feeding.join()
            status = process.wait()
        finally:
            # Also where whoever reads has given up.
            process.kill()
            process.wait()
            feeding.join()
            process.stdout.close()
        # One that has ended too early is the cause of a broken pipe, and not its effect.
        if feeding.error and not isinstance(feeding.error, BrokenPipeError):
            raise feeding.error
        if status or feeding.error:
            said.seek(0)
            message = said.read().decode(errors="backslashreplace").strip()
            raise RuntimeError(f"openssl failed with status {status}: {message}")


class _Feeding(threading.Thread):
    """Writes pieces to a program, which meanwhile is read from, and keeps what went wrong."""

    def __init__(self, pieces: Iterable[bytes], to: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.pieces, self.to = pieces, to
        self.error: Optional[BaseException] = None

    def run(self) -> None:
        try:
            with self.to as to:
                for piece in self.pieces:
                    to.write(piece)
        except BaseException as error:
            self.error = error
