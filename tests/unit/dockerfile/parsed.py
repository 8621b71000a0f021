# SPDX-License-Identifier: MIT
"""Parse a single instruction for tests."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.parser import parse


def one(text: str, head: str = "FROM scratch\n") -> ins.Instruction:
    stage = parse((head + text + "\n").encode()).stages[-1]
    return stage.instructions[-1] if stage.instructions else stage.base


def fields(text: str, *names: str, head: str = "FROM scratch\n") -> tuple[object, ...]:
    instruction = one(text, head)
    return tuple(getattr(instruction, name) for name in names)


def refusal(text: str) -> str:
    with pytest.raises(DockerfileError) as caught:
        one(text)
    return caught.value.reason
