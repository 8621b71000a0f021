# SPDX-License-Identifier: MIT
"""Variables in the instructions of `commit --change` and `import --change`."""

from __future__ import annotations

import pytest

from sandbox.engine.images.changes import applied, expanded
from sandbox.models.oci import RunConfig


def test_env_takes_variables_of_the_image_and_of_earlier_changes() -> None:
    config = RunConfig(env=["PATH=/bin"])
    changes = ["ENV PATH=/x:$PATH A='$PATH'", 'ENV B=${PATH}:/y C="two words"', "ENV D $A $B"]
    assert applied(config, changes).env == [
        "PATH=/x:/bin",
        "A=$PATH",
        "B=/x:/bin:/y",
        "C=two words",
        "D=$PATH /x:/bin:/y",
    ]


@pytest.mark.parametrize(
    ("instruction", "result"),
    [
        ("WORKDIR /home/$U", 'WORKDIR "/home/me"'),
        ("LABEL who=$U", 'LABEL "who=me"'),
        ("EXPOSE $P", 'EXPOSE "80"'),
        ("USER ${U:-root}", 'USER "me"'),
        ("CMD echo $U", "CMD echo $U"),
        ('ENTRYPOINT ["$U"]', 'ENTRYPOINT ["$U"]'),
        ("HEALTHCHECK CMD test $U", "HEALTHCHECK CMD test $U"),
        ('VOLUME ["/$U"]', 'VOLUME ["/$U"]'),
        ("ENV A=\\$U", 'ENV "A=$U"'),
        ("ENV A=${U", None),
    ],
)
def test_commands_keep_their_variables(instruction: str, result: str | None) -> None:
    env = {"U": "me", "P": "80"}
    if result is None:
        with pytest.raises(Exception, match="U"):
            expanded(instruction, env)
    else:
        assert expanded(instruction, env) == result
