"""Whatever is killed, the next start or the watch brings it back with its data, and no person is needed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from embedded_service import Service, broker_of, rows, runs, write_row
from parts import PATIENCE_S, Client, answers, wait_until

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.embedded.files import take_lock
from seal_tracker.embedded.leftovers import end_leftovers


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs is adopted, however slowly it answers on a busy machine."""
    monkeypatch.setattr("seal_tracker.embedded.part.ADOPT_PATIENCE_S", PATIENCE_S)


async def test_a_killed_service_leaves_its_parts_running_and_the_next_adopts_them(data_folder: Path) -> None:
    """A broker that goes on taking pings while the service restarts keeps what gateways cannot."""
    service = Service(data_folder)
    service.kill()
    assert all(runs(pid) for pid in service.said["pids"].values())
    changes: list[tuple[str, str]] = []
    async with EmbeddedParts(data_folder, listener=lambda *change: changes.append(change)) as parts:
        assert parts.pids == service.said["pids"]
        assert parts.mqtt.port == service.said["port"]
        assert sorted(changes) == [("nats", "adopted"), ("postgres", "adopted")]
    assert not any(runs(pid) for pid in service.said["pids"].values())


DEMO = """
import sys
from pathlib import Path
from seal_tracker.embedded.leftovers import leaving_nothing
from seal_tracker.embedded.programs import Program, launch

folder = Path(sys.argv[1])
with leaving_nothing(folder, remove=True):
    for name in ("nats", "postgres"):
        (folder / name).mkdir()
        program = Program(name, ("/bin/sleep", "600"), folder / name / "lock", folder / name / "log.txt", None, ())
        print(launch(program).pid, flush=True)
    sys.stdin.read()
"""
"""What is launched as parts are; none of them is waited for, as no part is."""


def test_a_killed_demo_leaves_neither_parts_nor_its_folder(tmp_path: Path) -> None:
    """Nobody would end them: the next demo has a folder of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", DEMO, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        parts = [int(demo.stdout.readline()) for _ in range(2)]
        assert all(runs(pid) for pid in parts)
        demo.kill()
    wait_until(lambda: not tmp_path.exists(), what="the folder is gone")
    assert not any(runs(pid) for pid in parts)


def test_what_a_service_runs_on_is_nobody_s_leftover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo's folder that a service has taken over meanwhile: the parts are its own."""
    monkeypatch.setattr("seal_tracker.embedded.leftovers.LET_GO_S", 0)
    held = take_lock(tmp_path / "lock")
    assert held is not None
    assert not end_leftovers(tmp_path)
    os.close(held)
    assert end_leftovers(tmp_path)


@pytest.mark.parametrize("victims", [("nats",), ("postgres",), ("nats", "postgres")])
async def test_service_and_parts_killed_together_start_again_with_their_data(
    data_folder: Path, victims: tuple[str, ...]
) -> None:
    """Stale pid files, half-written logs and left shared memory are the next start's business, not a person's."""
    async with EmbeddedParts(data_folder) as parts:
        await write_row(parts)
    service = Service(data_folder)
    for victim in victims:
        os.kill(service.said["pids"][victim], signal.SIGKILL)
    service.kill()
    async with EmbeddedParts(data_folder) as parts:
        assert await rows(parts) == 1
        for part, pid in parts.pids.items():
            assert (pid == service.said["pids"][part]) == (part not in victims)


async def test_parts_left_by_another_configuration_are_ended_and_started_anew(data_folder: Path) -> None:
    """What runs must be what would be started: here the tenant changed."""
    service = Service(data_folder)
    service.kill()
    async with EmbeddedParts(data_folder, tenant="another") as parts:
        assert parts.pids["nats"] != service.said["pids"]["nats"]
        assert parts.pids["postgres"] == service.said["pids"]["postgres"]


def test_sigterm_ends_the_parts_and_ctrl_c_does_not_reach_them(data_folder: Path) -> None:
    """A terminal's Ctrl-C goes to the service alone, which then ends its parts in order."""
    service = Service(data_folder)
    sessions = {os.getsid(pid) for pid in service.said["pids"].values()}
    assert sessions == set(service.said["pids"].values())
    assert service.terminate() == 0
    assert not any(runs(pid) for pid in service.said["pids"].values())


