"""A ready answer in place of a connection, for boto3 clients."""

from __future__ import annotations

import io
from typing import Any


class RawResponse(io.BytesIO):
    """Stands in for urllib3's response."""

    def stream(self, *_: Any, **__: Any) -> Any:
        """Yield the whole body."""
        yield self.read()
