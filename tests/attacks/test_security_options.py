# SPDX-License-Identifier: MIT
"""No program gets around a seccomp profile, and none lowers what its store demands."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import pytest

from tests.conftest import can_make_user_namespaces
from tests.harness.attacks import INTERCEPTORS, WAYS, Arena, results, successes
from tests.harness.command import ROOT
from tests.harness.restrict import LANDLOCK_CREATE_RULESET

pytestmark = pytest.mark.guest

PROGRAMS = ("profile", "settings", "files")
REFUSED = ["mkdir", "mkdirat", "getpriority", "sysinfo", "unshare"]


def profile(arena: Arena) -> list[str]:
    """Return the flag for a profile that refuses three calls."""
    path = arena.folder / "profile.json"
    call = {"names": REFUSED, "action": "SCMP_ACT_ERRNO"}
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [call]}))
    return ["--security-opt", f"seccomp={path}"]


def test_without_a_profile_the_calls_are_made(fenced: Arena) -> None:
    """The fence is no matter here: what stops the calls is the profile."""
    found = fenced.attack("profile")
    done = successes(found)
    assert {"mkdir", "getpriority past the runtime", "mkdir of a new program"} <= set(done)
    outer = set() if can_make_user_namespaces() else {"unshare past the runtime"}
    assert set(found) - set(done) <= outer | {
        *("getpriority as x32", "getpriority as x32 past the runtime"),
        *("getpriority with int 0x80", "mkdir with int 0x80"),
        "mkdir past the runtime",  # Landlock
    }


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_a_profile_refuses_a_call_on_every_way_to_the_kernel(
    fenced: Arena, interceptor: str
) -> None:
    found = fenced.attack("profile", interceptor=interceptor, options=profile(fenced))
    assert successes(found) == []
    assert found["mkdir of a new program"] == "EPERM"
    assert found["getpriority past the runtime"] == "EPERM"


def test_a_profile_holds_for_an_exec(fenced: Arena) -> None:
    assert successes(fenced.attack("profile", way="exec", options=profile(fenced))) == []


def test_a_guest_without_the_fence_lowers_what_its_store_demands(unfenced: Arena) -> None:
    settings = unfenced.sandbox.store / "settings.toml"
    settings.write_text("require-confinement = false\n")
    assert len(successes(unfenced.attack("settings", unfenced.sandbox.store))) == 4
    assert not settings.exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_guest_does_not_lower_what_its_store_demands(fenced: Arena, way: str) -> None:
    settings = fenced.sandbox.store / "settings.toml"
    settings.write_text("require-confinement = true\n")
    assert successes(fenced.attack("settings", fenced.sandbox.store, way=way)) == []
    assert settings.read_text() == "require-confinement = true\n"


def exec_without_landlock(arena: Arena) -> dict[str, str]:
    """Attack from an exec of a command for which an outer filter refuses Landlock."""
    refuse = [sys.executable, str(ROOT / "tests" / "harness" / "restrict.py"), "--refuse"]
    attack = ["/files", str(arena.key), str(arena.canary)]
    command = arena.sandbox.argv("exec", arena.idle(), *attack)
    done = subprocess.run(
        [*refuse, str(LANDLOCK_CREATE_RULESET), str(errno.EPERM), *command],
        env=arena.sandbox.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0 or b"cannot confine" in done.stderr
    return results(done.stdout.decode())


def test_an_exec_without_the_fence_reaches_the_machine_s_files(unfenced: Arena) -> None:
    assert successes(exec_without_landlock(unfenced)) != []


def test_no_exec_enters_a_fenced_container_without_its_fence(fenced: Arena) -> None:
    """It joins the domain of the container, or it does not start."""
    assert successes(exec_without_landlock(fenced)) == []
