"""Fakes and tiny handlers that the sandbox's tests share."""

from __future__ import annotations

import zipfile
from io import BytesIO

# Decodes envelopes and returns one HEC event for each; runs without our packages.
HANDLER = """
import base64, gzip, json

def answer(record):
    envelope = json.loads(gzip.decompress(base64.b64decode(record["data"])))
    if envelope["messageType"] != "DATA_MESSAGE":
        return {"recordId": record["recordId"], "result": "Dropped"}
    lines = [
        json.dumps({"time": e["timestamp"] / 1000, "event": {
            "event_id": e["id"], "document_id": e["id"], "text": e["message"]}})
        for e in envelope["logEvents"]
    ]
    data = base64.b64encode("\\n".join(lines).encode()).decode()
    return {"recordId": record["recordId"], "result": "Ok", "data": data}

def handler(event, context):
    return {"records": [answer(record) for record in event["records"]]}
"""


def make_zip(path, source=HANDLER):
    """Write a zip with a module ``app`` and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", source)
    return path


class MemoryStore:
    """Keeps documents by id, like a store; fails if told to."""

    def __init__(self):
        self.documents = {}
        self.failures = 0

    def write(self, documents):
        if self.failures:
            self.failures -= 1
            raise OSError("no space left on device")
        written = list(documents)
        self.documents |= {d["document_id"]: d for d in written}
        return len(written)


class FakeS3:
    """A bucket in memory, listed page by page."""

    def __init__(self, page_keys=1_000):
        self.objects = {}
        self.failures = 0
        self._page_keys = page_keys

    def put_object(self, *, Bucket, Key, Body):  # noqa: N803
        if self.failures:
            self.failures -= 1
            raise OSError("unreachable")
        self.objects[Key] = Body

    def get_object(self, *, Bucket, Key):  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}

    def get_paginator(self, name):
        return self

    def paginate(self, **_):
        keys = sorted(self.objects)
        for start in range(0, len(keys), self._page_keys):
            page = keys[start : start + self._page_keys]
            yield {"Contents": [{"Key": key} for key in page]}
