"""Binary data that stands as text is named, never copied."""

from __future__ import annotations

import base64
import hashlib

import pytest

from emitter.conversation import flatten
from emitter.conversation.binaries import hide_in_json, hide_in_text, looks_encoded

NOISE = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(30))
DATA = base64.b64encode(NOISE).decode()
WRAPPED = base64.encodebytes(NOISE).decode()
URL = f"data:image/png;base64,{DATA}"


def result(content):
    return {"type": "tool_result", "tool_use_id": "t", "content": content}


def converse_result(content):
    return {"toolResult": {"toolUseId": "t", "content": [content]}}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": DATA}},
            '[file "a.pdf" 1280 base64 chars]',
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": DATA},
            '[file "a.pdf" 1280 base64 chars]',
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "JVBERi0="},
            '[file "a.pdf" 8 base64 chars]',
        ),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": f"data:application/pdf;base64,{DATA}",
            },
            '[file "a.pdf" application/pdf 1280 base64 chars]',
        ),
        ({"type": "input_image", "image_url": DATA}, "[image 1280 base64 chars]"),
        (
            {"type": "image_url", "image_url": {"url": "A" * 400}},
            "[image 400 base64 chars]",
        ),
        (
            {"type": "image", "data": DATA, "mimeType": "image/png"},
            "[image image/png 1280 base64 chars]",
        ),
        (
            {
                "type": "document",
                "source": {"type": "url", "url": f"data:a/b;base64,{DATA}"},
            },
            "[document a/b 1280 base64 chars]",
        ),
        (
            {
                "type": "computer_call_output",
                "call_id": "c",
                "output": {"type": "computer_screenshot", "image_url": URL},
            },
            "[tool_result id=c success: [image image/png 1280 base64 chars]]",
        ),
        (
            {"type": "image_generation_call", "id": "i", "result": DATA},
            "[tool_use image_generation id=i input={}]",
        ),
        (
            result([{"type": "audio", "data": "UklG", "mimeType": "audio/wav"}]),
            "[tool_result id=t success: [audio audio/wav 4 base64 chars]]",
        ),
        (
            result(
                [
                    {
                        "type": "resource",
                        "resource": {
                            "uri": "file:///a.pdf",
                            "mimeType": "application/pdf",
                            "blob": DATA,
                        },
                    }
                ]
            ),
            (
                "[tool_result id=t success: "
                "[resource application/pdf file:///a.pdf 1280 base64 chars]]"
            ),
        ),
        (
            result([{"type": "resource", "resource": {"uri": "u", "text": "hi"}}]),
            "[tool_result id=t success: hi]",
        ),
        (
            result(f"see {URL} there"),
            "[tool_result id=t success: see data:image/png,<1280 base64 chars> there]",
        ),
        (
            converse_result({"json": {"screen": DATA, "n": 3}}),
            '[tool_result id=t success: {"screen":"<1280 base64 chars>","n":3}]',
        ),
        (
            converse_result({"text": f'{{"screen": "{DATA}"}}'}),
            '[tool_result id=t success: {"screen": "<1280 base64 chars>"}]',
        ),
        (
            {"toolUse": {"toolUseId": "t", "name": "n", "input": {"image": DATA}}},
            '[tool_use n id=t input={"image":"<1280 base64 chars>"}]',
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "n", "arguments": DATA},
            "[tool_use n id=c input=<1280 base64 chars>]",
        ),
    ],
)
def test_base64_is_never_copied(block, expected):
    """Files, pictures and sound of every format are shown by kind and length."""
    assert flatten([{"role": "user", "content": [block]}]) == f"[user] {expected}"


def test_fetched_pages_are_shown_without_their_bytes():
    """The address of a PDF that was fetched stays; its bytes do not."""
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    fetched = {
        "type": "web_fetch_result",
        "url": "https://x/a.pdf",
        "content": {"type": "document", "source": source},
    }
    block = {"type": "web_fetch_tool_result", "tool_use_id": "t", "content": fetched}

    text = flatten([{"role": "assistant", "content": [block]}])

    assert "https://x/a.pdf" in text
    assert "<8 base64 chars>" in text
    assert "JVBERi0" not in text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 3_000,
        "=" * 500,
        "ab12" * 100,
        "The quick brown fox of 2026. " * 40,
        "https://example.com/" + "a/" * 100,
        hashlib.sha512(b"x").hexdigest(),
        "data:text/plain,hello",
        "",
    ],
)
def test_other_text_stays(text):
    """Rulers, digests, addresses and prose are no base64."""
    assert hide_in_text(text) == text


@pytest.mark.parametrize("data", [DATA, WRAPPED, DATA.rstrip("="), "-_aA0" * 80])
def test_base64_of_every_kind_is_found(data):
    """In one run, in lines, without padding, or with the alphabet of addresses."""
    assert hide_in_text(f"a: {data} b").startswith("a: <")
    assert data[:40] not in hide_in_text(f"a: {data} b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "Buffer", "data": [1, 2]}, "<2 bytes>"),
        ({"mimeType": "text/plain", "data": "hello"},) * 2,
        ({"type": "image", "data": "a chart"},) * 2,
        ({"type": "document", "content": "Hello"},) * 2,
        ({"mimeType": "application/pdf", "content": "Hello"},) * 2,
        ({"data": {"body": "done"}},) * 2,
        (
            {"mimeType": "image/png", "data": "UklG"},
            {"mimeType": "image/png", "data": "<4 base64 chars>"},
        ),
        (
            {"type": "image", "data": "A" * 80},
            {"type": "image", "data": "<80 base64 chars>"},
        ),
        ({"b64_json": "A" * 400}, {"b64_json": "<400 base64 chars>"}),
        ({"bytes": "short"},) * 2,
        ([{"a": DATA}], [{"a": "<1280 base64 chars>"}]),
        ({"n": 1, "t": None},) * 2,
    ],
)
def test_json_is_searched_through(value, expected):
    """A member's name or a media type beside it tells data of any length."""
    assert hide_in_json(value) == expected


def test_addresses_and_ids_are_no_data():
    """A long id or address stays readable."""
    assert not looks_encoded("https://example.com/" + "a" * 300)
    assert not looks_encoded(hashlib.sha512(b"x").hexdigest())
    assert not looks_encoded("file-abc123")


def test_hostile_text_is_searched_in_linear_time():
    """Runs that end just too early do not hold the writer."""
    text = ("a" * 199 + " ") * 20_000 + ("A1b" * 25 + "\n ") * 20_000

    assert hide_in_text(text) == text
