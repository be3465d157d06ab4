"""The Lambda Runtime API, for clients that do not keep to it."""

from __future__ import annotations

import json

import pytest
import requests

from chatbot_audit.sandbox.function.runtime_api import Invocation, RuntimeApi

ROOT = "/2018-06-01/runtime"


@pytest.fixture
def api():
    made = RuntimeApi("arn:aws:lambda:eu-west-1:123456789012:function:x:1")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def invocation(api):
    made = Invocation("id1", b'{"a":1}', timeout_s=5)
    api.submit(made)
    return made


def get(api, path):
    return requests.get(f"http://{api.address}{path}", timeout=10)


def post(api, path, body=b"{}", **headers):
    url = f"http://{api.address}{ROOT}{path}"
    return requests.post(url, data=body, headers=headers, timeout=10).status_code


def test_work_is_handed_over_once_with_its_headers(api, invocation):
    """Id, deadline and ARN stand in headers, the event in the body."""
    answer = get(api, f"{ROOT}/invocation/next")

    assert answer.json() == {"a": 1}
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == "id1"
    assert int(answer.headers["Lambda-Runtime-Deadline-Ms"]) > 1_700_000_000_000
    assert invocation.is_handed_over.wait(5)


def test_the_first_answer_counts(api, invocation):
    """A second one for the same invocation is refused."""
    first = post(api, "/invocation/id1/response", b"[1]")
    second = post(api, "/invocation/id1/response", b"[2]")

    assert (first, second) == (202, 400)
    assert invocation.answer == b"[1]"


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (json.dumps({"errorType": "KeyError"}).encode(), "KeyError"),
        (b"{}", "Function.Unhandled"),
        (b"junk", "Function.Unhandled"),
        (b"[1]", "Function.Unhandled"),
        (b"", "Function.Unhandled"),
    ],
)
def test_an_error_ends_the_invocation(api, invocation, body, error_type):
    """Whatever the client says of it, it has a type."""
    assert post(api, "/invocation/id1/error", body) == 202
    assert (invocation.error_type, invocation.answer) == (error_type, None)


def test_other_paths_and_ids_are_refused(api, invocation):
    """They change nothing."""
    statuses = [
        post(api, "/invocation/other/response"),
        post(api, "/invocation/id1/other"),
        post(api, "/restore/error"),
        get(api, "/").status_code,
        get(api, f"{ROOT}/restore/next").status_code,
    ]

    assert statuses == [400, 404, 404, 404, 404]
    assert not invocation.is_done.is_set()


def test_an_answer_of_unknown_length_is_too_large(api, invocation):
    """It is not read at all."""
    status = post(api, "/invocation/id1/response", iter([b"x"]))

    assert status == 413
    assert invocation.error_type == "Function.ResponseSizeTooLarge"


def test_what_ended_cannot_fail_afterwards(invocation):
    """The first outcome stays."""
    invocation.fail("First")
    invocation.fail("Second")

    assert invocation.error_type == "First"
