"""Where the command finds its store and zone."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot_audit.errors import SettingsError
from chatbot_audit.settings import DEFAULT_STORE, QuerySettings


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return {"CHATBOT_AUDIT_CONFIG": str(path)}

    return write


def test_without_a_file_the_defaults_hold(tmp_path):
    """A machine without a profile file searches the sandbox's store."""
    settings = QuerySettings.from_env({"HOME": str(tmp_path)})

    assert settings == QuerySettings(DEFAULT_STORE, None, no_content=False)


def test_reads_the_file_in_the_home_folder(tmp_path):
    """Without CHATBOT_AUDIT_CONFIG the file in ~/.config is read."""
    folder = tmp_path / ".config" / "chatbot-audit"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('tz = "Europe/Berlin"\n')

    settings = QuerySettings.from_env({"HOME": str(tmp_path)})

    assert settings.tz == "Europe/Berlin"


def test_a_path_in_the_file_is_seen_from_its_folder(config, tmp_path):
    """A relative store belongs to the file, not to where the command runs."""
    settings = QuerySettings.from_env(config('store = "case/audit.db"\n'))

    assert settings.store == tmp_path / "case" / "audit.db"


def test_a_profile_overrides_the_top_of_the_file(config):
    """What a profile leaves open comes from the top."""
    environ = config(
        'store = "a.db"\ntz = "UTC"\n[profiles.helpdesk]\nno_content = true\n'
        'tz = "Europe/Paris"\n[profiles.other]\ntz = "Asia/Tokyo"\n'
    )

    settings = QuerySettings.from_env(environ, "helpdesk")

    assert settings.tz == "Europe/Paris"
    assert settings.no_content
    assert settings.store.name == "a.db"


def test_the_environment_overrides_the_file(config):
    """Variables beat the file."""
    environ = config('store = "a.db"\ntz = "UTC"\n') | {
        "CHATBOT_AUDIT_STORE": "/cases/b.db",
        "CHATBOT_AUDIT_TZ": "Asia/Tokyo",
    }

    settings = QuerySettings.from_env(environ)

    assert settings == QuerySettings(Path("/cases/b.db"), "Asia/Tokyo")


def test_the_environment_may_name_the_profile(config):
    """CHATBOT_AUDIT_PROFILE works like --profile."""
    environ = config('[profiles.jp]\ntz = "Asia/Tokyo"\n')

    settings = QuerySettings.from_env(environ | {"CHATBOT_AUDIT_PROFILE": "jp"})

    assert settings.tz == "Asia/Tokyo"


def test_reports_all_faults_together(config):
    """One run tells everything that is wrong with the file."""
    environ = config(
        'stor = 1\ntz = 5\nno_content = "yes"\nstore = ""\n[profiles]\nx = 3\n'
    )

    with pytest.raises(SettingsError) as caught:
        QuerySettings.from_env(environ, "gone")

    assert len(caught.value.faults) == 6
    for part in ("stor;", "tz must", "no_content", "store must", "profiles.x", "gone"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a = [", id="not-toml"),
        pytest.param(b"\xff\xfe", id="not-utf8"),
        pytest.param(b"profiles = 3", id="profiles-no-table"),
    ],
)
def test_an_unreadable_file_is_a_clear_error(tmp_path, content):
    """A broken file never passes for an empty one."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"config\.toml: "):
        QuerySettings.from_env({"CHATBOT_AUDIT_CONFIG": str(path)})


def test_a_file_named_but_missing_is_an_error(tmp_path):
    """A typing error in the variable must not fall back in silence."""
    with pytest.raises(SettingsError, match="no such file"):
        QuerySettings.from_env({"CHATBOT_AUDIT_CONFIG": str(tmp_path / "x.toml")})


def test_a_folder_instead_of_a_file_is_an_error(tmp_path):
    """What cannot be opened is said so."""
    with pytest.raises(SettingsError, match="cannot be read"):
        QuerySettings.from_env({"CHATBOT_AUDIT_CONFIG": str(tmp_path)})


def test_a_home_that_does_not_exist_is_taken_literally(config, tmp_path):
    """`~nobody` of no known person is a name like any other."""
    settings = QuerySettings.from_env(config('store = "~no-such-person/a.db"\n'))

    assert settings.store == tmp_path / "~no-such-person" / "a.db"
