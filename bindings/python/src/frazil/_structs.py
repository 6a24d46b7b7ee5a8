"""The structs of the interface, as `include/frazil.h` declares them; a test holds them against it."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Type, TypeVar

from ._callbacks import ASKED, NOTED, READ_AT, TOLD, WRITE

UNKNOWN = 2**64 - 1

StructType = TypeVar("StructType", bound=ctypes.Structure)


def sized(struct: Type[StructType]) -> StructType:
    """A struct that begins with its size, and is zero but for that."""
    made = struct()
    made.size = ctypes.sizeof(struct)
    return made


class Progress(ctypes.Structure):
    _fields_ = [
        ("done_bytes", c_uint64),
        ("total_bytes", c_uint64),
        ("stream_bytes", c_uint64),
        ("entries", c_uint64),
    ]


class Observer(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("user_data", c_void_p),
        ("progress", TOLD),
        ("problem", TOLD),
        ("cancelled", ASKED),
        ("entry", TOLD),
        ("note", TOLD),
        ("restoring", TOLD),
        ("missing", NOTED),
    ]


class EntryReport(ctypes.Structure):
    _fields_ = [
        ("path", c_char_p),
        ("action", c_int),
        ("reason", c_int),
        ("bytes", c_uint64),
    ]


class LevelOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("block_len", c_uint32),
        ("strong_len", c_uint32),
        ("weak_sum", c_int),
        ("strong_sum", c_int),
        ("format", c_int),
        ("matching", c_int),
        ("engine", c_int),
        ("threads", c_uint32),
        ("memory_limit", c_uint64),
        ("target_len", c_uint64),
        ("basis_path", c_char_p),
        ("allow_weak", c_int),
        ("no_signature", c_int),
        ("write_signature", WRITE),
        ("signature_user_data", c_void_p),
        ("signature_format", c_int),
        ("trust_holes", c_int),
        ("observer", ctypes.POINTER(Observer)),
        ("basis_signature_path", c_char_p),
        ("no_identity", c_int),
        ("reserved", c_int),
    ]


class Input(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("fd", c_int),
        ("path", c_char_p),
        ("read_at", READ_AT),
        ("user_data", c_void_p),
        ("length", c_uint64),
    ]


class PatchOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("max_output", c_uint64),
        ("index_memory", c_uint64),
        ("verify_basis", c_int),
        ("replace", c_int),
        ("threads", c_uint32),
        ("reserved", c_uint32),
        ("observer", ctypes.POINTER(Observer)),
        ("basis", ctypes.POINTER(Input)),
    ]


class Identity(ctypes.Structure):
    _fields_ = [
        ("length", c_uint64),
        ("crc32", c_uint32),
        ("leaf_len", c_uint32),
        ("fingerprint", c_uint8 * 32),
    ]


class PatchSummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("output_bytes", c_uint64),
        ("stream_bytes", c_uint64),
        ("identity", Identity),
        ("verified", c_int),
        ("dirty", c_int),
        ("weak", c_int),
        ("reserved", c_int),
    ]


class BlockSum(ctypes.Structure):
    _fields_ = [("weak_sum", c_uint32), ("strong_sum", c_uint8 * 32)]


class Range(ctypes.Structure):
    _fields_ = [("offset", c_uint64), ("len", c_uint64), ("from", c_uint64), ("kind", c_int)]


class Inspection(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("stream_bytes", c_uint64),
        ("kind", c_int),
        ("format", c_int),
        ("block_len", c_uint32),
        ("strong_len", c_uint32),
        ("weak_sum", c_int),
        ("strong_sum", c_int),
        ("block_count", c_uint64),
        ("copy_commands", c_uint64),
        ("copy_bytes", c_uint64),
        ("literal_bytes", c_uint64),
        ("zero_bytes", c_uint64),
        ("has_basis", c_int),
        ("basis_leaf_len", c_uint32),
        ("basis_len", c_uint64),
        ("basis_fingerprint", c_uint8 * 32),
        ("identity", Identity),
        ("has_identity", c_int),
        ("dirty", c_int),
        ("weak", c_int),
        ("reserved", c_int),
    ]


class LevelSummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("source_bytes", c_uint64),
        ("stream_bytes", c_uint64),
        ("copy_bytes", c_uint64),
        ("literal_bytes", c_uint64),
        ("zero_bytes", c_uint64),
        ("copy_commands", c_uint64),
        ("identity", Identity),
        ("dirty", c_int),
        ("matching", c_int),
    ]


class Selection(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("excludes", ctypes.POINTER(c_char_p)),
        ("exclude_count", c_size_t),
        ("exclude_marked", ctypes.POINTER(c_char_p)),
        ("exclude_marked_count", c_size_t),
        ("exclude_caches", c_int),
        ("nodump", c_int),
        ("one_file_system", c_int),
        ("reserved", c_int),
    ]


class BackupOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("filter", c_int),
        ("matching", c_int),
        ("block_len", c_uint32),
        ("threads", c_uint32),
        ("memory_limit", c_uint64),
        ("link_memory", c_uint64),
        ("dereference", c_int),
        ("always_read", c_int),
        ("ignore_ctime", c_int),
        ("ignore_inode", c_int),
        ("trust_holes", c_int),
        ("compare_device", c_int),
        ("selection", ctypes.POINTER(Selection)),
        ("leave_out_fds", ctypes.POINTER(c_int)),
        ("leave_out_fd_count", c_size_t),
        ("observer", ctypes.POINTER(Observer)),
    ]


class LevelId(ctypes.Structure):
    _fields_ = [("bytes", c_uint8 * 16)]


class LevelHeader(ctypes.Structure):
    _fields_ = [
        ("id", LevelId),
        ("parent", LevelId),
        ("root", LevelId),
        ("created", c_int64),
        ("number", c_uint32),
        ("block_len", c_uint32),
        ("has_parent", c_int),
        ("reserved", c_int),
    ]


class BackupSummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("header", LevelHeader),
        ("entries", c_uint64),
        ("files_read", c_uint64),
        ("source_bytes", c_uint64),
        ("content_bytes", c_uint64),
        ("stream_bytes", c_uint64),
        ("full", c_uint64),
        ("deltas", c_uint64),
        ("copies", c_uint64),
        ("links", c_uint64),
        ("metadata", c_uint64),
        ("deleted", c_uint64),
        ("problems", c_uint64),
    ]


class OwnerChange(ctypes.Structure):
    _fields_ = [("from", c_uint32), ("to", c_uint32)]


class RestoreOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("overwrite", c_int),
        ("accept_partial", c_int),
        ("keep_going", c_int),
        ("privileged", c_int),
        ("numeric_owner", c_int),
        ("dry_run", c_int),
        ("sync", c_int),
        ("threads", c_uint32),
        ("max_file_len", c_uint64),
        ("assume_parent", ctypes.POINTER(LevelId)),
        ("paths", ctypes.POINTER(c_char_p)),
        ("path_count", c_size_t),
        ("strip", c_size_t),
        ("prefix", c_char_p),
        ("users", ctypes.POINTER(OwnerChange)),
        ("user_count", c_size_t),
        ("groups", ctypes.POINTER(OwnerChange)),
        ("group_count", c_size_t),
        ("verify_parent", c_int),
        ("reserved", c_int),
        ("max_output", c_uint64),
        ("observer", ctypes.POINTER(Observer)),
    ]


class RestoreSummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("header", LevelHeader),
        ("entries", c_uint64),
        ("files", c_uint64),
        ("output_bytes", c_uint64),
        ("deleted", c_uint64),
        ("problems", c_uint64),
        ("backup_problems", c_uint64),
        ("already_there", c_int),
        ("whole", c_int),
        ("missing", c_uint64),
    ]


class Recovery(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("kind", c_int), ("has_level", c_int), ("level", LevelId)]


class ArchiveSummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("header", LevelHeader),
        ("records", c_uint64),
        ("content_bytes", c_uint64),
        ("problems", c_uint64),
    ]


class Metadata(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("mode", c_uint32),
        ("uid", c_uint32),
        ("gid", c_uint32),
        ("modified_seconds", c_int64),
        ("modified_nanoseconds", c_uint32),
        ("device_major", c_uint32),
        ("device_minor", c_uint32),
        ("size", c_uint64),
        ("user", c_char_p),
        ("group", c_char_p),
        ("target", c_char_p),
    ]


class Entry(ctypes.Structure):
    _fields_ = [
        ("path", c_char_p),
        ("from", c_char_p),
        ("metadata", ctypes.POINTER(Metadata)),
        ("fingerprint", ctypes.POINTER(c_uint8 * 32)),
        ("action", c_int),
        ("closes", c_int),
        ("dirty", c_int),
    ]


class SnapshotSummary(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("header", LevelHeader), ("entries", c_uint64)]


class SnapshotEntry(ctypes.Structure):
    _fields_ = [
        ("path", c_char_p),
        ("link", c_char_p),
        ("metadata", ctypes.POINTER(Metadata)),
        ("fingerprint", ctypes.POINTER(c_uint8 * 32)),
        ("block_count", c_uint64),
        ("dirty", c_int),
        ("racy", c_int),
        ("stale", c_int),
    ]


class VerifyOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("selection", ctypes.POINTER(Selection)),
        ("observer", ctypes.POINTER(Observer)),
        ("dereference", c_int),
        ("reserved", c_int),
    ]


class VerifySummary(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("header", LevelHeader),
        ("entries", c_uint64),
        ("source_bytes", c_uint64),
        ("differences", c_uint64),
    ]


class Difference(ctypes.Structure):
    _fields_ = [("path", c_char_p), ("kind", c_int)]
