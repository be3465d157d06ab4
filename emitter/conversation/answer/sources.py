"""Documents an answer drew on, from every place a knowledge base may keep them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import dict_at, dicts_in, first_text

if TYPE_CHECKING:
    from collections.abc import Iterable

# Ten kinds of location, each with the property that names the document. Page:
# Amazon Bedrock API reference, RetrievalResultLocation.
_LOCATIONS: Final = {
    "s3Location": "uri",
    "confluenceLocation": "url",
    "sharePointLocation": "url",
    "webLocation": "url",
    "salesforceLocation": "url",
    "kendraDocumentLocation": "uri",
    "sqlLocation": "query",
    "customDocumentLocation": "id",
    "googleDriveLocation": "url",
    "oneDriveLocation": "url",
}
UNKNOWN_URI: Final = "unknown"
# Metadata keys that Bedrock writes beside a chunk.
_SOURCE_KEY: Final = "x-amz-bedrock-kb-source-uri"
_TITLE_KEYS: Final = ("title", "x-amz-bedrock-kb-title", "_document_title")


def retrieved(references: Any) -> list[dict[str, Any]]:
    """Return sources of ``retrievalResults`` or ``retrievedReferences``."""
    return [_reference(each) for each in dicts_in(references)]


def _reference(reference: dict[str, Any]) -> dict[str, Any]:
    metadata = dict_at(reference, "metadata")
    uri = location_uri(dict_at(reference, "location"))
    if uri == UNKNOWN_URI:
        uri = first_text(metadata, _SOURCE_KEY) or UNKNOWN_URI
    return source(uri, first_text(metadata, *_TITLE_KEYS), reference.get("score"))


def location_uri(location: dict[str, Any]) -> str:
    """Return what names a document; ``unknown`` for a kind nobody here knows."""
    for member, naming in _LOCATIONS.items():
        if found := first_text(dict_at(location, member), naming):
            return found
    return UNKNOWN_URI


def cited(citations: Any) -> list[dict[str, Any]]:
    """Return sources of an agent's or RetrieveAndGenerate's ``citations``."""
    return [
        found
        for citation in dicts_in(citations)
        for found in retrieved(citation.get("retrievedReferences"))
    ]


def source(uri: str, title: str = "", score: Any = None) -> dict[str, Any]:
    """Return one source; what is unknown is left out."""
    found: dict[str, Any] = {"uri": uri}
    if title:
        found["title"] = title
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool)
    if is_number and math.isfinite(score):
        found["score"] = float(score)
    return found


def from_pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return sources of (title, URI) pairs; a title stands in for no URI."""
    return [source(uri or title, title) for title, uri in pairs if uri or title]


def unique(found: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Keep the first source of each URI; a later one may add title and score."""
    by_uri: dict[str, dict[str, Any]] = {}
    for each in found:
        by_uri[each["uri"]] = {**each, **by_uri.get(each["uri"], {})}
    return tuple(by_uri.values())
