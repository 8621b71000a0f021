# SPDX-License-Identifier: MIT
"""Each promise of the threat model names a test that exists."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEADS = ("## Promises", "### Other users of the machine")
ROW = re.compile(r"^\| (.+) \| `(test_\w+)` \|$")


def promises() -> dict[str, str]:
    """Return each promise and the name of its test; fail on a row without one."""
    text = (ROOT / "docs/threat-model.md").read_text()
    found = {}
    for head in HEADS:
        section = re.split(r"^#+ ", text.partition(f"\n{head}\n")[2], flags=re.MULTILINE)[0]
        rows = [line for line in section.splitlines() if line.startswith("|")][2:]
        assert rows, head
        for row in rows:
            match = ROW.match(row)
            assert match is not None, f"no test: {row}"
            found[match[1]] = match[2]
    return found


def test_each_promise_names_a_test_that_exists() -> None:
    defined = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        defined |= set(re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE))
    missing = {what: name for what, name in promises().items() if name not in defined}
    assert not missing
