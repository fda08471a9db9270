"""``seal-tracker decode``: frames in, native pings out, and a line for each frame that gives none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seal_tracker.cli import cli
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.native import decode

FRAMES = Path(__file__).parents[1] / "frames"
HEARTBEAT = "(8000620011,@JT)"
DEED = "(8000620011,P45,221126,030000,20.86456,N,106.68123,E,A,36,270,1,98,0008627839,0,0,24,5)"


def row(name: str, what: str) -> str:
    """A frame of a table, as hex."""
    found = [json.loads(line) for line in (FRAMES / f"{name}.jsonl").read_text().splitlines()]
    (match,) = [each for each in found if each["what"] == what]
    return match["hex"] if "hex" in match else match["frame"].encode().hex()


def run(*args: str, given: str | bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["decode", *args], input=given)


def pings(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_pings_come_out_as_native_lines() -> None:
    """What the command writes, a seal may publish."""
    result = run("jointech", given=DEED)
    (line,) = result.stdout.splitlines()
    assert decode(line.encode(), "8000620011").pings[0].facts == ["unlock_ok"]
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_line_each_says_why_not() -> None:
    """What holds nothing to store is named, what is refused has its byte; a refusal is exit code 1."""
    result = run("jointech", given=f"{HEARTBEAT}\n\n{DEED}\n(8000620011,P45,22)\n")
    assert len(pings(result)) == 1
    assert result.stderr.splitlines() == [
        "standard input:1: nothing to store: @JT",
        "standard input:4: byte 18: source is missing: the frame ends after 3 fields",
    ]
    assert result.exit_code == 1
    assert run("jointech", given=HEARTBEAT).exit_code == 0


@pytest.mark.parametrize("write", [str.upper, lambda h: f"0x{h}", lambda h: h + "2026-11-22 03:00:00.000",
                                   lambda h: " ".join(h[i : i + 2] for i in range(0, len(h), 2))],
                         ids=["upper", "0x", "log", "spaced"])  # fmt: skip
def test_hex_is_told_from_text(write) -> None:
    """However a log writes it."""
    result = run("jt808", given=write(row("jt808", "a position report of 2013")))
    assert [ping["seal"] for ping in pings(result)] == ["013912345678"], result.stderr


def test_bytes_as_they_came_are_read_whole() -> None:
    """A capture of a connection: frames one after another, none of them text."""
    data = bytes.fromhex(row("jointech", "a JT701D, locked")) * 2 + HEARTBEAT.encode()
    result = run("jointech", given=data)
    assert len(pings(result)) == 2
    assert result.stderr == "standard input: nothing to store: @JT\n"


def test_json_over_several_lines_is_one_payload() -> None:
    text = '{"_type":"location","lat":20.8,"lon":106.6,"tst":1795316400}'
    assert len(pings(run("owntracks", given=json.dumps(json.loads(text), indent=2)))) == 1
    assert len(pings(run("owntracks", given=f"{text}\n{text}\n"))) == 2


def test_parts_of_a_message_may_stand_in_lines_of_their_own() -> None:
    """Other frames may come between; parts without their others are refused at the end."""
    both = row("jt808", "a batch in two parts, in one payload")
    first, second = both[: both.index("7e7e") + 2], both[both.index("7e7e") + 2 :]
    result = run("jt808", given=f"{first}\n{row('jt808', 'an authentication')}\n{second}")
    assert len(pings(result)) == 2
    alone = run("jt808", given=f"{second}\n{row('jt808', 'a position report of 2013')}")
    assert len(pings(alone)) == 1
    assert "part 2 of 2 of message 0x0704: part 1 did not come" in alone.stderr
    assert alone.exit_code == 1


def test_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "night.log"
    file.write_text(f"{DEED}\nnonsense\n")
    result = run("jointech", str(file))
    assert result.stderr == f"{file}:2: byte 0: b'nonsense': expected a frame, which begins with $ or (\n"
    gone = run("jointech", str(tmp_path / "gone"))
    assert gone.exit_code == 2
    assert "cannot be read" in gone.stderr


def test_a_device_may_be_named() -> None:
    """Then frames of others are refused."""
    assert run("jointech", "--device", "8000620011", given=DEED).exit_code == 0
    result = run("jointech", "--device", "8000620012", given=DEED)
    assert "another than the topic's" in result.stderr
    assert result.exit_code == 1


def test_hex_that_is_none_is_refused() -> None:
    result = run("jt808", "--input", "hex", given="7e0g")
    assert result.stderr == "standard input:1: byte 0: is no hex: expected two hexadecimal digits a byte\n"
    assert result.exit_code == 1


def test_a_format_that_is_none_is_wrong_usage() -> None:
    result = run("morse")
    assert result.exit_code == 2
    assert ", ".join(formats()) in result.stderr


def test_the_help_names_every_format() -> None:
    text = " ".join(run("--help").stdout.split())
    assert f"one JSON object a line: {', '.join(formats())}." in text