async def test_a_dead_part_is_restarted_while_the_service_runs(data_folder: Path) -> None:
    """kill -9 of broker or database: the watch starts it again, on the same port, with its data."""
    changes: list[tuple[str, str]] = []
    async with EmbeddedParts(data_folder, listener=lambda *change: changes.append(change)) as parts:
        await write_row(parts)
        for part in ("postgres", "nats"):
            pid = parts.pids[part]
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(
                wait_until, lambda part=part: (part, "restarted") in changes, what=f"{part} restarted"
            )
            assert parts.pids[part] != pid
        assert await rows(parts) == 1
        with broker_of(parts).client("service"):
            pass
    assert [change for _, change in changes].count("died") == 2


async def test_a_durable_client_comes_back_by_itself_after_the_broker_was_killed(data_folder: Path) -> None:
    """Session, subscription and queue are in the store: the client need not subscribe again."""
    async with EmbeddedParts(data_folder) as parts:

        def story() -> None:
            with (
                broker_of(parts).client("service", "durable") as client,
                broker_of(parts).client("service") as sender,
            ):
                assert client.subscribe("t/+")
                assert parts.pids["nats"]
                os.kill(parts.pids["nats"], signal.SIGKILL)
                wait_until(lambda: not client.paho.is_connected(), what="connection lost")
                wait_until(client.paho.is_connected, what="connection found again")
                wait_until(sender.paho.is_connected, what="sender back")
                sender.publish("t/1")
                wait_until(lambda: client.topics() == ["t/1"], what="a message after the restart")

        await asyncio.to_thread(story)


async def test_a_broker_killed_loses_no_message_that_it_acknowledged(data_folder: Path) -> None:
    """NATS hands each message to the kernel before it acknowledges it, so a kill -9 loses none; counted."""
    sent = 3000
    async with EmbeddedParts(data_folder) as parts:

        def story() -> set[str]:
            broker = broker_of(parts)
            with broker.client("service", "store") as store:
                assert store.subscribe("dev/+/ping")
            sender = Client(broker, "service", "", clean=True)
            by_mid: dict[int, str] = {}
            with sender:
                for number in range(sent):
                    by_mid[sender.publish(f"dev/{number}/ping")] = f"dev/{number}/ping"
                    if number == sent // 2:
                        wait_until(lambda: len(sender.acknowledged) > sent // 4, what="some acknowledged")
                        assert parts.pids["nats"]
                        os.kill(parts.pids["nats"], signal.SIGKILL)
                        sender.paho.loop_stop()  # it shall not send them again: what counts is what was acknowledged
                        break
            acknowledged = {by_mid[mid] for mid in set(sender.acknowledged)}
            assert len(acknowledged) > sent // 4
            wait_until(lambda: answers(broker.port), what="the broker started again")
            with broker.client("service", "store") as store:
                wait_until(lambda: acknowledged <= set(store.topics()), what="all acknowledged messages")
                return acknowledged - set(store.topics())

        assert await asyncio.to_thread(story) == set()


async def test_a_pid_file_that_names_a_strangers_process_does_not_stop_the_database(
    data_folder: Path,
) -> None:
    """After a crash in a container the number in postmaster.pid is soon somebody else's."""
    async with EmbeddedParts(data_folder) as parts:
        await write_row(parts)
        pid = parts.pids["postgres"]
    stale = data_folder / "postgres" / "data" / "postmaster.pid"
    stranger = await asyncio.to_thread(subprocess.Popen, ["sleep", "60"])
    try:
        stale.write_text(
            f"{stranger.pid}\n{data_folder / 'postgres' / 'data'}\n{int(time.time())}\n5432\n\n127.0.0.1\n"
        )
        async with EmbeddedParts(data_folder) as parts:
            assert await rows(parts) == 1
            assert parts.pids["postgres"] not in {pid, stranger.pid}
    finally:
        stranger.kill()
        stranger.wait()
