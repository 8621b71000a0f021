# SPDX-License-Identifier: MIT
"""The parameters of ``POST /build``."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest

from sandbox.api.build import _check_begun, _request
from sandbox.api.errors import ApiError, BadRequest
from tests.unit.api.fakecall import call_of


def test_parameters_become_the_request_of_the_process() -> None:
    args, labels = quote('{"A": "1", "B": null}'), quote('{"x": "y"}')
    found = _request(call_of(f"t=a&t=b:1&buildargs={args}&labels={labels}&nocache=1&memory=7"))
    assert (found["tags"], found["args"], found["labels"]) == (
        ["a", "b:1"],
        {"A": "1", "B": None},
        {"x": "y"},
    )
    assert (found["no_cache"], found["memory"], found["network"]) == (True, 7, "default")
    assert found["server"] == os.getpid()


def test_options_without_effect_give_a_warning_only_if_they_are_set() -> None:
    found = _request(call_of("shmsize=64&cpushares=0&ulimits=null&cpusetcpus="))
    assert found["without_effect"] == ["shmsize"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("version=2", "BuildKit is not supported"),
        ("outputs=[{}]", "outputs are not supported"),
        ("buildargs=[1]", "invalid buildargs"),
        ("buildargs={", "invalid buildargs"),
        ('labels={"a":1}', "invalid labels"),
        ('cachefrom={"a":1}', "invalid cachefrom"),
    ],
)
def test_features_that_the_classic_builder_lacks_are_refused(query: str, words: str) -> None:
    with pytest.raises((ApiError, BadRequest), match=words):
        _request(call_of(query))


def test_an_error_before_the_first_step_sets_the_status() -> None:
    with pytest.raises(ApiError) as caught:
        _check_begun(b'{"status": 400, "message": "dockerfile parse error"}')
    assert (caught.value.status, caught.value.message) == (400, "dockerfile parse error")
    with pytest.raises(ApiError, match="without a word"):
        _check_begun(b"")
    _check_begun(b'{"stream": "Step 1/1 : FROM a\\n"}')
