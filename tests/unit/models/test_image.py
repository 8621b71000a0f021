# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest

from sandbox.errors import CorruptData
from sandbox.models.digest import digest_of
from sandbox.models.image import Image, host_image, layer_histories, parse_config
from sandbox.models.oci import History, RunConfig


def image(**more: object) -> Image:
    facts: dict[str, object] = {
        "id": digest_of(b"i"),
        "config": RunConfig(),
        "architecture": "amd64",
        "os": "linux",
        "variant": "",
        "author": "",
        "created": None,
        "layers": (),
        "history": (),
    }
    return Image(**{**facts, **more})  # type: ignore[arg-type]


def test_the_size_is_the_sum_of_the_layers() -> None:
    assert image(layer_sizes=(1, 2, 3)).size == 6


def test_steps_without_a_layer_have_no_size() -> None:
    steps = (
        History(created_by="a"),
        History(created_by="b", empty_layer=True),
        History(created_by="c"),
    )
    shown = layer_histories(image(history=steps, layer_sizes=(10, 20)))
    assert [(step.created_by, size) for step, size in shown] == [("c", 20), ("b", 0), ("a", 10)]


def test_a_configuration_needs_valid_layer_digests() -> None:
    for rootfs in (None, {"type": "x"}, {"type": "layers", "diff_ids": ["../../etc"]}):
        with pytest.raises(CorruptData):
            parse_config(json.dumps({"os": "linux", "rootfs": rootfs}).encode())


def test_the_host_image_has_no_layers_and_no_chain_id() -> None:
    assert host_image().is_host
    assert host_image().chain_id is None
    assert not image().is_host


def test_the_id_of_the_host_image_is_a_digest_of_its_description() -> None:
    assert host_image().id == digest_of(b"the machine's own tree")
    assert host_image().is_host
