"""The command line: exit codes, words, starts that are refused, ends that are clean, and the demo."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import raw_traffic
from click.testing import CliRunner
from parts import wait_until
from running import PLANS, Running, command_line, seal_tracker, serving
from traffic import iso

from seal_tracker.cli import cli
from seal_tracker.embedded.ports import choose_port
from seal_tracker.sources.recording import read_line
from simulators.cli import cli as sim

LIVE_PLAN = PLANS / "live"
OPEN_RING = [[106.45, 20.80], [106.50, 20.80], [106.50, 20.85], [106.45, 20.85]]
ACCOUNTS = {"gateway", "integrator", "operator", "supervisor", "unit_head", "auditor", "administrator"}
DEMO_KINDS = {
    "ROUTE_DEVIATION", "ZONE_ENTERED", "PROHIBITED_ZONE", "SEAL_TAMPER", "STOP_UNPLANNED", "SIGNAL_LOST",
    "CHECKPOINT_REACHED", "BATTERY_LOW",
}  # fmt: skip


@pytest.fixture
def faulty_plan(tmp_path: Path) -> Path:
    """The live plan with an unclosed ring, a half-width of nothing and a key no policy has."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    zones: dict[str, Any] = json.loads((LIVE_PLAN / "zones.geojson").read_text())
    routes: dict[str, Any] = json.loads((LIVE_PLAN / "routes.geojson").read_text())
    zones["features"][2]["geometry"]["coordinates"] = [OPEN_RING]
    routes["features"][0]["properties"]["half_width_m"] = 0
    (folder / "zones.geojson").write_text(json.dumps(zones))
    (folder / "routes.geojson").write_text(json.dumps(routes))
    (folder / "journeys.jsonl").write_text((LIVE_PLAN / "journeys.jsonl").read_text())
    (folder / "policies.toml").write_text("[default.ROUTE_DEVIATION]\nraise_fixs = 2\n")
    return folder


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Three pings of one seal, one line that is none, and one seal nobody knows."""
    begin = int(time.time()) - 600
    lines = ["seal,time,lon,lat"]
    lines += [f"SEAL-1,{iso(begin + 30 * i)},106.68,20.86" for i in range(3)]
    lines += ["SEAL-1,yesterday,106.68,20.86", f"STRANGER,{iso(begin)},106.0,20.0"]
    path = tmp_path / "trace.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def fault_lines(text: str) -> list[str]:
    """What is said of each fault: the indented lines, which name no folder."""
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


def test_check_of_a_sound_plan_ends_with_0() -> None:
    """It says so, and what was found sound."""
    done = seal_tracker("check", LIVE_PLAN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 errors, 0 warnings" in done.stdout
    assert "the plan can be used" in done.stdout


def test_check_of_a_faulty_plan_ends_with_1_and_names_every_fault(faulty_plan: Path) -> None:
    """Each with file, feature, what, why and remedy, also for programs."""
    done = seal_tracker("check", faulty_plan)
    assert done.returncode == 1
    for word in (
        "zones.geojson",
        "scrap-depot",
        "routes.geojson",
        "port-to-border",
        "policies.toml",
        "raise_fixs",
    ):
        assert word in done.stdout
    as_json = seal_tracker("check", "--json", faulty_plan)
    report = json.loads(as_json.stdout)
    assert as_json.returncode == report["exit_code"] == 1
    assert {f["feature"] for f in report["faults"]} >= {"scrap-depot", "port-to-border"}
    assert all(f[member] for f in report["faults"] for member in ("file", "what", "why", "remedy", "level"))


def test_check_of_what_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    """A file that is not there, a name that says nothing, and no path at all."""
    odd = tmp_path / "notes.txt"
    odd.write_text("nothing")
    assert seal_tracker("check", tmp_path / "nowhere").returncode == 2
    assert seal_tracker("check", odd).returncode == 2
    assert seal_tracker("check").returncode == 2


def test_serve_refuses_a_faulty_plan_in_the_words_of_check(faulty_plan: Path, tmp_path: Path) -> None:
    """Exit code 1, nothing started, and every line that ``check`` says of a fault."""
    told = fault_lines(seal_tracker("check", faulty_plan).stdout)
    done = seal_tracker(
        "serve", "--embedded", tmp_path / "data", "--plan", faulty_plan, "--http", "127.0.0.1:0"
    )
    assert done.returncode == 1
    assert told
    assert fault_lines(done.stderr) == told
    assert not (tmp_path / "data").exists()
    backtest = seal_tracker("backtest", faulty_plan, faulty_plan / "journeys.jsonl")
    assert backtest.returncode == 1
    assert fault_lines(backtest.stderr) == told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MQTT_PORT", "99999"),
        ("HTTP", "everywhere"),
        ("TENANT", "a/b"),
        ("LOG_LEVEL", "loud"),
        ("MQQT_HOST", "broker"),
        ("CONFIG", "/nowhere/seal-tracker.toml"),
    ],
)
def test_serve_names_a_setting_that_is_wrong(name: str, value: str, tmp_path: Path) -> None:
    """Exit code 2, the setting's whole name, and its value; a setting that does not exist is one that is wrong."""
    done = seal_tracker("serve", "--embedded", tmp_path / "data", **{f"SEAL_TRACKER_{name}": value})
    assert done.returncode == 2
    assert f"SEAL_TRACKER_{name}" in done.stderr
    assert value in done.stderr or name == "MQQT_HOST"
    assert "Traceback" not in done.stderr


