"""What the code declares: meanings, ranges, tables, versions. Needs no Terraform."""

from __future__ import annotations

import re

import pytest

from scripts.tf_readme import MODULES, read_items, render

INFRA = MODULES.parent
FOLDERS = sorted(path.parent for path in MODULES.glob("*/variables.tf"))
ROOTS = [INFRA, *sorted(path.parent for path in (INFRA / "examples").glob("*/main.tf"))]
BLOCK = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
# Any value of these is legal, or they are lists of names that the code compares with.
FREE = {"tags", "execution_log_group_names", "refused_log_groups"}
each_module = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
each_root = pytest.mark.parametrize("folder", ROOTS, ids=lambda path: path.name)


def variables(folder):
    """Return the body of each variable of a module, by name."""
    return dict(BLOCK.findall((folder / "variables.tf").read_text()))


@each_module
def test_readme_has_the_inputs_and_outputs(folder):
    """The tables of a README are what the code declares."""
    text = (folder / "README.md").read_text()

    assert render(text, list(read_items(folder))) == text, "run scripts.tf_readme"


@pytest.mark.parametrize("folder", [INFRA, *FOLDERS], ids=lambda path: path.name)
def test_every_declaration_says_what_it_is(folder):
    """Variables have a type, all have a meaning, and a module has at most 30."""
    items = list(read_items(folder))
    inputs = [item for item in items if item.kind == "variable"]

    assert len(inputs) <= 30
    assert not [item.name for item in items if not item.meaning.endswith(".")]
    assert not [item.name for item in inputs if not item.type]


@each_module
def test_every_variable_has_a_legal_range(folder):
    """A variable that can be wrong has a validation."""
    without = {
        name
        for name, body in variables(folder).items()
        if "validation {" not in body and not re.search(r"type += bool", body)
    }

    assert without <= FREE


@each_module
def test_every_range_is_tried(folder):
    """Each variable with validations is given at least as many bad values in tests."""
    tests = "".join(
        p.read_text() for p in (INFRA / "tests").glob("*refuse*.tftest.hcl")
    )
    runs = [run for run in tests.split("\nrun ") if f"modules/{folder.name}" in run]

    for name, body in variables(folder).items():
        tried = sum(f"var.{name}," in run or f"var.{name}]" in run for run in runs)
        assert tried >= body.count("validation {"), name


def test_the_root_passes_on_what_the_module_takes():
    """Whatever audit_pipeline can be told, the root can be told, with its default."""
    module, root = (
        {item.name: item for item in read_items(folder) if item.kind == "variable"}
        for folder in (MODULES / "audit_pipeline", INFRA)
    )
    # The root works this out from the bots.
    derived = {"execution_log_group_names"}

    assert set(module) - set(root) == derived
    assert set(root) - set(module) == {"bots"}
    for name, item in root.items():
        if name in module:
            assert item.default == module[name].default, name
            assert item.type == module[name].type, name


@pytest.mark.parametrize("name", ["splunk", "opensearch", "elastic", "archive"])
def test_the_roots_objects_are_the_modules(name):
    """An object of the root has the attributes and defaults of the module's."""
    pattern = re.compile(r"  type = (object\(\{.*?^  \}\))", re.MULTILINE | re.DOTALL)

    root = pattern.search(variables(INFRA)[name])
    module = pattern.search(variables(MODULES / "audit_pipeline")[name])

    assert root is not None
    assert module is not None
    assert root[1] == module[1]


@pytest.mark.parametrize("folder", [*ROOTS, *FOLDERS], ids=lambda path: path.name)
def test_versions_are_the_same_everywhere(folder):
    """Every root and module asks for the same Terraform and the one provider."""
    text = (folder / "versions.tf").read_text()

    assert text == (INFRA / "versions.tf").read_text()
    assert re.findall(r'source += "(.*)"', text) == ["hashicorp/aws"]


def test_nothing_asks_for_a_secret():
    """No variable takes a token, and no resource or data source holds a secret."""
    for path in INFRA.rglob("*.tf"):
        text = path.read_text()
        names = re.findall(r'^variable "(\w+)"', text, re.MULTILINE)
        kinds = re.findall(r'^(?:resource|data) "(\w+)"', text, re.MULTILINE)

        assert not [n for n in names if re.search("token|password|api_key", n)], path
        assert not [k for k in kinds if "secretsmanager" in k or "ssm_" in k], path
        assert "hec_token " not in text, path
        assert not re.search(r"^\s*access_key\s*=", text, re.MULTILINE), path


@each_root
def test_outputs_of_roots_say_what_they_are(folder):
    """Every output of a root has a description."""
    names = [p for p in folder.glob("*.tf") if 'output "' in p.read_text()]
    text = "".join(path.read_text() for path in names)

    outputs = re.findall(r'^output "\w+" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)

    assert outputs
    assert all("description" in body for body in outputs)
