"""Every metric, named once. None has a label for a tenant or a guest; docs/monitoring.md explains them."""

from __future__ import annotations

from server.observability.instruments import Counter, Gauge, Histogram, Instrument

# Upper ends of the classes, in seconds: of whole replies and model calls, of our own steps, and of HTTP.
_REPLY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 10, 15, 30)
_STEP_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGE_S = (1, 10, 60, 300, 900, 3600, 86400)

MESSAGES = Counter(
    "frontdesk_messages_total",
    "Messages that came in, by verdict: accepted, duplicate, ignored or rejected.",
    "channel",
    "verdict",
)
TURNS = Counter(
    "frontdesk_turns_total",
    "Turns that ended, by where the reply came from and outcome: answered, handover, overtaken, unanswered, "
    "drafted or failed.",
    "source",
    "outcome",
)
REPLY_SECONDS = Histogram(
    "frontdesk_reply_seconds",
    "From the arrival of a turn's oldest message to its committed reply.",
    "channel",
    "source",
    edges=_REPLY_S,
)
SLOW_REPLIES = Counter(
    "frontdesk_slow_replies_total", "Replies that took longer than ALERT_REPLY_S.", "channel"
)
FIRST_TOKEN_SECONDS = Histogram(
    "frontdesk_first_token_seconds",
    "From the arrival of a turn's oldest message to the first word that may leave.",
    "channel",
    edges=_REPLY_S,
)
STEP_SECONDS = Histogram(
    "frontdesk_turn_step_seconds",
    "How long a turn took from the step before to this one.",
    "step",
    edges=_STEP_S,
)
HANDOVERS = Counter("frontdesk_handovers_total", "Replies that asked staff to look, by reason.", "reason")
GATE_REFUSALS = Counter(
    "frontdesk_gate_refusals_total", "Answers of models that the gate held back.", "reason"
)

MODEL_CALLS = Counter(
    "frontdesk_model_calls_total",
    "Calls to models that ended, by outcome: answered, timed_out, unavailable, rejected or dropped.",
    "provider",
    "model",
    "outcome",
)
MODEL_FIRST_TOKEN_SECONDS = Histogram(
    "frontdesk_model_first_token_seconds",
    "From a call to the model's first word.",
    "provider",
    "model",
    edges=_REPLY_S,
)
MODEL_SECONDS = Histogram(
    "frontdesk_model_seconds", "From a call to its end.", "provider", "model", edges=_REPLY_S
)
MODEL_TOKENS = Counter(
    "frontdesk_model_tokens_total", "Tokens, by kind: prompt or completion.", "provider", "model", "kind"
)
MODEL_COST = Counter("frontdesk_model_cost_dollars_total", "What calls have cost.", "provider", "model")
LIMITER_WAIT_SECONDS = Histogram(
    "frontdesk_limiter_wait_seconds",
    "How long a call waited for the provider's rate limit.",
    "provider",
    edges=_STEP_S,
)
BREAKER_OPEN = Gauge(
    "frontdesk_breaker_open",
    "Whether a model is left alone after failures: 0 no, 1 yes, 0.5 on trial; the worst of all processes.",
    "provider",
    "model",
    merged="livemax",
)

CACHE_LOOKUPS = Counter(
    "frontdesk_cache_lookups_total", "Look-ups, by result: hit or miss.", "cache", "result"
)
CACHE_AGE_SECONDS = Histogram(
    "frontdesk_cache_age_seconds", "How old what was found in a cache was.", "cache", edges=_AGE_S
)
CACHE_ENTRIES = Gauge("frontdesk_cache_entries", "What a cache holds.", "cache", merged="livesum")

OUTBOX = Counter(
    "frontdesk_outbox_messages_total",
    "Attempts to send a message, by how they ended: sent, postponed or failed.",
    "channel",
    "state",
)
SEND_SECONDS = Histogram(
    "frontdesk_send_seconds", "How long the provider took to take a message.", "channel", edges=_REPLY_S
)

HTTP_REQUESTS = Counter(
    "frontdesk_http_requests_total", "HTTP requests that were answered.", "method", "route", "status"
)
HTTP_SECONDS = Histogram(
    "frontdesk_http_seconds", "Until the answer's headers were ready.", "route", edges=_STEP_S
)

QUEUE_DEPTH = Gauge("frontdesk_queue_depth", "Keys that wait or are at work.", "queue", merged="livesum")
DATABASE_ERRORS = Counter("frontdesk_database_errors_total", "Transactions that the database did not take.")
POOL_CONNECTIONS = Gauge(
    "frontdesk_pool_connections",
    "Connections that are kept, by state: open (all of them) or busy.",
    "pool",
    "state",
    merged="livesum",
)

PROCESSES = Gauge("frontdesk_processes", "Processes that run.", "process", merged="livesum")
MEMORY_BYTES = Gauge("frontdesk_memory_bytes", "Resident memory.", "process", merged="livesum")
CPU_SECONDS = Counter("frontdesk_cpu_seconds_total", "Processor time.", "process")
THREADS = Gauge("frontdesk_threads", "Threads.", "process", merged="livesum")
OPEN_FILES = Gauge("frontdesk_open_files", "Open file descriptors.", "process", merged="livesum")
TASKS = Gauge("frontdesk_tasks", "What the event loop has under way.", "process", merged="livesum")
CALLS = Gauge("frontdesk_calls", "Calls whose media socket is open.", merged="livesum")
LOOP_LAG_SECONDS = Gauge(
    "frontdesk_event_loop_lag_seconds",
    "How late the event loop was at its latest in the last 15 seconds; the worst of all processes.",
    "process",
    merged="livemax",
)

ALERTS_ACTIVE = Gauge(
    "frontdesk_alerts_active",
    "Whether an alert is raised, by its name and what it is about: 0 or 1.",
    "alert",
    "subject",
    merged="livemax",
)


def all_metrics() -> dict[str, Instrument]:
    """Each metric by its name."""
    return {thing.name: thing for thing in globals().values() if isinstance(thing, Instrument)}