def test_serve_shows_no_secret_of_a_setting_that_is_wrong(tmp_path: Path) -> None:
    """A message goes into logs that others read."""
    secrets = {
        "SEAL_TRACKER_DATABASE_DSN": "postgresql://owner:word-1@db/x",
        "SEAL_TRACKER_MQTT_PASSWORD": "word-2",
    }
    done = seal_tracker("serve", "--embedded", tmp_path / "data", SEAL_TRACKER_MQTT_PORT="0", **secrets)
    assert done.returncode == 2
    assert "word-" not in done.stderr


def test_serve_without_parts_says_which_settings_are_missing() -> None:
    """All at once, and the other way to start."""
    done = seal_tracker("serve")
    assert done.returncode == 2
    for name in ("DATABASE_DSN", "MQTT_HOST", "LEDGER_KEY_FILE"):
        assert f"SEAL_TRACKER_{name}" in done.stderr
    assert "--embedded" in done.stderr


def test_ready_file_is_for_its_owner_and_says_where_and_who(service: Running) -> None:
    """Mode 0600; addresses, tenant, process and the seven accounts with user name, password and token."""
    assert stat.S_IMODE(service.ready_file.stat().st_mode) == 0o600
    assert service.ready.keys() >= {"http", "mqtt", "postgres", "pid", "tenant", "accounts"}
    assert service.ready["accounts"].keys() == ACCOUNTS
    assert all(a.keys() == {"username", "password", "token"} for a in service.ready["accounts"].values())
    assert psutil.pid_exists(service.ready["pid"])
    assert stat.S_IMODE((service.data / "credentials.json").stat().st_mode) == 0o600


def test_second_start_on_the_same_folder_is_refused(service: Running) -> None:
    """Exit code 1 and a reason; the first does not notice."""
    done = seal_tracker("serve", "--embedded", service.data, "--http", "127.0.0.1:0")
    assert done.returncode == 1
    assert str(service.data.resolve()) in done.stderr
    assert "another service runs" in done.stderr
    assert service.readyz()[0] == 200
    assert json.loads((service.data / "ready.json").read_text())["pid"] == service.ready["pid"]


