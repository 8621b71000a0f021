# SPDX-License-Identifier: MIT
"""Never run a test as root: a test that passes only as root proves nothing here.

Started as root, pytest executes itself again as a throwaway user with an empty capability
bounding set and no_new_privs. Where that user cannot read the checkout or the interpreter, the
run ends with one line that names `make test`, which copies both.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from tests.harness.network import second_user

UID = int(os.environ.get("SANDBOX_TEST_UID", "12345"))
ROOT = pathlib.Path(__file__).resolve().parents[2]


def setpriv_command() -> list[str]:
    """Return the command that runs its arguments as the throwaway user."""
    return [
        "setpriv",
        f"--reuid={UID}",
        f"--regid={UID}",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--no-new-privs",
    ]


def capability_sets() -> dict[str, int]:
    """Return the capability sets of this process."""
    status = pathlib.Path("/proc/self/status").read_text()
    rows = (line.split(":\t") for line in status.splitlines() if line[:3] == "Cap")
    return {name: int(value, 16) for name, value in rows}


def can_run_here() -> bool:
    """Tell whether the throwaway user can read this checkout with this Python."""
    probe = f"import pytest, os; os.stat({str(ROOT / 'tests/conftest.py')!r})"
    command = [*setpriv_command(), sys.executable, "-c", probe]
    try:
        done = subprocess.run(command, capture_output=True, check=False, cwd="/")
    except OSError:
        return False
    return done.returncode == 0


def throwaway_home() -> str:
    """Return the user's folder, the same one each time: nothing piles up."""
    home = pathlib.Path(tempfile.gettempdir()) / f"sandbox-test-{UID}"
    if not home.exists():  # a run at the same time must never see it without its owner
        fresh = tempfile.mkdtemp(dir=home.parent)
        os.chown(fresh, UID, UID)
        try:
            os.rename(fresh, home)
        except OSError:
            os.rmdir(fresh)
    info = home.lstat()
    if not home.is_dir() or home.is_symlink() or info.st_uid != UID:
        raise SystemExit(f"{home} is not a folder of user {UID}: remove it")
    return str(home)


def become_throwaway_user(arguments: list[str]) -> None:
    """Execute pytest again without privileges; return only if that is impossible."""
    if not can_run_here():
        return
    home = throwaway_home()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
    environ |= {
        "HOME": home,
        "USER": "sandbox-test",
        "LOGNAME": "sandbox-test",
        "TMPDIR": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        second_user.VARIABLE: second_user.start(UID),
    }
    python = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider"]
    command = [*setpriv_command(), *python, *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, environ)
