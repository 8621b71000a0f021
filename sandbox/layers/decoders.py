# SPDX-License-Identifier: MIT
"""Decoders of xz and zstd that ask for memory before they use it.

How it works: the header of each frame names the size of its window. The decoder asks for that
many bytes before it decodes the frame, and returns them afterwards.

Sources: RFC 8878 (zstd), section 3.1.1.1; xz-file-format 1.1.0, sections 2 and 3.1.
"""

from __future__ import annotations

import lzma
from typing import IO, TYPE_CHECKING, Any

from sandbox.errors import Unsupported

if TYPE_CHECKING:
    from sandbox.layers.memory_budget import Share

_CHUNK = 256 * 1024
_OWN = 1024 * 1024  # bytes that a decoder needs besides its window
_ZSTD_HEAD = 18
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_XZ_HEAD = 12 + 1024  # bytes: the headers of the stream and of its first block
_LZMA2 = 0x21


class Xz:
    """Decompresses one or more xz streams."""

    def __init__(self, raw: IO[bytes], share: Share) -> None:
        self._raw = raw
        self._share = share
        self._data = b""  # not yet passed to the decoder
        self._decoder: lzma.LZMADecompressor | None = None

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes; b"" at the end."""
        while size:
            if self._decoder is None and not self._begin():
                break
            assert self._decoder is not None
            if self._decoder.needs_input and not self._data:
                self._data = self._raw.read(_CHUNK)
                if not self._data:
                    raise EOFError
            piece, self._data = self._data, b""
            data = self._decoder.decompress(piece, size)
            if self._decoder.eof:
                self._data, self._decoder = self._decoder.unused_data, None
                self._share.window(0)
            if data:
                return data
        return b""

    def _begin(self) -> bool:
        """Begin the stream that follows the padding; return False at the end."""
        self._data = self._data.lstrip(b"\0")
        while not self._data and (more := self._raw.read(_CHUNK)):
            self._data = more.lstrip(b"\0")
        if not self._data:
            return False
        self._data = _filled(self._raw, self._data, _XZ_HEAD)
        need = xz_window(self._data) + _OWN
        self._share.window(need)
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=need)
        return True


class Zstd:
    """Decompresses the frames of a zstd file."""

    def __init__(self, raw: IO[bytes], share: Share) -> None:
        self._module = _zstd_module()
        self._raw = raw
        self._share = share
        self._data = b""  # not yet passed to the decoder
        self._decoder: Any = None

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes; b"" at the end."""
        while size:
            if self._decoder is None and not self._begin():
                break
            if self._decoder.needs_input and not self._data:
                self._data = self._raw.read(_CHUNK)
                if not self._data:
                    raise EOFError
            piece, self._data = self._data, b""
            data: bytes = self._decoder.decompress(piece, size)
            if self._decoder.eof:
                self._data, self._decoder = self._decoder.unused_data, None
            if data:
                return data
        return b""

    def _begin(self) -> bool:
        """Begin the next frame; return False at the end."""
        self._data = _filled(self._raw, self._data, _ZSTD_HEAD)
        if not self._data:
            self._share.window(0)
            return False
        window = zstd_window(self._data)
        self._share.window(window + _OWN)
        log = max(10, (window - 1).bit_length())
        option = self._module.DecompressionParameter.window_log_max
        if log > option.bounds()[1]:
            raise Unsupported(f"zstd: a window of {window} bytes")
        self._decoder = self._module.ZstdDecompressor(options={option: log})
        return True


def zstd_window(head: bytes) -> int:
    """Return the window size of a frame in bytes; 0 if *head* does not begin a frame.

    >>> zstd_window(bytes.fromhex("28b52ffd 00 58"))
    2097152
    """
    if head[:4] != _ZSTD_MAGIC or len(head) < 6:
        return 0
    flags = head[4]
    is_single = bool(flags & 0x20)
    at = 5 if is_single else 6
    at += (0, 1, 2, 4)[flags & 3]
    width = (1 if is_single else 0, 2, 4, 8)[flags >> 6]
    content = int.from_bytes(head[at : at + width], "little") + (256 if width == 2 else 0)
    if is_single:
        return content
    base = 1 << (10 + (head[5] >> 3))
    window = base + base // 8 * (head[5] & 7)
    return min(window, content) if width else window


def xz_window(head: bytes) -> int:
    """Return the dictionary size of a stream's first block in bytes; 0 if it names none."""
    length = (head[12] + 1) * 4 if len(head) > 12 else 0
    block = head[12 : 12 + length]
    if len(block) < 8 or not block[0]:
        return 0
    at = 2
    for flag in (0x40, 0x80):  # the optional compressed and uncompressed sizes
        if block[1] & flag:
            at = _number(block, at)[1]
    for _ in range((block[1] & 3) + 1):
        name, at = _number(block, at)
        size, at = _number(block, at)
        if name == _LZMA2 and size == 1 and at < len(block):
            bits = block[at] & 0x3F
            return 2**32 - 1 if bits >= 40 else (2 | bits & 1) << (bits // 2 + 11)
        at += size
    return 0


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length integer at *at* (7 bits a byte), and the offset after it."""
    value = shift = 0
    while at < len(data) and shift < 63:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at


def _filled(raw: IO[bytes], data: bytes, size: int) -> bytes:
    """Return *data* and bytes that follow it: at least *size*, unless the stream ends."""
    while len(data) < size and (more := raw.read(_CHUNK)):
        data += more
    return data


def _zstd_module() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[no-redef,unused-ignore]
        except ImportError as exc:
            raise Unsupported("zstd needs the Python package backports.zstd") from exc
    return zstd
