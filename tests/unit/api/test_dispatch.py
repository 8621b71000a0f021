# SPDX-License-Identifier: MIT
"""Finds the endpoint for a path."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from sandbox.api.call import Call
from sandbox.api.dispatch import API_VERSION, OLDEST_VERSION, Dispatcher, Route, version_text
from sandbox.api.errors import NotModified
from sandbox.errors import ContainerNotFound


async def shown(call: Call) -> web.StreamResponse:
    return call.json([call.args, version_text(call.version)])


async def unchanged(call: Call) -> web.StreamResponse:
    raise NotModified


async def missing(call: Call) -> web.StreamResponse:
    raise ContainerNotFound("no such container: web")


async def broken(call: Call) -> web.StreamResponse:
    raise ZeroDivisionError


ROUTES = (
    Route("GET", "/containers/{name}/json", shown),
    Route("DELETE", "/containers/{name:path}", shown),
    Route("POST", "/same", unchanged),
    Route("GET", "/missing", missing),
    Route("GET", "/broken", broken),
)
LATEST = version_text(API_VERSION)


def answer(method: str, path: str) -> tuple[int, Any]:
    nothing: Any = None
    dispatcher = Dispatcher(ROUTES, nothing, None)
    found = asyncio.run(dispatcher(make_mocked_request(method, path)))
    assert dispatcher.active == 0
    assert isinstance(found, web.Response)
    body = found.body
    assert body is None or isinstance(body, bytes)
    return found.status, json.loads(body) if body else None


def test_a_part_of_the_path_is_an_argument() -> None:
    assert answer("GET", "/containers/web/json") == (200, [{"name": "web"}, LATEST])


def test_only_a_path_argument_matches_slashes() -> None:
    assert answer("DELETE", "/containers/web/db")[1][0] == {"name": "web/db"}
    assert answer("GET", "/containers/web/db/json")[0] == 404


def test_the_version_in_the_path_is_passed_to_the_handler() -> None:
    assert answer("GET", "/v1.41/containers/web/json")[1] == [{"name": "web"}, "1.41"]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ((API_VERSION[0], API_VERSION[1] + 1), "too new"),
        ((OLDEST_VERSION[0], OLDEST_VERSION[1] - 1), "too old"),
    ],
)
def test_a_version_that_is_not_served_is_refused(version: tuple[int, int], words: str) -> None:
    status, said = answer("GET", f"/v{version_text(version)}/containers/web/json")
    assert status == 400
    assert words in said["message"]


def test_head_is_answered_where_get_is() -> None:
    assert answer("HEAD", "/containers/web/json")[0] == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/containers/web/json"), ("GET", "/x")]
)
def test_an_unknown_path_is_not_found(method: str, path: str) -> None:
    assert answer(method, path) == (404, {"message": "page not found"})


def test_an_error_of_a_handler_becomes_the_answer() -> None:
    assert answer("POST", "/same") == (304, None)
    assert answer("GET", "/missing") == (404, {"message": "No such container: web"})


def test_an_unexpected_exception_is_reported_by_its_name_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert answer("GET", "/broken") == (500, {"message": "internal error: ZeroDivisionError"})
    assert "Traceback" in caplog.text
