"""What the service measures of itself, for Prometheus. Collectors are process-wide, as the client library has them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "BATCH_PINGS",
    "COMMIT_SECONDS",
    "COUNTS",
    "EVENTS",
    "JUDGE_SECONDS",
    "OUTBOX_WAITING",
    "REFUSALS",
    "SIGN_INS",
    "SOURCE_QUEUED",
    "WATCHERS",
]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

BATCH_PINGS = Histogram(
    "seal_tracker_batch_pings",
    "Pings judged together",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
JUDGE_SECONDS = Histogram("seal_tracker_judge_seconds", "Decoding and judging one batch", buckets=SECONDS)
COMMIT_SECONDS = Histogram("seal_tracker_commit_seconds", "Committing one batch", buckets=SECONDS)
COUNTS = Counter("seal_tracker_pings", "What became of pings, by name", ["space", "name"])
EVENTS = Counter("seal_tracker_events", "Events committed", ["space", "type", "transition"])
OUTBOX_WAITING = Gauge("seal_tracker_outbox_waiting", "Messages not yet acknowledged by the broker")
SOURCE_QUEUED = Gauge("seal_tracker_source_queued", "Messages received and not yet handed on")
WATCHERS = Gauge("seal_tracker_stream_watchers", "Clients of the live stream")
SIGN_INS = Counter("seal_tracker_sign_ins", "Sign-ins tried, by what became of them", ["outcome"])
REFUSALS = Counter("seal_tracker_refusals", "Requests refused for who asked, by status", ["status"])
HOOK_DELIVERIES = Counter(
    "seal_tracker_hook_deliveries", "Webhooks tried, by what became of them", ["outcome"]
)
MAILS = Counter("seal_tracker_mails", "Mail tried, by what became of it", ["outcome"])
SEAL_SIGN_INS = Counter(
    "seal_tracker_seal_sign_ins", "Seals that came to the broker, by what became of them", ["outcome"]
)
PROBES = Counter("seal_tracker_probes", "Probes of equipment, by what became of them", ["outcome"])
PUBLISH_REFUSED = Counter(
    "seal_tracker_publish_refused", "Messages that the broker refused to take from devices"
)
