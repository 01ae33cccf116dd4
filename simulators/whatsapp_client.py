"""The control API of the WhatsApp simulator, from Python.

The simulator itself is a Node program (`simulators/whatsapp/`); its README describes every call.
"""

import json
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Self

import requests

Event = dict[str, Any]
ENTRY = Path(__file__).parent / "whatsapp" / "src" / "index.js"
CALL_TIMEOUT_S = 15.0
LONGEST_POLL_S = 10.0


class SimulatorError(Exception):
    """The simulator could not be started, or refused a call; the message says why."""


class WhatsAppSimulator:
    """A running simulator. Numbers (`pn`) are strings of digits without a plus sign.

    Every method raises SimulatorError where the simulator answers 4xx or does not answer.
    """

    def __init__(self, *, socket_url: str, control_url: str, root_key: str, media_url: str = "") -> None:
        """`root_key` is what WHATSAPP_SIM_ROOT_KEY must hold for `trust.js` (64 hex digits).

        `media_url` is what the sidecar's WHATSAPP_MEDIA_URL must be, for it to fetch what phones send.
        """
        self.socket_url = socket_url
        self.media_url = media_url
        self.control_url = control_url
        self.root_key = root_key
        self._session = requests.Session()
        # A proxy from the environment has no business between two loopback addresses.
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def add_host(self, pn: str, *, lid: str | None = None, name: str | None = None) -> dict[str, Any]:
        """Register a business's number. Returns `pn`, `lid`, `name`."""
        return self._post("/hosts", pn=pn, lid=lid, name=name)

    def host(self, pn: str) -> dict[str, Any]:
        """Devices of a host and the copies that its own phone got of what they sent."""
        return self._call("GET", f"/hosts/{pn}")

    def scan(self, pn: str, qr: str) -> int:
        """Scan a QR code's text with the host's phone. Returns the id of the linked device."""
        return int(self._post(f"/hosts/{pn}/scan", qr=qr)["deviceId"])

    def enter_code(self, pn: str, code: str) -> int:
        """Type a pairing code into the host's phone. Returns the id of the linked device."""
        return int(self._post(f"/hosts/{pn}/enter-code", code=code)["deviceId"])

    def type_on_host_phone(self, pn: str, *, to: str, text: str, message_id: str | None = None) -> str:
        """Send a message by hand from the host's own phone. Returns its id."""
        return str(self._post(f"/hosts/{pn}/send", to=to, text=text, id=message_id)["id"])

    def unlink(self, pn: str, *, device_id: int | None = None) -> None:
        """Remove one linked device, or all of them, on the host's phone."""
        self._post(f"/hosts/{pn}/unlink", deviceId=device_id)

    def add_guest(
        self,
        pn: str,
        *,
        lid: str | None = None,
        name: str | None = None,
        addressing: str | None = None,
        sends_read_receipts: bool | None = None,
    ) -> dict[str, Any]:
        """Register a guest's phone; `addressing` is `lid` (as today's phones) or `pn`."""
        return self._post(
            "/guests", pn=pn, lid=lid, name=name, addressing=addressing, sendsReadReceipts=sends_read_receipts
        )

    def change_guest(
        self,
        pn: str,
        *,
        name: str | None = None,
        addressing: str | None = None,
        sends_read_receipts: bool | None = None,
        hide_alternative: bool | None = None,
    ) -> dict[str, Any]:
        """Change how a guest writes from now on; what is left out stays."""
        wish = {
            "name": name,
            "addressing": addressing,
            "sendsReadReceipts": sends_read_receipts,
            "hideAlternative": hide_alternative,
        }
        return self._call("PATCH", f"/guests/{pn}", wish)

    def guest(self, pn: str) -> dict[str, Any]:
        """What a guest's phone decrypted, saw and counted."""
        return self._call("GET", f"/guests/{pn}")

    def guests(self) -> list[dict[str, Any]]:
        """The same of all guests' phones, those included whose number was passed on."""
        guests: list[dict[str, Any]] = self._call("GET", "/guests")["guests"]
        return guests

    def pass_on_number(self, pn: str, *, lid: str | None = None, name: str | None = None) -> dict[str, Any]:
        """Give a guest's number to somebody else, with a phone and a LID of their own."""
        return self._post(f"/guests/{pn}/pass-on", lid=lid, name=name)

    def send(
        self,
        pn: str,
        *,
        to: str,
        text: str | None = None,
        message_id: str | None = None,
        kind: str | None = None,
        quoted: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> str:
        """Send a guest's message to a host. Returns its id.

        Args:
            fields: those of its kind (`latitude`, `name`, `seconds` …), `in` (`group`, `status`,
                `newsletter`) and `broken`.
        """
        wish = {"to": to, "text": text, "id": message_id, "kind": kind, "quoted": quoted, **(fields or {})}
        return str(self._call("POST", f"/guests/{pn}/send", wish)["id"])

    def send_media(
        self,
        pn: str,
        *,
        to: str,
        kind: str,
        data: bytes,
        text: str | None = None,
        message_id: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> str:
        """Upload a file, sealed as a phone seals it, and send it to a host. Returns the message's id.

        Args:
            kind: `audio` (a voice note), `image`, `document`, `video` or `sticker`.
            data: the file, of at least one byte; a voice note in Ogg with Opus.
            text: the caption.
            fields: those of `send`, `mimetype` (by default the usual one of the kind) and `fileName`.
        """
        upload = {"data": b64encode(data).decode("ascii"), **(fields or {})}
        return self.send(pn, to=to, text=text, message_id=message_id, kind=kind, fields=upload)

    def typing(self, pn: str, *, to: str, state: str) -> None:
        """Show a guest's `composing`, `recording` or `paused` to a host that has subscribed to it."""
        self._post(f"/guests/{pn}/typing", to=to, state=state)

    def forget_sessions(self, pn: str) -> None:
        """Make a guest's phone lose its sessions: it cannot read the host's next `msg`."""
        self._post(f"/guests/{pn}/forget-sessions")

    def fault(self, kind: str, **fields: object) -> int:
        """Let something go wrong, at once or at its next chance. Returns the fault's id."""
        return int(self._post("/faults", kind=kind, **fields)["id"])

    def clear_faults(self) -> None:
        """Forget the faults that have not struck yet."""
        self._call("DELETE", "/faults")

    def state(self) -> dict[str, Any]:
        """Counts for graders."""
        return self._call("GET", "/state")

    def events(
        self, *, after: int = 0, timeout_s: float = 0.0, kind: str | None = None, pn: str | None = None
    ) -> tuple[list[Event], int]:
        """Events after number `after`, waiting for one if there is none yet.

        Returns:
            The events, and the number to go on from.
        """
        query: dict[str, str | int] = {"after": after, "timeout_ms": int(timeout_s * 1000)}
        query |= {key: value for key, value in (("type", kind), ("pn", pn)) if value is not None}
        answer = self._call("GET", "/events", query=query, timeout_s=timeout_s + CALL_TIMEOUT_S)
        return answer["events"], answer["next"]

    def wait_for(
        self,
        kind: str,
        pn: str,
        predicate: Callable[[Event], bool] = lambda _event: True,
        *,
        timeout_s: float = 10.0,
        after: int = 0,
    ) -> Event:
        """The first event of this kind about *pn* that fits, of all after number `after`, old or new.

        Raises:
            TimeoutError: none came in time.
        """
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            found, after = self.events(after=after, timeout_s=min(left, LONGEST_POLL_S), kind=kind, pn=pn)
            for event in found:
                if predicate(event):
                    return event
        raise TimeoutError(f"no {kind} that fits within {timeout_s} s")

    def _post(self, path: str, **body: object) -> dict[str, Any]:
        return self._call("POST", path, body)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> dict[str, Any]:
        given = None if body is None else {key: value for key, value in body.items() if value is not None}
        try:
            response = self._session.request(
                method, self.control_url + path, json=given, params=query, timeout=timeout_s
            )
            answer: dict[str, Any] = response.json()
        except requests.RequestException as exc:
            raise SimulatorError(f"{method} {path}: the simulator does not answer") from exc
        if not response.ok:
            raise SimulatorError(f"{method} {path}: {response.status_code} {answer.get('error')}")
        return answer


@contextmanager
def start_simulator(
    *, seed: int = 1, port: int = 0, control_port: int = 0, timeout_s: float = 20.0
) -> Iterator[WhatsAppSimulator]:
    """Run the simulator as a process of its own for the time of a `with` block. Port 0 takes any.

    Raises:
        SimulatorError: Node is missing, or the simulator was not ready in time.
    """
    process = _launch(seed=seed, port=port, control_port=control_port)
    try:
        ready = _read_ready_line(process, timeout_s)
        with WhatsAppSimulator(
            socket_url=ready["socketUrl"],
            control_url=ready["controlUrl"],
            root_key=ready["rootKey"],
            media_url=ready["mediaUrl"],
        ) as simulator:
            yield simulator
    finally:
        _stop(process)


def _launch(*, seed: int, port: int, control_port: int) -> subprocess.Popen[str]:
    node = shutil.which("node")
    if node is None:
        raise SimulatorError("node is not on the PATH: install Node.js 20 or newer")
    command = [node, str(ENTRY), f"--seed={seed}", f"--port={port}", f"--control-port={control_port}"]
    return subprocess.Popen(  # noqa: S603  # our own program, arguments of our own making
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _read_ready_line(process: subprocess.Popen[str], timeout_s: float) -> dict[str, str]:
    assert process.stdout is not None  # noqa: S101  # for the type checker: it was asked for above
    # readline has no limit of its own; a process that is killed ends its output.
    alarm = Timer(timeout_s, process.kill)
    alarm.start()
    try:
        line = process.stdout.readline()
    finally:
        alarm.cancel()
    if not line:
        _, complaint = process.communicate()
        raise SimulatorError(complaint.strip() or f"the simulator was not ready within {timeout_s} s")
    ready: dict[str, str] = json.loads(line)
    return ready


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
