# SPDX-License-Identifier: MIT
"""Arenas of attacks: one with the kernel's fence, one without it, for each test file.

A test file names its programs in PROGRAMS.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.native.probe import probe
from tests.harness import attacks
from tests.harness.attacks import Arena


def _arena(
    request: pytest.FixtureRequest, factory: pytest.TempPathFactory, *, fenced: bool
) -> Iterator[Arena]:
    if probe().landlock < 1:
        pytest.skip("this kernel has no Landlock")
    folder = factory.mktemp("fenced" if fenced else "open")
    with attacks.arena(folder, request.module.PROGRAMS, fenced=fenced) as made:
        yield made


@pytest.fixture(scope="module")
def fenced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arena]:
    """An arena behind the fence, as users have it."""
    yield from _arena(request, tmp_path_factory, fenced=True)


@pytest.fixture(scope="module")
def unfenced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arena]:
    """An arena without the fence: attacks must succeed here."""
    yield from _arena(request, tmp_path_factory, fenced=False)
