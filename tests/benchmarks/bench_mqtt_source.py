"""Messages a second through ``MqttSource`` alone: received and acknowledged in batches, nothing done with them.

    python tests/benchmarks/bench_mqtt_source.py [--broker nats|mosquitto] [--messages 60000] [--batch 2000] [--loop uvloop|asyncio]
                                                  [--peer aiomqtt]

The session subscribes, a process publishes everything at QoS 1 while nobody reads (the broker keeps it), then the
clock runs from the first message to the last acknowledgement. ``--backlog no`` publishes meanwhile instead, from a
process of its own on the same cores. ``--peer aiomqtt`` gives the figure of aiomqtt as it comes, acknowledging each
message on receipt, from the same broker and publisher. Seeded: every run sends the same bytes.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
import uvloop

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from parts import ComposeBroker, LoopThread

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.sources.mqtt import Broker, MqttSource

FILTER = "eseal/v1/demo/+/+/ping"
CLIENT_ID = "bench-source"

PUBLISHER = """
import sys, json, time
import paho.mqtt.client as m
host, port, user, password, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
acked = 0
def on_publish(*_):
    global acked
    acked += 1
c = m.Client(m.CallbackAPIVersion.VERSION2)
c.username_pw_set(user, password); c.max_inflight_messages_set(2000); c.max_queued_messages_set(0)
c.on_publish = on_publish
c.connect(host, port); c.loop_start()
for i in range(count):
    while i - acked > 2000: time.sleep(0.0005)
    ping = {"time": f"2026-11-22T03:{i // 60 % 60:02}:{i % 60:02}Z", "lon": 106.5 + i % 999 / 1e4, "lat": 20.9,
            "valid": True, "speed_kmh": 43.5, "course_deg": 128, "accuracy_m": 8, "seq": i, "lock": "closed"}
    c.publish(f"eseal/v1/demo/dev/S{i % 2000:05}/ping", json.dumps(ping), qos=1)
while acked < count: time.sleep(0.001)
c.disconnect(); c.loop_stop()
"""


async def source(
    broker: Broker, count: int, batch: int, opened: asyncio.Event
) -> tuple[float, float, list[int]]:
    sizes: list[int] = []
    async with MqttSource(broker, CLIENT_ID, [FILTER], clock_ms=lambda: time.time_ns() // 1_000_000) as mqtt:
        began = cpu = 0.0
        opened.set()
        async for messages in mqtt.batches(batch):
            if not began:
                began, cpu = time.perf_counter(), time.process_time()
            sizes.append(len(messages))
            mqtt.acknowledge(messages)
            if mqtt.counts.acknowledged >= count:
                break
        return time.perf_counter() - began, time.process_time() - cpu, sizes


async def peer(broker: Broker, count: int, opened: asyncio.Event) -> tuple[float, float, list[int]]:
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=CLIENT_ID,
        clean_session=False,
    )
    async with client:
        await client.subscribe(FILTER, 1)
        opened.set()
        began, cpu, got = 0.0, 0.0, 0
        async for _ in client.messages:
            if not began:
                began, cpu = time.perf_counter(), time.process_time()
            got += 1
            if got == count:
                break
        return time.perf_counter() - began, time.process_time() - cpu, [1] * count


async def subscribe(broker: Broker) -> None:
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=CLIENT_ID,
        clean_session=False,
    ) as client:
        await client.subscribe(FILTER, 1)


async def measure(arguments: argparse.Namespace, broker: Broker, gateway: tuple[str, str]) -> None:
    await subscribe(broker)
    command = [
        sys.executable,
        "-c",
        PUBLISHER,
        broker.host,
        str(broker.port),
        *gateway,
        str(arguments.messages),
    ]
    opened = asyncio.Event()
    began = time.perf_counter()
    publisher = await asyncio.create_subprocess_exec(*command)
    if arguments.backlog == "yes":
        await publisher.wait()
        sys.stdout.write(f"published {arguments.messages / (time.perf_counter() - began):,.0f}/s\n")
    reading = (
        peer(broker, arguments.messages, opened)
        if arguments.peer
        else source(broker, arguments.messages, arguments.batch, opened)
    )
    elapsed_s, cpu_s, sizes = await reading
    await publisher.wait()
    sys.stdout.write(
        f"{arguments.broker} {arguments.loop} {arguments.peer or 'source'} backlog={arguments.backlog}: "
        f"{sum(sizes) / elapsed_s:,.0f} messages/s received and acknowledged, "
        f"{cpu_s / sum(sizes) * 1e6:.1f} µs of this process a message, {sum(sizes) / len(sizes):,.0f} a batch\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--broker", choices=["nats", "mosquitto"], default="nats")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    parser.add_argument("--backlog", choices=["yes", "no"], default="yes")
    parser.add_argument("--peer", choices=["aiomqtt"])
    arguments = parser.parse_args()
    new_loop = uvloop.new_event_loop if arguments.loop == "uvloop" else asyncio.new_event_loop
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=new_loop) as runner:
        Path(folder).chmod(0o755)
        if arguments.broker == "mosquitto":
            mosquitto = ComposeBroker("mosquitto", Path(folder) / "mosquitto").start()
            accounts = mosquitto.broker.accounts
            try:
                runner.run(
                    measure(
                        arguments,
                        Broker("127.0.0.1", mosquitto.port, *accounts["service"]),
                        accounts["gateway"],
                    )
                )
            finally:
                mosquitto.stop()
            return
        thread, parts = LoopThread(), EmbeddedParts(Path(folder) / "data", tenant="demo")
        thread.run(parts.start())
        try:
            service, gateway = parts.credentials.service, parts.credentials.gateway
            broker = Broker(parts.mqtt.host, parts.mqtt.port, service.username, service.password)
            runner.run(measure(arguments, broker, (gateway.username, gateway.password)))
        finally:
            thread.run(parts.stop())
            thread.close()


if __name__ == "__main__":
    main()
