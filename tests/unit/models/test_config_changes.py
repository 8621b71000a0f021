# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import UsageError
from sandbox.models.config_changes import apply_changes
from sandbox.models.oci import Healthcheck, RunConfig


def test_each_instruction_changes_its_part_of_the_configuration() -> None:
    config = apply_changes(
        RunConfig(env=["A=old", "B=2"]),
        [
            "ENV A=1 C='x y'",
            "ENV OLD the form",
            'CMD ["ls", "-l"]',
            "entrypoint run me",
            "USER me:us",
            "WORKDIR /srv",
            "WORKDIR data",
            'VOLUME ["/v w"]',
            "VOLUME /a /b",
            'LABEL one=1 two="2 2"',
            "LABEL old form",
            "EXPOSE 80 53/udp 8000-8002",
            "STOPSIGNAL SIGINT",
            "ONBUILD RUN x",
            "HEALTHCHECK --interval=1m30s --retries=2 CMD true",
        ],
    )
    assert config.env == ["A=1", "B=2", "C=x y", "OLD=the form"]
    assert config.cmd == ["ls", "-l"]
    assert config.entrypoint == ["/bin/sh", "-c", "run me"]
    assert config.user == "me:us"
    assert config.working_dir == "/srv/data"
    assert list(config.volumes or {}) == ["/v w", "/a", "/b"]
    assert config.labels == {"one": "1", "two": "2 2", "old": "form"}
    assert list(config.exposed_ports or {}) == [
        "80/tcp",
        "53/udp",
        "8000/tcp",
        "8001/tcp",
        "8002/tcp",
    ]
    assert config.stop_signal == "SIGINT"
    assert config.on_build == ["RUN x"]
    assert config.healthcheck == Healthcheck(["CMD-SHELL", "true"], interval=90 * 10**9, retries=2)


@pytest.mark.parametrize(
    "instruction",
    [
        "",
        "FROM x",
        "CMD",
        "ENV x",
        "ENV =1",
        "LABEL x",
        "EXPOSE http",
        "EXPOSE 99999",
        "EXPOSE 9-1",
        "USER a b",
        "ENV a='b",
        "HEALTHCHECK nonsense",
        "HEALTHCHECK --x=1 CMD a",
        "HEALTHCHECK --interval=5 CMD a",
        'VOLUME [""]',
    ],
)
def test_an_invalid_instruction_is_a_usage_error(instruction: str) -> None:
    with pytest.raises(UsageError):
        apply_changes(RunConfig(), [instruction])


def test_an_invalid_json_list_is_a_shell_command_as_in_docker() -> None:
    assert apply_changes(RunConfig(), ["CMD ['ls']"]).cmd == ["/bin/sh", "-c", "['ls']"]
