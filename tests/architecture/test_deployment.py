"""compose.yaml, the images and the Procfile fit one another and the settings. Nothing here needs Docker.

The file is read as text, block by block: none of our packages reads YAML.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from server.channels.twiml import STREAM_PATH
from server.console.live import LIVE_PATH
from server.desk import CLOSE_S, DRAIN_S
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
OURS = ("web", "realtime", "worker", "whatsapp")


def services() -> dict[str, str]:
    """The lines of each service."""
    _, _, rest = COMPOSE.partition("\nservices:\n")
    listed, _, _ = rest.partition("\nvolumes:\n")
    parts = re.split(r"^  (\w+):\n", listed, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def command(service: str) -> list[str]:
    found = re.search(r"^    command: \[(.*)\]$", services()[service], flags=re.MULTILINE)
    assert found is not None
    return found[1].split(", ")


def known_settings() -> set[str]:
    """Those of the Python half, and those that the sidecar reads."""
    sidecar = (ROOT / "services/whatsapp/src/config.js").read_text(encoding="utf-8")
    return {name.upper() for name in Settings.model_fields} | set(
        re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", sidecar)
    )


def test_what_our_services_are_given_are_settings() -> None:
    shared, _, _ = COMPOSE.partition("\nservices:\n")
    ours = shared + "".join(services()[name] for name in OURS)
    given = re.findall(r"^ +([A-Z][A-Z_]+): ", ours, flags=re.MULTILINE)
    assert {"DATABASE_URL", "TURN_ENGINE", "WORKER_MAX_HOURS"} <= set(given)
    assert set(given) <= known_settings()


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_what_the_procfile_runs(service: str) -> None:
    processes = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes
    assert command(service) in (shlex.split(processes[service]), ["frontdesk", "run", service])


def test_only_caddy_can_be_reached_from_outside() -> None:
    assert [name for name, block in services().items() if "ports:" in block] == ["caddy"]


@pytest.mark.parametrize("path", [LIVE_PATH, STREAM_PATH, "/ws/*", "/api/v1/chat/stream"])
def test_caddy_leads_streams_to_the_process_that_serves_them(path: str) -> None:
    caddyfile = (ROOT / "Caddyfile").read_text(encoding="utf-8")
    (name,) = re.findall(rf"^\t@(\w+) path (?:.* )?{re.escape(path)}(?: |$)", caddyfile, flags=re.MULTILINE)
    assert f"reverse_proxy @{name} {{\n\t\tdynamic a realtime 5050 {{" in caddyfile


def test_every_service_that_stays_is_started_again_and_watched() -> None:
    shared = {"web", "realtime", "worker", "migrate"}
    for name, block in services().items():
        # What x-python says holds for those that take it over.
        assert "restart: " in block or (name in shared and "<<: *python" in block), name
        assert "healthcheck:" in block or name == "migrate", name


def test_no_secret_has_a_default() -> None:
    found = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY))(:[-?][^}]*)?\}", COMPOSE)
    assert found
    for name, default in found:
        assert default.startswith(":?") or default == ":-", name


@pytest.mark.parametrize(
    ("service", "setting", "answered_in"),
    [
        ("web", "port", "server/channels/operations.py"),
        ("realtime", "realtime_port", "server/realtime/app.py"),
        ("whatsapp", "whatsapp_port", "services/whatsapp/src/routes.js"),
    ],
)
def test_health_is_asked_for_where_it_is_answered(service: str, setting: str, answered_in: str) -> None:
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", services()[service])
    assert asked is not None
    assert int(asked[1]) == Settings.model_fields[setting].default
    assert asked[2] in (ROOT / answered_in).read_text(encoding="utf-8")


@pytest.mark.parametrize("service", ["web", "realtime", "worker"])
def test_turns_are_given_the_time_to_end(service: str) -> None:
    grace = re.search(r"stop_grace_period: (\d+)s", services()[service])
    assert grace is not None
    assert int(grace[1]) > DRAIN_S + CLOSE_S


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "services/whatsapp/Dockerfile"])
def test_an_image_copies_what_is_there_and_runs_as_nobody_special(dockerfile: str) -> None:
    lines = (ROOT / dockerfile).read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line
    assert "USER frontdesk" in lines


def test_images_take_only_what_the_lock_files_name() -> None:
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    node = (ROOT / "services/whatsapp/Dockerfile").read_text(encoding="utf-8")
    assert "npm ci --omit=dev --omit=peer --ignore-scripts" in node
