# SPDX-License-Identifier: MIT
"""The report of ``image explore``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sandbox.cli.images.layer_report import (
    file_lines,
    layer_line,
    report_json,
    report_lines,
    shown,
    shown_in_line,
    summary,
)

LAYER: Any = SimpleNamespace(
    number=0, size=3000, created_by="RUN  a\x1b[31m\n b", diff_id="sha256:1",
    added=[("z", 1), ("b\xc3\xa9", 2000)], changed=[("a", 5)], removed=["gone"],
)  # fmt: skip
REPORT: Any = SimpleNamespace(
    image=SimpleNamespace(id="sha256:0"), size=4000, wasted_size=1000, wasted=[("old", 1000)],
    layers=[LAYER],
)  # fmt: skip


def test_names_are_bytes_that_a_terminal_may_get() -> None:
    assert shown("b\xc3\xa9") == "bé"
    assert shown("\xff").encode("utf-8", "surrogateescape") == b"\xff"
    assert "\x1b" not in shown_in_line("a\x1b[31m")


def test_the_whole_image_is_summed_up() -> None:
    assert summary(REPORT) == "1 layer, 4kB; wasted 1kB, efficiency 75.0%"


def test_a_layer_is_one_line_without_control_characters() -> None:
    line = layer_line(LAYER)
    assert line.startswith("  1       3kB +2 ~1 -1")
    assert "\x1b" not in line
    assert "\n" not in line


def test_files_are_listed_by_path() -> None:
    assert [line.split()[0] + line.split()[-1] for line in file_lines(LAYER)] == [
        "C/a",
        "A/bé",
        "D/gone",
        "A/z",
    ]


def test_wasted_files_are_named_at_the_end() -> None:
    assert list(report_lines(REPORT))[-1] == "       1kB  /old"


def test_the_json_has_all_of_it() -> None:
    found = report_json(REPORT)
    assert found["Wasted"] == 1000
    [layer] = found["Layers"]  # type: ignore[misc]
    assert layer["Added"] == ["/z", "/bé"]
