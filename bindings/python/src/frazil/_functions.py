"""Every function of the interface that this package calls, with what it returns and takes.

As `include/frazil.h` declares them; a test holds them against it.
"""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, List, Tuple

from . import _structs as structs
from ._callbacks import READ, TOLD, WRITE

Declaration = Tuple[Any, List[Any]]

_PATH = c_char_p
_DATA = c_void_p
_HANDLE = c_void_p
_USER_DATA = c_void_p
# Places for what a function gives: objects, a number of bytes, and an error.
_OUT = POINTER(c_void_p)
_LEN_OUT = POINTER(c_size_t)
_ERROR = POINTER(c_void_p)
_PATHS = POINTER(c_char_p)
_SIGNATURE = c_void_p

_LEVEL_OPTIONS = POINTER(structs.LevelOptions)
_LEVEL_SUMMARY = POINTER(structs.LevelSummary)
_PATCH_OPTIONS = POINTER(structs.PatchOptions)
_PATCH_SUMMARY = POINTER(structs.PatchSummary)
_BACKUP_OPTIONS = POINTER(structs.BackupOptions)
_BACKUP_SUMMARY = POINTER(structs.BackupSummary)
_RESTORE_OPTIONS = POINTER(structs.RestoreOptions)
_RESTORE_SUMMARY = POINTER(structs.RestoreSummary)
_LEVEL_HEADER = POINTER(structs.LevelHeader)
_ARCHIVE_SUMMARY = POINTER(structs.ArchiveSummary)
_VERIFY_OPTIONS = POINTER(structs.VerifyOptions)
_VERIFY_SUMMARY = POINTER(structs.VerifySummary)
_OBSERVER = POINTER(structs.Observer)
_INPUTS = POINTER(structs.Input)
_INSPECTION = POINTER(structs.Inspection)
_SNAPSHOT_SUMMARY = POINTER(structs.SnapshotSummary)


def _status(*arguments: Any) -> Declaration:
    """A function that returns a status, and takes the place for an error last."""
    return c_int, [*arguments, _ERROR]


def _free() -> Declaration:
    return None, [_HANDLE]


_READ = _status(_HANDLE, _DATA, c_size_t, _LEN_OUT)
_FEED = _status(_HANDLE, _DATA, c_size_t)
_PATCH_END = (_PATCH_OPTIONS, _PATCH_SUMMARY)
_RESTORE_END = (_PATH, _RESTORE_OPTIONS, _RESTORE_SUMMARY)
_SNAPSHOT_END = (TOLD, _USER_DATA, _SNAPSHOT_SUMMARY)
_VERIFY_END = (c_size_t, _PATH, _VERIFY_OPTIONS, TOLD, _USER_DATA, _VERIFY_SUMMARY)
_LEVEL_END = (_SIGNATURE, _LEVEL_OPTIONS, _OUT)

