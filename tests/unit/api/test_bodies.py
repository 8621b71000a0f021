# SPDX-License-Identifier: MIT
"""The JSON documents that clients send."""

from __future__ import annotations

import msgspec
import pytest

from sandbox.api import bodies

KINDS = [
    kind
    for kind in vars(bodies).values()
    if isinstance(kind, type)
    and issubclass(kind, msgspec.Struct)
    and kind.__module__ == "sandbox.api.bodies"
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_may_be_absent_or_null(kind: type[msgspec.Struct]) -> None:
    needed = {field.encode_name for field in msgspec.structs.fields(kind) if field.required}
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    empty = {name: None for name in names if name not in needed}
    given = dict.fromkeys(needed, "x")
    assert msgspec.convert(given, kind) == msgspec.convert(empty | given, kind)


def test_field_names_are_docker_s() -> None:
    body = msgspec.convert(
        {"Image": "a", "HostConfig": {"Binds": ["/a:/b"]}, "StopTimeout": 3}, bodies.ContainerBody
    )
    assert (body.image, body.stop_timeout) == ("a", 3)
    host = msgspec.convert(body.host_config, bodies.HostBody)
    assert host.binds == ["/a:/b"]


def test_the_exact_name_wins_over_one_in_another_case() -> None:
    spelled = bodies.spelled({"cmd": ["lower"], "Cmd": ["exact"]}, bodies.ExecBody)
    assert spelled["Cmd"] == ["exact"]
