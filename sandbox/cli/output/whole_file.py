# SPDX-License-Identifier: MIT
"""Output files that appear only once they are complete."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def whole_file(path: str | None) -> Iterator[Callable[[bytes], object]]:
    """Give a function that writes to *path*, which appears complete, or standard output."""
    if path is None:
        yield sys.stdout.buffer.write
        return
    draft = f"{path}.{os.getpid()}.part"
    with map_os_errors(f"cannot write {path}"):
        try:
            with open(draft, "xb") as file:
                yield file.write
            os.replace(draft, path)
        except BaseException:
            if os.path.exists(draft):
                os.unlink(draft)
            raise
