# SPDX-License-Identifier: MIT
"""The compiled modules of the command in one file, in the user's cache directory.

Why: a start imports two hundred modules. Python looks for each of them in several directories and
opens, examines and reads a file for each (docs/decisions/0018-modules-in-one-file.md).

Rules: a module comes from the cache only if its source file has the size and the time that it had
when it was compiled, which is Python's own rule for its .pyc files. The cache belongs to the user,
and nobody else may write it. One that cannot be read or written changes nothing. It holds what
Python found along this `sys.path`, and its name depends on that.

Does not know: which modules there are.
"""

# What this file imports, typing among it, does not come from the cache.
import marshal
import mmap
import os
import sys
import zlib
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_Row = tuple[int, int, str, str, bool, int, int]
"""Offset and length of the code, source file, .pyc file, whether it is a package, time, size."""

_Code = tuple[str, tuple[object, ...], bytes | memoryview]

_Loader: type = type(__spec__.loader)
_Spec: type = type(__spec__)

_MAGIC = b"sandbox modules 1\n"
_HEAD = len(_MAGIC) + 8  # then the length of the table
_FEW = 8  # modules that are imported the slow way before the file is written again
_KEPT = 4  # files, of other versions or other places of the program
_OTHERS_MAY_WRITE = 0o022
_PRIVATE = 0o700


class _CachedLoader(_Loader):  # type: ignore[misc]
    """Python's own loader, with the code at hand."""

    code: memoryview

    def get_code(self, fullname: str) -> object:
        """Return the code of the module."""
        return marshal.loads(self.code)  # noqa: S302 - the user's own file


class ModuleCache:
    """Finds modules in the file; `save` adds those that were not in it."""

    def __init__(self, path: str) -> None:
        """Open the file, which may not exist."""
        self._path = path
        self._rows: dict[str, _Row] = {}
        self._data = memoryview(b"")
        self._before = frozenset(sys.modules)
        try:
            self._open()
        except (OSError, ValueError, EOFError, TypeError):
            self._rows = {}

    def _open(self) -> None:
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            status = os.fstat(fd)
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                return
            self._data = memoryview(mmap.mmap(fd, status.st_size, access=mmap.ACCESS_READ))
        finally:
            os.close(fd)
        if self._data[: len(_MAGIC)] == _MAGIC:
            end = _HEAD + int.from_bytes(self._data[len(_MAGIC) : _HEAD], "little")
            self._rows = marshal.loads(self._data[_HEAD:end])  # noqa: S302

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """Return the specification of a module whose source is as it was; else None."""
        row = self._rows.get(name)
        if row is None:
            return None
        offset, length, source, cached, is_package, *facts = row
        try:
            status = os.stat(source)
        except OSError:
            return None
        if [status.st_mtime_ns, status.st_size] != facts:
            return None
        loader = _CachedLoader(name, source)
        loader.code = self._data[offset : offset + length]
        spec = _Spec(name, loader, origin=source, is_package=is_package)
        spec.cached = cached
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def save(self) -> None:
        """Write the file again if several modules were not in it."""
        slow = [
            name
            for name, module in list(sys.modules.items())
            if name not in self._before
            and type(getattr(getattr(module, "__spec__", None), "loader", None)) is _Loader
        ]
        if len(slow) < _FEW:
            return
        try:
            self._write(slow)
        except (OSError, ImportError, SyntaxError, ValueError):
            return

    def _write(self, slow: list[str]) -> None:
        codes: list[_Code] = [
            (name, row[2:], self._data[row[0] : row[0] + row[1]])
            for name, row in self._rows.items()
            if name not in slow
        ]
        for name in slow:
            spec: Any = sys.modules[name].__spec__
            places = spec.submodule_search_locations
            if not spec.cached or list(places or ()) not in ([], [os.path.dirname(spec.origin)]):
                continue
            status = os.stat(spec.origin)  # before the code is read, so that it is never too new
            facts = (places is not None, status.st_mtime_ns, status.st_size)
            code = marshal.dumps(spec.loader.get_code(name))
            codes.append((name, (spec.origin, spec.cached, *facts), code))
        _write_file(self._path, codes)
        _remove_old(os.path.dirname(self._path))


def _write_file(path: str, codes: list[_Code]) -> None:
    def table(first: int) -> bytes:
        rows, offset = {}, first
        for name, facts, code in codes:
            rows[name] = (offset, len(code), *facts)
            offset += len(code)
        return marshal.dumps(rows)

    # Numbers have a fixed width in this format, so the offsets do not change the length.
    head = table(_HEAD + len(table(0)))
    os.makedirs(os.path.dirname(path), _PRIVATE, exist_ok=True)
    draft = f"{path}.{os.getpid()}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(_MAGIC + len(head).to_bytes(8, "little") + head)
            file.writelines(code for _, _, code in codes)
        os.rename(draft, path)
    except OSError:
        os.unlink(draft)
        raise


def _remove_old(directory: str) -> None:
    """Remove all but the newest files."""
    paths = [f"{directory}/{name}" for name in os.listdir(directory) if name.startswith("modules-")]
    paths.sort(key=os.path.getmtime, reverse=True)
    for path in paths[_KEPT:]:
        os.unlink(path)


def path_of(environ: Mapping[str, str]) -> str | None:
    """Return the file for this interpreter and `sys.path`; None if there shall be none."""
    if not __file__.endswith(".py") or _Loader.__name__ != "SourceFileLoader":
        return None
    home = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME", ""), ".cache")
    if not home.startswith("/"):
        return None
    facts = [sys.version, sys.implementation.cache_tag, sys.flags.optimize, *sys.path]
    return f"{home}/sandbox/modules-{zlib.crc32(repr(facts).encode()):08x}"


def installed() -> ModuleCache | None:
    """Put the cache before Python's own finders."""
    # A program that is started by `python -m` looks for modules in the working directory first.
    if sys.path[:1] == [os.getcwd()] or "SANDBOX_NO_MODULE_CACHE" in os.environ:
        return None
    path = path_of(os.environ)
    if path is None:
        return None
    cache = ModuleCache(path)
    sys.meta_path.insert(0, cache)  # type: ignore[arg-type]
    return cache
