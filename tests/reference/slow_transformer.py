"""What the transformer does, said again slowly with the standard library.

For the main road only: envelopes of records that need no repair and hide nothing.
Written from the specification, not from the code; it shares with it the tables that
are the specification (fields, limits, patterns and rules) and `shorten_text`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import re
import unicodedata

from audit_record.cut import shorten_text
from audit_record.fields import FIELDS_BY_NAME, KEY_ORDER, TEXT_FIELDS
from subscription_transformer.normalise import CONFUSABLES
from subscription_transformer.rules import WHERE
from subscription_transformer.secrets import PERSONAL_KINDS


def transform(event, rules, max_text_bytes):
    """Return the HEC objects of each record of one invocation."""
    answers = []
    for record in event["records"]:
        envelope = json.loads(gzip.decompress(base64.b64decode(record["data"])))
        answers.append(
            [
                hec_event(
                    document_of(item, envelope, record, rules, max_text_bytes), item
                )
                for item in envelope["logEvents"]
                if item["message"].strip()
            ]
        )
    return answers


def document_of(item, envelope, record, rules, max_text_bytes):
    message = item["message"].encode()
    values = json.loads(message)
    place = [envelope[name].encode() for name in ("owner", "logGroup", "logStream")]
    values["document_id"] = hashlib.sha256(b"\0".join([*place, message])).hexdigest()[
        :32
    ]
    values["source_sha256"] = hashlib.sha256(message).hexdigest()
    values["event_id"] = item["id"]
    values["source_account"] = envelope["owner"]
    values["source_log_group"] = envelope["logGroup"]
    values["source_log_stream"] = envelope["logStream"]
    values["ingested_at"] = timestamp(record["approximateArrivalTimestamp"])
    values.setdefault("record_type", "interaction")
    labels(values, rules)
    originals = {name: values[name].encode() for name in TEXT_FIELDS}
    redact(values, rules.finders)
    cut(values, originals, max_text_bytes)
    values.pop("nonce", None)
    return {name: values[name] for name in KEY_ORDER if name in values}


def hec_event(document, item):
    names = ("document_id", "record_id", "bot_name", "user_id", "conversation_id")
    fields = (*names, "outcome", "record_type")
    group, stream = document["source_log_group"], document["source_log_stream"]
    return {
        "time": item["timestamp"] / 1_000,
        "host": document["bot_name"],
        "source": f"{group}:{stream}",
        "sourcetype": "chatbot:audit",
        "fields": {
            f"audit_{name}": document[name] for name in fields if name in document
        },
        "event": document,
    }


def timestamp(epoch_ms):
    import datetime as dt  # noqa: PLC0415

    moment = dt.datetime.fromtimestamp(epoch_ms // 1_000, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1_000:03d}Z"


def normalised(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(
        "".join(
            chr(
                CONFUSABLES.get(ord(c), ord(c))
                if isinstance(CONFUSABLES.get(ord(c), ord(c)), int)
                else c
            )
            for c in folded
        ).split()
    )


def labels(values, rules):
    topics, signals = [], []
    for field, place in WHERE.items():
        text = normalised(values[field]).encode()
        for rule in rules.rules:
            pattern = re.compile(rule.pattern.replace(r"\z", r"\Z").encode())
            if field in rule.where and pattern.search(text):
                (topics if rule.is_topic else signals).append(
                    f"{rule.name}@{place}" if rule.is_topic else rule.name
                )
    if re.search(r"[A-Za-z0-9+/]{200}", values["user_query"]):
        signals.append("obfuscation:base64")
    if mixes_scripts(values["user_query"]):
        signals.append("obfuscation:mixed_scripts")
    for name, found in (("topics", topics), ("signals", signals)):
        if found:
            values[name] = list(dict.fromkeys(found))[:10]


def mixes_scripts(text):
    def is_latin(char):
        return char.isascii() and char.isalpha()

    def is_alike(char):
        return ord(char) in CONFUSABLES and "\u0370" <= char <= "\u052f"

    return any(
        (is_latin(a) and is_alike(b)) or (is_alike(a) and is_latin(b))
        for a, b in itertools.pairwise(text)
    )


def spans_of(data, finders):
    """Return each find as start, end, kind and whether it is distinctive."""
    for finder in finders:
        pattern = re.compile(finder.pattern.replace(r"\z", r"\Z").encode())
        done = 0
        for match in pattern.finditer(data):
            start, end = match.span(1 if pattern.groups else 0)
            start = max(start, done)
            while start < end and (span := finder.check(data, start, end)):
                value = data[slice(*span)]
                is_long = len(value) >= 12 and re.search(rb"\d", value)
                is_mixed = is_long and re.search(rb"[A-Za-z]", value)
                yield *span, finder.kind, bool(finder.is_token or is_mixed)
                start = done = span[1]


def redact(values, finders):
    """Mask byte by byte: a byte is masked by whichever find covers it."""
    texts = {name: values[name].encode() for name in TEXT_FIELDS}
    finds = {name: list(spans_of(data, finders)) for name, data in texts.items()}
    secrets = {}
    for name in ("user_query", "response", "full_conversation"):
        for start, end, kind, is_distinctive in finds[name]:
            if is_distinctive:
                secrets.setdefault(texts[name][start:end], kind)
    counts, places = {}, {}
    for name, data in texts.items():
        found = [(start, end, kind) for start, end, kind, _ in finds[name]]
        for secret, kind in secrets.items():
            found += [
                (m.start(), m.end(), kind) for m in re.finditer(re.escape(secret), data)
            ]
        values[name], kinds = masked(data, found)
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1
        places[name] = set(kinds)
    if counts:
        note(values, counts, places)


def note(values, counts, places):
    values["redactions"] = dict(sorted(counts.items()))
    values["redaction_kinds"] = sorted(counts)
    where, names = secret_signals(places)
    signals = list(dict.fromkeys([*where, *values.get("signals", []), *names]))
    if signals:
        values["signals"] = signals[:10]


def masked(data, found):
    covered = bytearray(len(data))
    edges = set()
    for start, end, _ in found:
        covered[start:end] = b"\1" * (end - start)
    # Finds that only touch stay two.
    for place in {start for start, _, _ in found}:
        if not any(start < place < end for start, end, _ in found):
            edges.add(place)
    out, kinds, position = b"", [], 0
    while position < len(data):
        if not covered[position]:
            out += data[position : position + 1]
            position += 1
            continue
        stop = position + 1
        while stop < len(data) and covered[stop] and stop not in edges:
            stop += 1
        inside = sorted(f for f in found if position <= f[0] < stop)
        inside = sorted(inside, key=lambda f: (f[0], -f[1]))
        kind = next((k for *_, k in inside if k != "password"), "password")
        key = re.search(
            rb'(\\*")\s{0,16}:\s{0,16}\Z', data[max(0, position - 48) : position]
        )
        quote = key[1] if key else b""
        out += quote + b"[redacted:" + kind.encode() + b"]" + quote
        kinds.append(kind)
        position = stop
    return out.decode(errors="replace"), kinds


def secret_signals(places):
    where, names = [], []
    for field, place in WHERE.items():
        for kind in sorted(places[field]):
            what = "personal" if kind in PERSONAL_KINDS else "secret"
            where.append(f"{what}_in:{place}")
            names.append(f"{what}:{kind}")
    return where, names


def cut(values, originals, max_text_bytes):
    entries = []
    for name in ("response", "user_query", "full_conversation"):
        limit = min(max_text_bytes, FIELDS_BY_NAME[name].max_bytes)
        if len(values[name].encode()) <= limit:
            continue
        share = 0.1 if name == "full_conversation" else 0.7
        values[name] = shorten_text(values[name], limit, head_share=share)
        digest = hashlib.sha256(values.get("nonce", "").encode() + originals[name])
        entries.append(
            {
                "field": name,
                "bytes": len(originals[name]),
                "kept_bytes": len(values[name].encode()),
                "sha256": digest.hexdigest(),
            }
        )
    if entries:
        values["truncated"] = entries