def test_start_on_a_port_that_is_taken_is_refused_and_leaves_nothing(
    service: Running, open_folder: Path
) -> None:
    """Exit code 1, the address in the reason, and no broker or database behind."""
    taken = service.ready["http"].removeprefix("http://").rstrip("/")
    done = seal_tracker("serve", "--embedded", open_folder / "data", "--http", taken)
    assert done.returncode == 1
    assert taken.rpartition(":")[2] in done.stderr
    assert "Traceback" not in done.stderr
    left = Running(open_folder, None)
    assert not left.part_processes("nats")
    assert not left.part_processes("postgres")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_end_is_clean_and_the_next_start_finds_everything(
    open_folder: Path, trace: Path, end: signal.Signals
) -> None:
    """Exit code 0, nothing left running; then the same port, accounts, pings, events and episodes."""
    with serving(open_folder, LIVE_PLAN) as service:
        now = iso(time.time())
        with service.mqtt("gateway") as gateway:
            cut = {"time": now, "lon": 106.68, "lat": 20.86, "lock": "cut", "facts": ["rope_cut"]}
            gateway.wait_acknowledged([gateway.ping("SEAL-1", cut)])
        stats = service.wait_for(pings_stored=1, events=1)
        ready, events, episodes = service.ready, service.events(), service.episodes()
        assert service.process is not None
        service.process.send_signal(end)
        assert service.process.wait(90) == 0
        assert not service.part_processes("nats")
        assert not service.part_processes("postgres")
        assert not (service.data / "ready.json").exists()
        service.start()
        assert service.ready["mqtt"] == ready["mqtt"]
        assert service.ready["accounts"] == ready["accounts"]
        assert service.stats()["pings_stored"] == stats["pings_stored"] == 1
        assert service.events() == events
        assert service.episodes() == episodes
        assert [j["id"] for j in service.get("/api/v1/journeys")["items"]] == [f"J-{n}" for n in range(1, 7)]


def test_backtest_sums_up_for_programs(trace: Path) -> None:
    """What was read and judged, how long each took, what was found and what was discarded by name."""
    done = seal_tracker("backtest", LIVE_PLAN, trace, "--json")
    assert done.returncode == 0
    figures = json.loads(done.stdout)
    assert figures.keys() >= {"pings", "read_s", "judge_s", "episodes", "discards"}
    assert figures["pings"] == 4
    assert figures["discards"]["trace_lines_faulty"] == 1
    assert figures["judge_s"] >= 0
    assert figures["read_s"] >= 0
    assert "yesterday" in done.stderr


def test_backtest_says_now_that_is_none(trace: Path) -> None:
    """A moment without a zone is not a moment."""
    done = seal_tracker("backtest", LIVE_PLAN, trace, "--now", "2026-11-22T03:00:00")
    assert done.returncode == 1
    assert "say the zone" in done.stderr


def test_replay_goes_into_a_space_of_its_own_unless_told(service: Running, trace: Path) -> None:
    """The live space stays as it was; ``--json`` says what became of each ping."""
    before = service.stats()["pings_stored"]
    done = seal_tracker("replay", trace, "--plan", LIVE_PLAN, "--embedded", service.data, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["sent"], result["stored"], result["dead_letters"]) == (4, 4, 0)
    assert re.fullmatch(r"replay-\d{8}T\d{6}", result["space"])
    assert service.stats(result["space"])["pings_stored"] == 4
    assert service.stats()["pings_stored"] == before


def test_replay_keeps_the_gaps_at_a_speed(service: Running, trace: Path) -> None:
    """A minute of trace at 30 times its speed takes two seconds at least."""
    words = ["replay", trace, "--plan", LIVE_PLAN, "--space", "at-speed", "--speed", "30", "--json"]
    done = seal_tracker(*words, "--ready-file", service.ready_file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sent_s"] >= 2


def test_replay_of_the_same_again_changes_nothing(service: Running, trace: Path) -> None:
    """In a space that has these pings already they are duplicates, and no episode and no event comes of them."""
    words = ["replay", trace, "--space", "again", "--ready-file", service.ready_file, "--json"]
    assert seal_tracker(*words, "--plan", LIVE_PLAN).returncode == 0
    episodes, events = service.episodes("again"), service.events("again")
    done = seal_tracker(*words)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["sent"], result["stored"], result["duplicates"]) == (4, 0, 4)
    assert (service.episodes("again"), service.events("again")) == (episodes, events)


