"""The command ``chatbot-audit cost``."""

from __future__ import annotations

import dataclasses
import json

import pytest
from click.testing import CliRunner

from chatbot_audit.cli.group import cli
from chatbot_audit.cost import Prices, Workload, option_of

# 73,000 records a month, each exactly one step of 5 KB as gzip.
LOAD = ("--questions-per-day", "2400", "--record-kb", "10", "--gzip-ratio", "2")


def run(*arguments):
    return CliRunner().invoke(cli, ["cost", *arguments])


def price_options(price="1"):
    names = [option_of(field.name) for field in dataclasses.fields(Prices)]
    return [word for name in names for word in (name, price)]


def test_the_table_has_a_line_a_part_and_the_total():
    """Quantities, units, prices and costs stand in columns."""
    result = run(*LOAD, "--cloudwatch-gb", "0.5", "--alarm", "0.1")

    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["part", "quantity", "unit", "price", "cost"]
    assert lines[1] == ["CloudWatch", "Logs,", "written", "0.6962", "GB", "0.5", "0.35"]
    assert lines[-1] == ["total", "a", "month", "2.45"]


def test_what_the_total_lacks_is_said():
    """Beside the table, so that a pipe gets the table only."""
    result = run(*LOAD, "--cloudwatch-gb", "0.5")

    assert result.stderr == (
        "not in the total, for want of a price: --cloudwatch-storage-gb,"
        " --firehose-gb, --lambda-gb-s, --lambda-million, --metric, --alarm\n"
    )


def test_nothing_is_said_when_every_price_is_given():
    """The total is whole."""
    result = run(*LOAD, *price_options())

    assert result.exit_code == 0
    assert result.stderr == ""


def test_numbers_never_stand_as_powers_of_ten():
    """A GB-second costs little, a big bank asks much: both can be read."""
    result = run(
        *("--questions-per-day", "20000000"),
        *("--lambda-gb-s", "0.0000133334", "--lambda-million", "0.2"),
    )

    assert "0.0000133334" in result.stdout
    assert "e-" not in result.stdout
    assert "e+" not in result.stdout


def test_less_than_a_cent_is_not_nothing():
    """One question a day costs something, though little."""
    result = run("--questions-per-day", "1", "--cloudwatch-gb", "0.5")

    assert result.stdout.splitlines()[1].endswith("<0.01")


def test_json_has_every_digit_and_what_was_assumed():
    """A program adds up the parts and knows the workload."""
    result = run(*LOAD, "--cloudwatch-gb", "0.5", "--json")

    answer = json.loads(result.stdout)
    assert answer["total"] == pytest.approx(73_000 * 10_240 / 1024**3 * 0.5)
    assert answer["parts"][0] == {
        "part": "CloudWatch Logs, written",
        "quantity": pytest.approx(0.69618225),
        "unit": "GB",
        "price": 0.5,
        "cost": pytest.approx(0.34809113),
    }
    assert answer["parts"][1]["cost"] is None
    assert answer["hours_per_month"] == 730
    assert answer["workload"]["retention_days"] == 400
    assert "--firehose-gb" in answer["unpriced"]


def test_two_destinations_are_two_streams():
    """--destination may be given twice."""
    result = run(*LOAD, "--destination", "splunk", "--destination", "opensearch")

    assert "Firehose, splunk" in result.stdout
    assert "Firehose, opensearch, put back" in result.stdout


def test_every_setting_and_every_price_has_an_option():
    """What can be reckoned with can be given; a price's help names its list."""
    help_text = " ".join(run("--help").stdout.split())

    fields = [*dataclasses.fields(Workload), *dataclasses.fields(Prices)]
    for name in {field.name for field in fields} - {"destinations"}:
        assert f"{option_of(name)} " in help_text
    assert help_text.count("Amazon CloudWatch") == 4
    assert help_text.count("Amazon Data Firehose") == 3
    assert help_text.count("AWS Lambda") == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param([], "Missing option '--questions-per-day'", id="no-questions"),
        pytest.param(["--questions-per-day", "many"], "not a valid float", id="words"),
        pytest.param(["--questions-per-day", "nan"], "must be 0 to", id="nan"),
        pytest.param(["--questions-per-day", "-5"], "must be 0 to", id="negative"),
        pytest.param([*LOAD, "--bots", "1.5"], "not a valid integer", id="half-a-bot"),
        pytest.param([*LOAD, "--firehose-gb", "-1"], "--firehose-gb", id="price"),
        pytest.param([*LOAD, "--firehose-gb", "inf"], "--firehose-gb", id="endless"),
        pytest.param([*LOAD, "--destination", "s3"], "'s3' is not one", id="unknown"),
        pytest.param(
            [*LOAD, "--vpc-azs", "2"], "is for --destination opensearch", id="vpc"
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, told):
    """No table, no traceback."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
