# SPDX-License-Identifier: MIT
"""The folder below which all temporary folders of one test run lie.

pytest's own clean-up walks a tree by recursion in Python, and fails on what a killed test of
long paths left behind: 4,000 directories, one in the other. `rm -rf` removes them.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile

PREFIX = "run-"


def make_run_folder(top: pathlib.Path | None = None) -> pathlib.Path:
    """Return a new path below *top* for this process; remove what runs that ended left there."""
    top = top or pathlib.Path(tempfile.gettempdir()) / f"sandbox-tests-{os.getuid()}"
    top.mkdir(mode=0o700, exist_ok=True)
    for folder in top.glob(f"{PREFIX}*"):
        if not pathlib.Path("/proc", folder.name.removeprefix(PREFIX)).exists():
            remove(folder)
    return top / f"{PREFIX}{os.getpid()}"


def remove(folder: pathlib.Path) -> None:
    """Remove a tree of any depth, with folders that nobody may enter."""
    subprocess.run(["chmod", "-R", "u+rwx", folder], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)
