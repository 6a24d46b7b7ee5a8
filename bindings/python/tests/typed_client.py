"""What callers write, for mypy alone: it has to be right under --strict, and what is marked has to be wrong."""

import gzip
import io
import os
import pathlib
import socket
from typing import Iterator, List, Optional

import frazil


def pieces(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(10_007):
            yield piece


def sources(connection: socket.socket, path: pathlib.Path) -> List[frazil.Signature]:
    with gzip.open(path) as compressed, open(path, "rb", buffering=0) as raw:
        return [
            frazil.gen_sig_from_stream(connection),
            frazil.gen_sig_from_stream(compressed),
            frazil.gen_sig_from_stream(raw),
            frazil.gen_sig_from_stream(raw.fileno()),
            frazil.gen_sig_from_stream(pieces(os.fspath(path))),
            frazil.gen_sig_from_stream(memoryview(b"content")),
            frazil.gen_sig_from_file(path, block_len=4096, weak_sum="rollsum"),
        ]


def sinks(path: bytes, signature: Optional[frazil.Signature]) -> int:
    collected, listed, buffer = bytearray(), list[bytes](), io.BytesIO()
    frazil.gen_sig_from_file(path, signature, delta_to=collected.extend)
    frazil.gen_sig_from_file(path, signature, delta_to=listed.append)
    summary: frazil.LevelSummary
    with frazil.LevelWriter(buffer, signature) as writer:
        writer.write(collected)
    summary = writer.summary
    with frazil.Level.of_file(path) as level:
        for chunk in level.chunks(1 << 20):
            buffer.write(chunk)
        new: frazil.Signature = level.finish()
        summary = level.summary
    return summary.stream_bytes + len(new.blocks)


def options(path: str, more: bool) -> frazil.PatchSummary:
    given: frazil.PatchOptions = {"replace": True, "progress": lambda progress: print(progress.done_bytes)}
    if more:
        given["verify_basis"] = "after"
    return frazil.patch_file(None, path, path + ".new", **given)


def trees(root: "os.PathLike[str]", destination: str) -> Optional[str]:
    archive = io.BytesIO()
    made: frazil.BackupSummary = frazil.backup_tree(root, archive, "snapshot", excludes=["*.o", b"core"])
    entries: List[frazil.Entry] = []
    frazil.list_archive(memoryview(archive.getvalue()), entries.append)
    told: frazil.Told[frazil.TreeEntry] = print
    frazil.list_archive(memoryview(archive.getvalue()), told)
    with frazil.iter_archive(archive) as listing:
        entries += listing
        records: int = listing.summary.records
    found: List[frazil.Difference] = list(frazil.iter_differences([archive, "archive.1"], root, excludes=["*.o"]))
    try:
        with frazil.TreeRestore(destination, users={1000: 1001}) as restore:
            restore.write(archive.getbuffer())
    except frazil.FileNotFoundError as error:
        return str(error.filename) + str(records) + str(found)
    except frazil.IoError as error:
        return error.path
    except frazil.Error as error:
        return str(error.offset)
    return str(restore.summary.output_bytes - made.source_bytes)


def wrong(signature: frazil.Signature) -> None:
    frazil.Level(7.5)  # type: ignore[arg-type]
    frazil.Level(b"", no_such_option=1)  # type: ignore[call-arg]
    frazil.Level(b"", format="tar")  # type: ignore[arg-type]
    frazil.gen_sig_from_file("path", "signature")  # type: ignore[arg-type]
    signature.compare(None)  # type: ignore[arg-type]
