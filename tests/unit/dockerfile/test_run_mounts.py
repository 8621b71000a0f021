# SPDX-License-Identifier: MIT
"""Parsing of RUN --mount."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.instructions import Mount, MountKind, Sharing
from sandbox.dockerfile.run_mounts import parse_mount
from sandbox.dockerfile.words import ArgumentError

BIND, CACHE, TMPFS = MountKind.BIND, MountKind.CACHE, MountKind.TMPFS
SECRET, SSH = MountKind.SECRET, MountKind.SSH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target=/a", Mount(kind=BIND, target="/a", read_only=True)),
        ("type=bind,dst=/a,src=b,rw", Mount(kind=BIND, target="/a", source="b")),
        ("dst=/a,readwrite=false", Mount(kind=BIND, target="/a", read_only=True)),
        ("from=x,destination=/a", Mount(kind=BIND, target="/a", from_="x", read_only=True)),
        ('target="/a"', None),
        ('"target=/a,b"', Mount(kind=BIND, target="/a,b", read_only=True)),
        ("type=cache,target=/a/../b", Mount(kind=CACHE, target="/a/../b", id="/b")),
        (
            "type=CACHE,id=i,target=/a,sharing=locked,mode=0755,uid=1,gid=2,ro,from=s,source=/q",
            Mount(
                kind=CACHE,
                target="/a",
                id="i",
                sharing=Sharing.LOCKED,
                mode=0o755,
                uid=1,
                gid=2,
                read_only=True,
                from_="s",
                source="/q",
            ),
        ),
        ("type=tmpfs,target=/a,size=1g", Mount(kind=TMPFS, target="/a", size=1 << 30)),
        ("type=tmpfs,target=/a,size=1.5k", Mount(kind=TMPFS, target="/a", size=1536)),
        (
            "type=secret,id=s",
            Mount(kind=SECRET, id="s", target="/run/secrets/s", read_only=True),
        ),
        (
            "type=secret,source=d/s,required",
            Mount(kind=SECRET, id="d/s", target="/run/secrets/s", read_only=True, required=True),
        ),
        (
            "type=secret,target=/x/t,required=false",
            Mount(kind=SECRET, id="t", target="/x/t", read_only=True),
        ),
        ("type=secret,id=s,env=E", Mount(kind=SECRET, id="s", env="E", read_only=True)),
        ("type=ssh", Mount(kind=SSH, read_only=True)),
        (
            "type=ssh,id=k,target=/s,required=true,mode=600",
            Mount(kind=SSH, id="k", target="/s", required=True, mode=0o600, read_only=True),
        ),
    ],
)
def test_the_fields_of_a_mount_are_parsed(text: str, expected: Mount | None) -> None:
    if expected is None:
        with pytest.raises(ArgumentError, match="failed to parse csv mounts"):
            parse_mount(text)
        return
    assert parse_mount(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type=bnd", 'unsupported mount type "bnd" (did you mean bind?)'),
        ("type=cache,sharing=share", 'unsupported sharing value "share" (did you mean shared?)'),
        ("targt=/a", "unexpected key 'targt' in 'targt=/a' (did you mean target?)"),
        ("target", "invalid field 'target' must be a key=value pair"),
        ("foo", "invalid field 'foo' must be a key=value pair"),
        (
            "from=$x,target=/a",
            "'from' doesn't support variable expansion, define alias stage instead",
        ),
        ("type=bind,target=/a,mode=1", 'mode not allowed for "bind" type mounts'),
        ("type=tmpfs,target=/a,uid=1", 'uid not allowed for "tmpfs" type mounts'),
        ("type=cache,target=/a,required", "unexpected key 'required' for mount type 'cache'"),
        ("required,type=secret,id=a", "unexpected key 'required' for mount type 'bind'"),
        ("size=1m,type=tmpfs,target=/a", "unexpected key 'size' for mount type 'bind'"),
        ("type=cache,target=/a,size=1", "unexpected key 'size' for mount type 'cache'"),
        ("target=/a,sharing=shared", "invalid cache sharing set for bind mount"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ("target=/a,ro=perhaps", "invalid value for ro: perhaps"),
        ("type=cache,target=/a,mode=9", "invalid value 9 for mode"),
        ("type=cache,target=/a,uid=-1", "invalid value -1 for uid"),
        ("type=tmpfs,target=/a,size=big", "invalid value for size: big"),
        ('"target=/a', 'failed to parse csv mounts: extraneous or missing " in quoted-field'),
    ],
)
def test_an_invalid_mount_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_mount(text)
    assert caught.value.message == reason


def test_values_with_variables_are_checked_after_expansion() -> None:
    text = "type=cache,id=$I,target=$T,mode=$M"
    assert parse_mount(text).kind is CACHE
    values = {"$I": "i", "$T": "/t", "$M": "700"}
    found = parse_mount(text, lambda word: values.get(word, word))
    assert found == Mount(kind=CACHE, id="i", target="/t", mode=0o700)
