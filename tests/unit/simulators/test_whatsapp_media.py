"""What guests' phones of the WhatsApp simulator upload, and how its media host keeps it."""

from collections.abc import Iterator

import pytest
import requests

from simulators.whatsapp_client import SimulatorError, WhatsAppSimulator, start_simulator

HOST, GUEST = "390650000001", "972550000001"
VOICE = b"OggS" + bytes(range(256)) * 4
BLOCK, MAC = 16, 10


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST)
        simulator.add_guest(GUEST)
        yield simulator


def uploaded_path(whatsapp: WhatsAppSimulator, message_id: str) -> str:
    """Where the file of a message lies on the media host."""
    event = whatsapp.wait_for("media.uploaded", GUEST, lambda event: event["id"] == message_id)
    return str(event["directPath"])


def fetch(whatsapp: WhatsAppSimulator, path: str) -> requests.Response:
    return requests.get(whatsapp.media_url + path, timeout=5)


@pytest.mark.parametrize("kind", ["audio", "image", "document", "video", "sticker"])
def test_a_file_is_uploaded_sealed(whatsapp: WhatsAppSimulator, kind: str) -> None:
    message_id = whatsapp.send_media(GUEST, to=HOST, kind=kind, data=VOICE)
    sealed = fetch(whatsapp, uploaded_path(whatsapp, message_id)).content
    assert len(sealed) == (len(VOICE) // BLOCK + 1) * BLOCK + MAC
    assert b"OggS" not in sealed


def test_a_message_keeps_its_id_and_takes_fields_of_its_kind(whatsapp: WhatsAppSimulator) -> None:
    fields = {"fileName": "menu.pdf", "mimetype": "application/pdf"}
    sent = whatsapp.send_media(
        GUEST, to=HOST, kind="document", data=b"%PDF", text="our menu", message_id="MENU", fields=fields
    )
    assert sent == "MENU"


def test_without_its_token_a_file_is_not_there(whatsapp: WhatsAppSimulator) -> None:
    path = uploaded_path(whatsapp, whatsapp.send_media(GUEST, to=HOST, kind="audio", data=VOICE))
    assert [fetch(whatsapp, one).status_code for one in (path, path.split("?", 1)[0])] == [200, 404]


def test_a_file_can_be_made_to_expire(whatsapp: WhatsAppSimulator) -> None:
    path = uploaded_path(whatsapp, whatsapp.send_media(GUEST, to=HOST, kind="audio", data=VOICE))
    whatsapp.fault("media", pn=GUEST, mode="gone")
    assert [fetch(whatsapp, path).status_code for _ in range(2)] == [410, 410]


@pytest.mark.parametrize(("kind", "data"), [("text", VOICE), ("audio", b"")])
def test_what_is_no_file_is_refused(whatsapp: WhatsAppSimulator, kind: str, data: bytes) -> None:
    with pytest.raises(SimulatorError, match="422 data"):
        whatsapp.send_media(GUEST, to=HOST, kind=kind, data=data, text="x")