def test_messages_replayed_as_recorded_give_the_same_episodes_each_time(
    service: Running, tmp_path: Path
) -> None:
    """At two speeds and in a back-test, to the byte but for the ids, which name the space; sent twice into one space they change nothing."""
    plan, trace = (
        raw_traffic.write_plan(tmp_path / "plan"),
        raw_traffic.write_recording(tmp_path / "raw.jsonl"),
    )
    words = ["replay", str(trace), "--raw", "--ready-file", str(service.ready_file), "--json", "--space"]
    results = [in_process(*words, "raw-1", "--plan", str(plan))]
    results += [in_process(*words, "raw-2", "--plan", str(plan), "--speed", "6000")]
    first, second = (
        service.answer(f"/api/v1/episodes?format=ndjson&space={s}")[1] for s in ("raw-1", "raw-2")
    )
    again = in_process(*words, "raw-1")
    assert service.answer("/api/v1/episodes?format=ndjson&space=raw-1")[1] == first
    assert again["stored"] == 0
    assert results[1]["sent_s"] > 0.25
    told = [in_process("backtest", str(plan), str(trace), "--episodes", str(tmp_path / "told"), "--json")]
    assert without_ids(first) == without_ids(second) == without_ids((tmp_path / "told").read_bytes())
    assert {json.loads(e)["type"] for e in first.splitlines()} >= {
        "PROHIBITED_ZONE",
        "SEAL_TAMPER",
        "EQUIPMENT_OFFLINE",
    }
    assert results[0]["dead_letters"] == told[0]["discards"]["trace_lines_faulty"] > 10
    assert service.stats("raw-1")["dead_letters"] == 2 * results[0]["dead_letters"]


