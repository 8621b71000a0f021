# SPDX-License-Identifier: MIT
"""The variables of links."""

from __future__ import annotations

import pathlib

from sandbox.models.container import ContainerConfig
from sandbox.runtime.network import links

DB = ContainerConfig(
    "1", "db", "", "i", "s", (), ("x",), env=("A=b", "PATH=/x", "HOME=/", "EMPTY=", "NOTHING"),
    exposed_ports=("5432/tcp", "53/udp", "80"),
)  # fmt: skip


def test_the_lowest_port_stands_for_all() -> None:
    found = list(links.variables("db", "web", DB, "127.1.0.2"))
    assert found[0] == "DB_PORT=udp://127.1.0.2:53"
    assert "DB_PORT_5432_TCP_PROTO=tcp" in found


def test_variables_of_the_linked_container_are_passed_on_but_for_a_few() -> None:
    found = [item for item in links.variables("db", "web", DB, "x") if "_ENV_" in item]
    assert found == ["DB_ENV_A=b", "DB_ENV_EMPTY="]


def test_they_are_kept_for_exec_and_forgotten_with_their_link(tmp_path: pathlib.Path) -> None:
    run_dir = str(tmp_path)
    assert links.read(run_dir) == ()
    links.write(run_dir, ["MY_DB_NAME=/web/my-db", "MY_DB_ENV_A=\udcff\nb", "MY_DBX_NAME=/web/x"])
    assert links.read(run_dir)[1] == "MY_DB_ENV_A=\udcff\nb"
    links.forget(run_dir, "my-db")
    assert links.read(run_dir) == ("MY_DBX_NAME=/web/x",)
    links.forget(run_dir, "my-dbx")
    assert links.read(run_dir) == ()


def test_without_variables_there_is_no_file(tmp_path: pathlib.Path) -> None:
    links.write(str(tmp_path), [])
    links.forget(str(tmp_path), "db")
    assert not (tmp_path / "links").exists()