CORE: Dict[str, Declaration] = {
    "frazil_version": (c_char_p, []),
    "frazil_librsync_version": (c_char_p, []),
    "frazil_error_status": (c_int, [_HANDLE]),
    "frazil_error_message": (c_char_p, [_HANDLE]),
    "frazil_error_path": (c_char_p, [_HANDLE]),
    "frazil_error_offset": (c_uint64, [_HANDLE]),
    "frazil_error_os_code": (c_int, [_HANDLE]),
    "frazil_error_free": _free(),
    "frazil_signature_of_path": _status(_PATH, _LEVEL_OPTIONS, _OUT),
    "frazil_signature_of_fd": _status(c_int, _LEVEL_OPTIONS, _OUT),
    "frazil_signature_of_stream": _status(READ, _USER_DATA, _LEVEL_OPTIONS, _OUT),
    "frazil_signature_load": _status(_PATH, c_uint64, _OUT),
    "frazil_signature_load_fd": _status(c_int, c_uint64, _OUT),
    "frazil_signature_load_stream": _status(READ, _USER_DATA, c_uint64, _OUT),
    "frazil_signature_load_data": _status(_DATA, c_size_t, _OUT),
    "frazil_signature_save": _status(_SIGNATURE, _PATH, c_int),
    "frazil_signature_save_stream": _status(_SIGNATURE, c_int, WRITE, _USER_DATA),
    "frazil_signature_block_len": (c_uint32, [_SIGNATURE]),
    "frazil_signature_strong_len": (c_uint32, [_SIGNATURE]),
    "frazil_signature_weak_sum": (c_int, [_SIGNATURE]),
    "frazil_signature_strong_sum": (c_int, [_SIGNATURE]),
    "frazil_signature_block_count": (c_uint64, [_SIGNATURE]),
    "frazil_signature_length": (c_uint64, [_SIGNATURE]),
    "frazil_signature_is_dirty": (c_int, [_SIGNATURE]),
    "frazil_signature_identity": _status(_SIGNATURE, POINTER(structs.Identity)),
    "frazil_signature_block": _status(_SIGNATURE, c_uint64, POINTER(structs.BlockSum)),
    "frazil_signature_free": _free(),
    "frazil_comparison_open": _status(_SIGNATURE, _SIGNATURE, _OUT),
    "frazil_comparison_open_paths": _status(_PATH, _PATH, _OUT),
    "frazil_comparison_next": _status(_HANDLE, POINTER(structs.Range)),
    "frazil_comparison_free": _free(),
    "frazil_inspection_of_path": _status(_PATH, _INSPECTION),
    "frazil_inspection_of_fd": _status(c_int, _INSPECTION),
    "frazil_inspection_of_stream": _status(READ, _USER_DATA, _INSPECTION),
    "frazil_level_open": _status(_PATH, *_LEVEL_END),
    "frazil_level_open_fd": _status(c_int, *_LEVEL_END),
    "frazil_level_open_stream": _status(READ, _USER_DATA, *_LEVEL_END),
    "frazil_level_read": _READ,
    "frazil_level_finish": _status(_HANDLE, _OUT, _LEVEL_SUMMARY),
    "frazil_level_free": _free(),
    "frazil_level_file": _status(_PATH, _SIGNATURE, _PATH, _LEVEL_OPTIONS, _OUT, _LEVEL_SUMMARY),
    "frazil_level_writer_new": _status(_SIGNATURE, _LEVEL_OPTIONS, WRITE, _USER_DATA, _OUT),
    "frazil_level_writer_feed": _FEED,
    "frazil_level_writer_finish": _status(_HANDLE, _OUT, _LEVEL_SUMMARY),
    "frazil_level_writer_free": _free(),
    "frazil_patch_open": _status(_PATH, _PATH, _PATCH_OPTIONS, _OUT),
    "frazil_patch_open_fd": _status(_PATH, c_int, _PATCH_OPTIONS, _OUT),
    "frazil_patch_open_stream": _status(_PATH, READ, _USER_DATA, _PATCH_OPTIONS, _OUT),
    "frazil_patch_open_chain_inputs": _status(_PATH, _INPUTS, c_size_t, _PATCH_OPTIONS, _OUT),
    "frazil_patch_read": _READ,
    "frazil_patch_finish": _status(_HANDLE, _PATCH_SUMMARY),
    "frazil_patch_free": _free(),
    "frazil_patch_writer_new": _status(_PATH, _PATCH_OPTIONS, WRITE, _USER_DATA, _OUT),
    "frazil_patch_writer_new_file": _status(_PATH, _PATH, _PATCH_OPTIONS, _OUT),
    "frazil_patch_writer_feed": _FEED,
    "frazil_patch_writer_finish": _status(_HANDLE, _PATCH_SUMMARY),
    "frazil_patch_writer_free": _free(),
    "frazil_patch_file": _status(_PATH, _PATH, _PATH, *_PATCH_END),
    "frazil_patch_file_fd": _status(_PATH, c_int, _PATH, *_PATCH_END),
    "frazil_patch_file_stream": _status(_PATH, READ, _USER_DATA, _PATH, *_PATCH_END),
    "frazil_patch_file_chain_inputs": _status(_PATH, _INPUTS, c_size_t, _PATH, *_PATCH_END),
    "frazil_patch_in_place": _status(_PATH, _PATH, *_PATCH_END),
    "frazil_patch_from_file": _status(_PATH, _PATH, READ, _USER_DATA, *_PATCH_END),
    "frazil_patch_from_stream": _status(READ, _USER_DATA, _PATH, *_PATCH_END),
}

TREES: Dict[str, Declaration] = {
    "frazil_backup_open": _status(_PATH, _PATH, _PATH, _BACKUP_OPTIONS, _OUT),
    "frazil_backup_read": _READ,
    "frazil_backup_finish": _status(_HANDLE, _BACKUP_SUMMARY),
    "frazil_backup_free": _free(),
    "frazil_restore_open": _status(_PATH, _RESTORE_OPTIONS, _OUT),
    "frazil_restore_feed": _FEED,
    "frazil_restore_finish": _status(_HANDLE, _RESTORE_SUMMARY),
    "frazil_restore_free": _free(),
    "frazil_restore_tree": _status(_PATH, *_RESTORE_END),
    "frazil_restore_tree_fd": _status(c_int, *_RESTORE_END),
    "frazil_restore_tree_stream": _status(READ, _USER_DATA, *_RESTORE_END),
    "frazil_restore_conclude": _status(_PATH),
    "frazil_restore_level": _status(_PATH, POINTER(structs.LevelId)),
    "frazil_restore_recover": _status(_PATH, _OBSERVER, POINTER(structs.Recovery)),
    "frazil_archive_header": _status(_PATH, _LEVEL_HEADER),
    "frazil_archive_header_fd": _status(c_int, _LEVEL_HEADER),
    "frazil_archive_header_stream": _status(READ, _USER_DATA, _LEVEL_HEADER),
    "frazil_archive_list": _status(_PATH, TOLD, _USER_DATA, _ARCHIVE_SUMMARY),
    "frazil_archive_list_fd": _status(c_int, TOLD, _USER_DATA, _ARCHIVE_SUMMARY),
    "frazil_archive_list_stream": _status(READ, _USER_DATA, TOLD, _USER_DATA, _ARCHIVE_SUMMARY),
    "frazil_archive_verify": _status(_PATH, _OBSERVER, _ARCHIVE_SUMMARY),
    "frazil_archive_verify_fd": _status(c_int, _OBSERVER, _ARCHIVE_SUMMARY),
    "frazil_archive_verify_stream": _status(READ, _USER_DATA, _OBSERVER, _ARCHIVE_SUMMARY),
    "frazil_snapshot_list": _status(_PATH, *_SNAPSHOT_END),
    "frazil_snapshot_list_fd": _status(c_int, *_SNAPSHOT_END),
    "frazil_snapshot_list_stream": _status(READ, _USER_DATA, *_SNAPSHOT_END),
    "frazil_tree_verify": _status(_PATHS, *_VERIFY_END),
    "frazil_tree_verify_fd": _status(POINTER(c_int), *_VERIFY_END),
    "frazil_tree_verify_stream": _status(READ, POINTER(c_void_p), *_VERIFY_END),
    "frazil_libarchive_version": (c_char_p, []),
}