def test_a_load_raises_its_alerts_in_a_space_of_its_own_and_times_them(service: Running) -> None:
    """All that it asked for, each matched to its ping; the live space stays as it was."""
    live = service.stats()["pings_stored"]
    words = [
        "load",
        "--ready-file",
        str(service.ready_file),
        "--space",
        "loaded",
        "--seals",
        "60",
        "--rate",
        "200",
    ]
    result = CliRunner().invoke(
        sim, [*words, "--for", "0.5", "--alerts", "0.1", "--connections", "5", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    alerts, messages = found["alerts"], found["messages"]
    assert (messages["acknowledged"], messages["in_flight"]) == (100, 0)
    assert (alerts["asked"], alerts["came"], alerts["missing"]) == (10, 10, 0)
    assert 0 < alerts["service_ms"]["p50"] <= alerts["response_ms"]["p50"] <= alerts["response_ms"]["max"]
    assert service.wait_for("loaded", pings_stored=100)["dead_letters"] == 0
    assert {e["type"] for e in service.episodes("loaded")} == {"SEAL_TAMPER"}
    assert service.stats()["pings_stored"] == live


def test_what_devices_send_is_recorded_as_it_came(service: Running, tmp_path: Path) -> None:
    """Text as text, other bytes as hex, and when it arrived."""
    sent = {
        "raw/jt808/013912345678": b"~\x02\xff",
        "dev/REC-1/ping": b'{"time": 1}',
        "equip/none/status": b"online",
    }
    file, over, begin = tmp_path / "recorded.ndjson", threading.Event(), time.time()
    with service.mqtt("gateway") as gateway:

        def send() -> None:
            while not over.wait(0.02):  # again and again, so that the first three heard are one of each
                for tail, payload in sent.items():
                    gateway.publish(f"eseal/v1/{service.tenant}/{tail}", payload)

        sending = threading.Thread(target=send)
        sending.start()
        try:
            words = ["record", str(file), "--embedded", str(service.data), "--count", "3", "--for", "60"]
            result = CliRunner().invoke(cli, words)
        finally:
            over.set()
            sending.join()
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{file}: 3 messages\n"
    lines = [read_line(line, 0) for line in file.read_bytes().splitlines()]
    assert sorted(line.payload for line in lines) == sorted(sent.values())
    assert all(begin - 0.001 <= line.received_ms / 1000 <= time.time() for line in lines)


def in_process(*words: str) -> Any:
    """What a command says for programs, without the second that a process takes to start."""
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return json.loads(result.stdout)


def test_the_weekly_report_is_written_to_files(service: Running, tmp_path: Path) -> None:
    """In each form that is asked for, as the API gives it; a unit that there is not is named."""
    words = [
        "report",
        "--ready-file",
        str(service.ready_file),
        "--lang",
        "en",
        "-o",
        str(tmp_path / "reports"),
    ]
    done = CliRunner().invoke(cli, [*words, "--format", "html", "--format", "csv"])
    assert done.exit_code == 0, done.output
    files = {path.name: path.read_text("utf-8-sig") for path in (tmp_path / "reports").iterdir()}
    assert set(files) == {"weekly-en.html", "weekly-en.csv"}
    assert f'href="{service.ready["http"]}/api/v1/' in files["weekly-en.html"]
    assert files["weekly-en.csv"].startswith("section,key,")
    refused = CliRunner().invoke(cli, [*words, "--unit", "nowhere"])
    assert (refused.exit_code, "there is no unit 'nowhere'" in refused.output) == (1, True)


def without_ids(episodes: bytes) -> list[bytes]:
    return [re.sub(rb'"episode":"[^"]+"', b"", line) for line in episodes.splitlines()]


def test_replay_says_what_is_in_its_way(
    service: Running, trace: Path, faulty_plan: Path, tmp_path: Path
) -> None:
    """No service, no such space, a faulty plan, live and exercise at once: one reason each, no traceback."""
    here = ["--ready-file", service.ready_file]
    refused = {
        ("--space", "x"): "say where the service is",
        ("--embedded", tmp_path): "is the service running?",
        (*here, "--space", "unheard-of"): "does not exist yet",
        (*here, "--plan", faulty_plan): "scrap-depot",
        (*here, "--live", "--space", "x"): "--live goes into the live space",
    }
    for words, reason in refused.items():
        done = seal_tracker("replay", trace, *words)
        assert done.returncode == 1, words
        assert reason in done.stderr
        assert "Traceback" not in done.stderr


def test_help_names_every_command() -> None:
    """And each command explains itself."""
    done = seal_tracker("--help")
    assert done.returncode == 0
    for name in ("demo", "serve", "check", "backtest", "replay"):
        assert name in done.stdout
        assert seal_tracker(name, "--help").returncode == 0


@pytest.fixture
def demo_folder(open_folder: Path) -> Iterator[Path]:
    """Where the demo keeps its data; whatever it has left running is ended."""
    yield open_folder
    for process in processes_of(open_folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def processes_of(folder: Path) -> list[psutil.Process]:
    """Those whose command line names the folder: service, broker, database, simulator."""
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


@pytest.mark.slow
def test_demo_ends_by_itself_with_a_summary(demo_folder: Path) -> None:
    """``--for 20 --no-browser``: exit code 0, the kinds of events counted, nothing left behind."""
    ready_file = demo_folder / "ready.json"
    words = ["demo", "--for", "20", "--no-browser", "--ready-file", ready_file]
    done = seal_tracker(*words, limit_s=150, TMPDIR=str(demo_folder))
    assert done.returncode == 0, done.stderr
    ready = json.loads(ready_file.read_text())
    assert f"{ready['http']}" in done.stdout
    assert f"mosquitto_sub -h {ready['mqtt']['host']} -p {ready['mqtt']['port']}" in done.stdout
    summary = re.search(
        r"([\d,]+) pings stored, [\d,]+ duplicates, ([\d,]+) dead letters, ([\d,]+) events", done.stdout
    )
    assert summary is not None, done.stdout
    stored, dead, events = (int(figure.replace(",", "")) for figure in summary.groups())
    assert stored > 1_000
    assert dead == 0
    assert events > 50
    assert len(DEMO_KINDS & set(done.stdout.split())) >= 5
    assert not list(demo_folder.glob("seal-tracker-demo-*"))
    wait_until(lambda: not psutil.pid_exists(ready["pid"]), what="the demo is gone")
    assert not processes_of(demo_folder)


LOCK_FRAME = "(8000620011,P45,{},20.86456,N,106.68123,E,A,36,270,2,0,0008627839,0,0,24,5)"


def test_a_lock_that_speaks_over_tcp_is_stored_and_answered(service: Running, tmp_path: Path) -> None:
    """A frame goes by the gateway, the broker and the decoder into the database; the lock is told once the broker has it."""
    before, port = service.stats(), choose_port()
    words = ("gateway", "--listen", f"jointech=127.0.0.1:{port}", "--ready-file", service.ready_file)
    log = tmp_path / "gateway.log"
    with log.open("wb") as file, subprocess.Popen(command_line(*words), stderr=file) as gateway:
        try:
            wait_until(lambda: connects(port), what="the gateway listens")
            with socket.create_connection(("127.0.0.1", port), 20) as lock:
                lock.sendall(LOCK_FRAME.format(time.strftime("%d%m%y,%H%M%S", time.gmtime())).encode())
                assert lock.recv(100) == b"(P69,0,24)"
            service.wait_for(pings_stored=before["pings_stored"] + 1)
        finally:
            gateway.terminate()
    assert gateway.returncode == 0, log.read_text()
    assert service.stats()["dead_letters"] == before["dead_letters"]


def connects(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
