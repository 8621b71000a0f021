# SPDX-License-Identifier: MIT
"""Run `sandbox` and kill it (SIGKILL) at a call of one of its functions.

    python -m tests.harness.killed MODULE:NAME[.METHOD]:before|after[:NUMBER] ARGUMENTS...

The process dies before the call, or after it has returned; at the first call, or at that NUMBER.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from typing import Any


def plant(point: str) -> None:
    """Replace the function that *point* names by one that kills this process."""
    module, name, moment, *rest = point.split(":")
    left = int(rest[0]) if rest else 1
    *path, last = name.split(".")
    owner: Any = importlib.import_module(module)
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, last)

    @functools.wraps(original)
    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, deadly)


if __name__ == "__main__":
    plant(sys.argv[1])
    from sandbox.cli.main import main

    sys.exit(main(sys.argv[2:]))
