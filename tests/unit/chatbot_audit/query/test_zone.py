"""Which zone an analyst's days belong to."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from chatbot_audit.errors import WhenError
from chatbot_audit.query.zone import find_zone

SUMMER = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)


def offset_hours(zone):
    return SUMMER.astimezone(zone).utcoffset() / dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "environ", "hours"),
    [
        pytest.param("Europe/Berlin", {"TZ": "Asia/Tokyo"}, 2, id="given"),
        pytest.param("utc", {"TZ": "Asia/Tokyo"}, 0, id="utc"),
        pytest.param(None, {"TZ": "Asia/Tokyo"}, 9, id="variable"),
        pytest.param("local", {"TZ": ":Asia/Tokyo"}, 9, id="variable-with-colon"),
        pytest.param(None, {"TZ": ""}, 0, id="empty-variable-is-utc"),
    ],
)
def test_finds_the_zone(name, environ, hours):
    """The option beats the variable, the variable beats the machine."""
    assert offset_hours(find_zone(name, environ)) == hours


def zone_file(folder, name):
    """Copy a zone's own data to *folder*, as machines do."""
    from zoneinfo import TZPATH  # noqa: PLC0415 - differs between machines

    for place in TZPATH:
        source = folder.__class__(place) / name
        if source.is_file():
            return source.read_bytes()
    pytest.skip("this machine keeps its zones in a package")


def test_the_machines_zone_is_named_by_its_link(tmp_path):
    """/etc/localtime usually is a link into the zone database."""
    target = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"not looked into")
    link = tmp_path / "localtime"
    link.symlink_to(target)

    assert find_zone(None, {}, link) == ZoneInfo("Europe/Berlin")


def test_the_machines_zone_may_be_a_copy(tmp_path):
    """Containers often have a copied file without a name; it has summer time too."""
    copy = tmp_path / "localtime"
    copy.write_bytes(zone_file(tmp_path, "Europe/Berlin"))

    assert offset_hours(find_zone(None, {}, copy)) == 2
    assert offset_hours(find_zone(None, {"TZ": str(copy)})) == 2


@pytest.mark.parametrize(
    "name",
    ["Mars/Olympus", "", "../../etc/passwd", "Europe", "a\0b", "x" * 5_000, "\ud800"],
    ids=lambda name: ascii(name)[:20],
)
def test_an_unknown_zone_is_a_clear_error(name):
    """No zone is guessed at."""
    with pytest.raises(WhenError, match="--tz names no known time zone"):
        find_zone(name, {})


@pytest.mark.parametrize("value", ["CET-1CEST", "Nowhere"])
def test_an_unknown_zone_in_the_environment_is_told_from_where(value):
    """The person finds what to change."""
    with pytest.raises(WhenError, match="environment's TZ"):
        find_zone(None, {"TZ": value})


@pytest.mark.parametrize("content", [None, b"", b"noise"])
def test_a_machine_without_a_zone_asks_for_one(tmp_path, content):
    """A wrong day would be a wrong answer: nothing is assumed."""
    path = tmp_path / "localtime"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(WhenError, match="give one with --tz"):
        find_zone(None, {}, path)
