# SPDX-License-Identifier: MIT
"""Which rules of a seccomp profile hold on a machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.errors import UsageError
from sandbox.models.security import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from sandbox.runtime.seccomp.profile import RET_ALLOW, Profile, compact, parse_profile

ERRNO = 0x00050000


def parsed(capabilities: int = DEFAULT_CAPABILITIES, **body: Any) -> Profile:
    text = json.dumps({"defaultAction": "SCMP_ACT_ERRNO", **body})
    return parse_profile(
        text, machine="x86_64", release="6.1.0-13-amd64", capabilities=capabilities
    )


def allow(*names: str, **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", **more}


def names(profile: Profile) -> list[str]:
    return [name for rule in profile.rules for name in rule.names]


def test_the_default_is_eperm_unless_the_profile_names_another_errno() -> None:
    assert parsed().default == ERRNO | 1
    assert parsed(defaultErrnoRet=38).default == ERRNO | 38
    assert parsed(defaultAction="SCMP_ACT_ALLOW").default == RET_ALLOW


def test_a_rule_that_says_what_the_default_says_is_left_out() -> None:
    call = {"name": "chmod", "action": "SCMP_ACT_ERRNO"}
    assert names(parsed(syscalls=[call, allow("open")])) == ["open"]
    assert parsed(syscalls=[{**call, "errnoRet": 38}]).rules[0].answer == ERRNO | 38


def test_rules_hold_for_capabilities_processors_and_kernels() -> None:
    admin = {"caps": ["CAP_SYS_ADMIN"]}
    calls = [
        allow("mount", includes=admin),
        allow("clone", excludes=admin),
        allow("arch_prctl", includes={"arches": ["amd64", "x32"]}),
        allow("breakpoint", includes={"arches": ["arm"]}),
        allow("ptrace", includes={"minKernel": "4.8"}),
        allow("newer", includes={"minKernel": "7.1"}),
        allow("older", excludes={"minKernel": "4.8"}),
    ]
    assert names(parsed(syscalls=calls)) == ["clone", "arch_prctl", "ptrace"]
    assert names(parsed(ALL_CAPABILITIES, syscalls=calls)) == ["mount", "arch_prctl", "ptrace"]


def test_two_conditions_on_one_argument_are_alternatives() -> None:
    one = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}
    two = {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}
    other = {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}
    rules = parsed(syscalls=[allow("personality", args=[one, two])]).rules
    assert [len(rule.conditions) for rule in rules] == [1, 1]
    rules = parsed(syscalls=[allow("personality", args=[one, other])]).rules
    assert [len(rule.conditions) for rule in rules] == [2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, "unsupported action: SCMP_ACT_NOTIFY"),
        ({"defaultErrnoRet": 70000}, "errno that does not exist"),
        ({"syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]}, "both name"),
        ({"syscalls": [allow("a", args=[{"index": 0, "value": 0, "op": "<"}])]}, "operator: <"),
        ({"syscalls": [allow("a", args=[{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}])]}, "6"),
        ({"syscalls": [allow("a", args=[{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}])]}, "arg"),
        ({"syscalls": [allow("a", includes={"minKernel": "new"})]}, "strange kernel"),
        ({"syscalls": {}}, "decoding seccomp profile failed"),
        ({"architectures": ["SCMP_ARCH_ARM"]}, "is not for x86_64"),
        ({"architectures": ["SCMP_ARCH_X86_64"], "archMap": [{"architecture": "x"}]}, "both arch"),
        ({"listenerPath": "/run/x"}, "wants a listener"),
    ],
)
def test_a_wrong_profile_is_refused_and_the_reason_is_said(
    body: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        parsed(**body)


@pytest.mark.parametrize("text", ["", "{", "[]", "\0", '"x"', '{"defaultAction": 3}'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_profile(text, machine="x86_64", release="6.1", capabilities=0)


def test_a_profile_is_kept_without_white_space() -> None:
    assert compact('{ "defaultAction": "SCMP_ACT_ALLOW" }') == '{"defaultAction":"SCMP_ACT_ALLOW"}'
    with pytest.raises(UsageError, match="compacting json"):
        compact("{")
