# SPDX-License-Identifier: MIT
"""``image explore``: the files of each layer, and wasted bytes."""

from __future__ import annotations

from sandbox.cli.images.layer_report import report_lines
from tests.harness import images
from tests.harness.store import Store

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


def test_a_report_lists_the_files_of_each_layer_and_the_wasted_bytes(engine: Store) -> None:
    engine.load([BASE, [images.whiteout("big"), images.file("etc/os", "x")], []], tags=["a:1"])
    report = engine.images.explore("a:1")
    assert [len(layer.added) for layer in report.layers] == [5, 0, 0]
    assert [path for path, _ in report.layers[1].changed] == ["etc/os"]
    assert report.layers[1].removed == ("big",)
    assert report.wasted == (("big", 50_000), ("etc/os", 8))
    text = "\n".join(report_lines(report))
    assert "3 layers" in text
    assert "/big" in text
