"""``frontdesk run`` as a person meets it: ready, a code to scan, an answer, Ctrl-C; or one clear sentence."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulators.lab import ROOT, wait_until
from simulators.ports import free_port
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

HOST = "972500000001"
GUEST = "972520000001"
FRONTDESK = str(Path(sys.executable).parent / "frontdesk")
STOP_TIMEOUT_S = 60


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST, name="Tamarisk House")
        simulator.add_guest(GUEST)
        yield simulator


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A fresh installation on free ports, as from a shell that has set nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "DATA_DIR": str(tmp_path / "var"),
        "PORT": str(free_port()),
        "WHATSAPP_PORT": str(free_port()),
        "REALTIME_PORT": str(free_port()),
    }


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``frontdesk run`` where it cannot go on."""
    return subprocess.run(
        [FRONTDESK, "run"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_run_shows_a_code_answers_a_guest_and_stops_at_ctrl_c(
    whatsapp: WhatsAppSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["WHATSAPP_SOCKET_URL"] = whatsapp.socket_url
    environment["WHATSAPP_MEDIA_URL"] = whatsapp.media_url
    said = tmp_path / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            [FRONTDESK, "run"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "Linked devices" in said.read_text(encoding="utf-8"), 60, f"a QR code, see {said}")
        shown = said.read_text(encoding="utf-8")
        assert "Frontdesk is ready" in shown
        assert re.search(r"password \(shown only now\): \S{20}", shown)
        assert "█" in shown
        secret = (tmp_path / "var" / "internal-secret").read_text().strip()
        state = requests.get(
            f"http://127.0.0.1:{environment['WHATSAPP_PORT']}/tenants/1",
            headers={"X-Internal-Secret": secret},
            timeout=10,
        ).json()
        whatsapp.scan(HOST, state["qr"])
        wait_until(lambda: "WhatsApp is linked" in said.read_text(encoding="utf-8"), 30, "the link")
        whatsapp.send(GUEST, to=HOST, text="What time is check-in?")
        assert whatsapp.wait_for("guest.received", GUEST, timeout_s=60)
        assert "15:00" in whatsapp.guest(GUEST)["received"][0]["text"]
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(STOP_TIMEOUT_S)
    assert code == 0
    for setting in ("PORT", "REALTIME_PORT", "WHATSAPP_PORT"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(environment[setting]))) != 0


@pytest.mark.parametrize("setting", ["PORT", "REALTIME_PORT", "WHATSAPP_PORT"])
def test_a_port_that_is_taken_is_one_sentence(environment: dict[str, str], setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment[setting] = str(taken.getsockname()[1])
        done = run(environment)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert f"port {environment[setting]} is taken" in done.stderr
    assert setting in done.stderr


def test_a_node_that_is_too_old_is_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    old = tmp_path / "bin" / "node"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho v18.20.1\n", encoding="ascii")
    old.chmod(0o755)
    environment["PATH"] = f"{old.parent}{os.pathsep}{environment['PATH']}"
    done = run(environment)
    assert done.returncode == 1
    assert done.stderr.strip() == "frontdesk: Node v18.20.1 is too old: install Node 20 or newer"


def test_settings_that_cannot_be_used_are_named_all_at_once(environment: dict[str, str]) -> None:
    done = run(environment | {"PORT": "many", "AI_TIMEOUT_S": "-1"})
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert "AI_TIMEOUT_S" in done.stderr
    assert "Traceback" not in done.stderr
