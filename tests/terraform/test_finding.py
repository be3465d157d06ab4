"""Where Terraform and its provider are looked for."""

from __future__ import annotations

import pytest

from scripts import tf_local

PATH = "registry.example.com/hashicorp/aws/5.100.0/linux_amd64"


def put_provider(folder):
    path = folder / PATH / "terraform-provider-aws_v5.100.0_x5"
    path.parent.mkdir(parents=True)
    path.touch()
    return folder


@pytest.fixture
def empty_machine(tmp_path, monkeypatch):
    """A machine that has terraform and no provider."""
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    zip_path = tmp_path / tf_local.ZIP
    zip_path.parent.mkdir()
    zip_path.touch()
    monkeypatch.setattr(tf_local, "ROOT", tmp_path)
    monkeypatch.setattr(tf_local, "_SEARCHED", (str(tmp_path / "opt"),))
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "home/.terraform.d/plugins",
        "home/.local/share/terraform/plugins",
        "opt/anywhere/plugins",
        "home/deep/in/plugins",
    ],
)
def test_finds_the_provider(empty_machine, place):
    """Terraform's own mirrors are looked into, then the machine is searched."""
    folder = put_provider(empty_machine / place)

    assert tf_local.find_tools().plugin_dir == folder


def test_the_users_word_goes_first(empty_machine, monkeypatch):
    """TF_PLUGIN_DIR beats every mirror."""
    put_provider(empty_machine / "home/.terraform.d/plugins")
    folder = put_provider(empty_machine / "mine")
    monkeypatch.setenv("TF_PLUGIN_DIR", str(folder))

    assert tf_local.find_tools().plugin_dir == folder


def test_a_wrong_word_is_no_reason_to_take_another(empty_machine, monkeypatch):
    """If TF_PLUGIN_DIR holds no provider, that is said; none is taken elsewhere."""
    put_provider(empty_machine / "home/.terraform.d/plugins")
    monkeypatch.setenv("TF_PLUGIN_DIR", str(empty_machine / "nowhere"))

    with pytest.raises(FileNotFoundError, match="TF_PLUGIN_DIR"):
        tf_local.find_tools()


def test_says_what_is_missing(empty_machine, monkeypatch):
    """Without the provider, the program or the zip, the error names it."""
    with pytest.raises(FileNotFoundError, match="provider"):
        tf_local.find_tools()

    monkeypatch.setenv("PATH", str(empty_machine / "nothing"))
    with pytest.raises(FileNotFoundError, match="not on the PATH"):
        tf_local.find_tools()

    (empty_machine / tf_local.ZIP).unlink()
    with pytest.raises(FileNotFoundError, match="make build"):
        tf_local.find_tools()
