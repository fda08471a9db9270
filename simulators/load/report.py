"""What a load did, for people and for programs. Pure."""

from __future__ import annotations

from typing import Any

from simulators.load.alerts import EVENT
from simulators.load.lanes import VERSIONS
from simulators.load.latency import PERCENTILES
from simulators.load.running import Done

__all__ = ["as_text", "figures", "shortfalls"]

COLUMNS = (*(f"p{p:g}" for p in PERCENTILES), "max")


def figures(done: Done) -> dict[str, Any]:
    """Everything, in milliseconds and messages; ``None``: not known."""
    load, tally, lanes, alerts = done.load, done.tally, done.lanes, done.alerts
    unanswered = tally.in_flight
    took_s = max(done.sending_s, lanes.answered_s)
    return {
        "broker": f"{load.account.host}:{load.account.port}",
        "mqtt": VERSIONS[lanes.version],
        "root": load.root,
        "seals": len(load.senders.names),
        "seed": load.seed,
        "rate": load.rate,
        "sending_s": round(done.sending_s, 3),
        "ended": "done" if done.complete else "stopped",
        "connections": {
            "asked": load.connections,
            "opened": tally.connections,
            "refused": dict(tally.connections_refused),
            "lost": dict(tally.connections_lost),
        },
        "messages": {
            "due": tally.due,
            "sent": tally.sent,
            "acknowledged": tally.acknowledged,
            "acknowledged_without_subscriber": tally.without_subscriber if lanes.version == 5 else None,  # noqa: PLR2004
            "refused": dict(tally.refused),
            "refusals_told": lanes.version == 5,  # noqa: PLR2004 - 3.1.1 has no word for them
            "in_flight": tally.in_flight,
            "unsent": tally.unsent,
            "resent": tally.resent,
        },
        "acknowledged_per_s": round(tally.acknowledged / took_s, 1) if took_s > 0 else None,
        "processor_s": round(done.processor_s, 3),
        "departure_ms": lanes.departure.figures(tally.unsent),
        "acknowledgement_ms": {
            "response": lanes.response.figures(unanswered + tally.unsent),
            "service": lanes.service.figures(unanswered),
        },
        "alerts": {
            "event": EVENT,
            "asked": done.asked_alerts,
            "sent": alerts.came + alerts.missing,
            "came": alerts.came,
            "missing": alerts.missing,
            "of_others": alerts.strange,
            "unreadable": alerts.unreadable,
            "trouble": done.trouble,
            "response_ms": alerts.response.figures(done.asked_alerts - alerts.came),
            "service_ms": alerts.service.figures(alerts.missing),
        },
        "histograms_us": {
            "departure": lanes.departure.encoded(),
            "acknowledgement_response": lanes.response.encoded(),
            "acknowledgement_service": lanes.service.encoded(),
            "alert_response": alerts.response.encoded(),
            "alert_service": alerts.service.encoded(),
        },
    }


def shortfalls(found: dict[str, Any]) -> list[str]:
    """What did not go as it should, a sentence each; none: all was acknowledged and every alert came."""
    messages, alerts, connections = found["messages"], found["alerts"], found["connections"]
    told = [f"{n:,} connections were refused: {why}" for why, n in connections["refused"].items()]
    told += [f"{n:,} connections were lost: {why}" for why, n in connections["lost"].items()]
    told += [f"{n:,} messages were refused: {why}" for why, n in messages["refused"].items()]
    if messages["in_flight"]:
        told.append(f"{messages['in_flight']:,} messages stayed in flight: the broker has them, or has not")
    if messages["unsent"]:
        told.append(
            f"{messages['unsent']:,} messages were due and never left: broker or this machine was too slow, or a connection was gone"
        )
    if alerts["missing"]:
        told.append(
            f"{alerts['missing']:,} of {alerts['sent']:,} alerts did not come (none does for a message that was refused, or a seal that was cut before)"
        )
    if alerts["trouble"]:
        told.append(f"alerts were not heard to the end: {alerts['trouble']}")
    return told


def as_text(found: dict[str, Any]) -> str:
    """Some lines for people."""
    messages, alerts, connections = found["messages"], found["alerts"], found["connections"]
    refused = f"{sum(messages['refused'].values()):,} refused"
    if not messages["refusals_told"]:
        refused = "refusals not told by MQTT 3.1.1"
    stopped = ", stopped" if found["ended"] == "stopped" else ""
    lines = [
        (
            f"{found['seals']:,} seals, {found['rate']:,.0f} messages/s asked for, over {connections['opened']:,} connections "
            f"(MQTT {found['mqtt']}) to {found['broker']} for {found['sending_s']:,.1f} s{stopped}"
        ),
        (
            f"messages: {messages['due']:,} due, {messages['sent']:,} sent, {messages['acknowledged']:,} acknowledged "
            f"({found['acknowledged_per_s'] or 0:,.0f}/s), {refused}, "
            f"{messages['in_flight']:,} in flight, {messages['unsent']:,} unsent, {messages['resent']:,} sent again; "
            f"{found['processor_s']:.1f} s of this processor"
        ),
    ]
    if messages["acknowledged_without_subscriber"]:
        lines.append(f"  of them {messages['acknowledged_without_subscriber']:,} that nobody had subscribed")
    if alerts["asked"]:
        lines.append(
            f"alerts: {alerts['asked']:,} asked for, {alerts['came']:,} came, {alerts['missing']:,} did not"
        )
    lines.append(f"{'milliseconds':34}" + "".join(f"{column:>10}" for column in COLUMNS))
    lines.append(_row("left, from when due", found["departure_ms"]))
    lines.append(_row("acknowledged, from when due", found["acknowledgement_ms"]["response"]))
    lines.append(_row("acknowledged, from when written", found["acknowledgement_ms"]["service"]))
    if alerts["asked"]:
        lines.append(_row("alert, from when due", alerts["response_ms"]))
        lines.append(_row("alert, from when written", alerts["service_ms"]))
    return "\n".join([*lines, *shortfalls(found)])


def _row(name: str, figures_ms: dict[str, float | None]) -> str:
    cells = ((figures_ms[column], column) for column in COLUMNS)
    return f"{name:34}" + "".join(f"{'unknown' if v is None else f'{v:.1f}':>10}" for v, _ in cells)
