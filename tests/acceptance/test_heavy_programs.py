# SPDX-License-Identifier: MIT
"""Programs that set gs themselves run: Wine by the kernel's call, Firefox by an instruction.

Their packages come from Debian's mirror.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.command import Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.long,  # it installs packages of a gigabyte
    pytest.mark.network,
    pytest.mark.timeout(1800),
]

INSTALL = """
export DEBIAN_FRONTEND=noninteractive
apt-get -q update && apt-get -qy --no-install-recommends install wine wine64 firefox-esr valgrind
"""
WINE = "mkdir -p /w && HOME=/w WINEDEBUG=-all wine cmd /c echo hi"
FIREFOX = """
mkdir -p /f && cd /f && echo '<h1>hello</h1>' > page.html
HOME=/f firefox-esr --headless --screenshot /f/page.png file:///f/page.html
head -c 8 /f/page.png
"""


@pytest.fixture(scope="module")
def box(debian_image: Sandbox) -> Iterator[tuple[Sandbox, str]]:
    """A container with the packages."""
    name = debian_image.ok("run", "-d", "debian", "sleep", "1700").strip()
    debian_image.ok("exec", name, "sh", "-c", INSTALL, timeout=1200)
    yield debian_image, name
    debian_image.ok("rm", "-f", name)


def test_wine_runs_a_command_of_windows(box: tuple[Sandbox, str]) -> None:
    sandbox, name = box
    assert sandbox.ok("exec", name, "sh", "-c", WINE).split()[-1] == "hi"


def test_firefox_takes_a_picture_of_a_page(box: tuple[Sandbox, str]) -> None:
    sandbox, name = box
    done = sandbox.call("exec", name, "sh", "-c", FIREFOX)
    assert done.stdout.endswith(b"\x89PNG\r\n\x1a\n"), done


def test_valgrind_finds_no_error_in_true(box: tuple[Sandbox, str]) -> None:
    sandbox, name = box
    done = sandbox.call("exec", name, "valgrind", "true")
    assert b"ERROR SUMMARY: 0 errors" in done.stderr, done
