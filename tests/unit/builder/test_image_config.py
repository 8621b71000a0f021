# SPDX-License-Identifier: MIT
"""Times in the history, cache keys, and options."""

from __future__ import annotations

import pytest

from sandbox.builder.cache.key import key_of
from sandbox.builder.image_config import fill_times
from sandbox.builder.request import parse_cache, parse_host, parse_output, parse_secret, parse_ssh
from sandbox.builder.stage_state import Row
from sandbox.errors import UsageError
from sandbox.models.digest import digest_of


def test_steps_without_a_layer_have_the_time_of_the_next_new_layer() -> None:
    rows = [
        Row("base", empty=False, created="1"),
        Row("ENV", empty=True),
        Row("RUN", empty=False, created="2"),
        Row("CMD", empty=True),
    ]
    assert [row.created for row in fill_times(rows)] == ["1", "2", "2", "2"]


def test_an_image_with_only_new_settings_has_its_base_s_time() -> None:
    rows = [Row("base", empty=False, created="1"), Row("ENV", empty=True)]
    assert [row.created for row in fill_times(rows)] == ["1", "1"]


def test_a_cache_key_depends_on_everything_that_affects_the_result() -> None:
    layers = (digest_of(b"1"), digest_of(b"2"))
    key = key_of("RUN", layers, None, argv=["a"])
    assert key == key_of("RUN", layers, None, argv=["a"])
    others = {
        key_of("COPY", layers, None, argv=["a"]),
        key_of("RUN", layers[:1], None, argv=["a"]),
        key_of("RUN", layers, 1, argv=["a"]),
        key_of("RUN", layers, None, argv=["b"]),
    }
    assert len(others | {key}) == 5


def test_secrets_come_from_files_and_variables() -> None:
    assert parse_secret("id=a,src=f", {}).path == "f"
    assert parse_secret("id=a,env=V", {"V": "v"}).value == b"v"
    assert parse_secret("id=V", {"V": "v"}).value == b"v"
    for wrong in ("id=a,env=NO", "id=a,what=b", "id=a,type=x,src=f"):
        with pytest.raises(UsageError):
            parse_secret(wrong, {})


def test_invalid_values_are_refused() -> None:
    for wrong in ("type=what", "type=local", "type=oci,colour=red"):
        with pytest.raises(UsageError):
            parse_output(wrong)
    for wrong in ("type=gha", "type=registry", "type=local,dest=x", "type=registry,ref=a,b=c"):
        with pytest.raises(UsageError):
            parse_cache(wrong, "--cache-from")
    for wrong in ("name", "name:not-an-address", ":1.2.3.4"):
        with pytest.raises(UsageError):
            parse_host(wrong)
    with pytest.raises(UsageError):
        parse_ssh("default", {})
