"""Senders over HTTP: kept connections, time limits, and every fault one of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.adapters import whatsapp_sidecar
from server.adapters.http import HttpClient
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel, OutboundMessage
from server.errors import AppError, Conflict, LineDown, ProviderError, ProviderRejected, ProviderUnavailable
from server.ports.messaging import PresenceState
from tests.support.http_server import ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def sidecar(server: ScriptedServer) -> Iterator[WhatsAppSidecar]:
    adapter = WhatsAppSidecar(server.url, "secret")
    yield adapter
    adapter.close()


def a_reply(
    channel: Channel = Channel.WHATSAPP, to: str = "1@lid", text: str = "From 15:00."
) -> OutboundMessage:
    return OutboundMessage(
        id=1,
        tenant_id="1",
        channel=channel,
        lane="conversation:1",
        to=to,
        text=text,
        message_id="3EB0AA",
        attempts=1,
        committed_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_a_send_is_what_the_contract_says(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    sidecar.send(a_reply())
    method, path, headers, body = server.requests[0]
    assert (method, path, headers["x-internal-secret"]) == ("POST", "/send", "secret")
    assert body == {"tenantId": "1", "to": "1@lid", "text": "From 15:00.", "messageId": "3EB0AA"}


def test_typing_is_what_the_contract_says(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    sidecar.show("1", "1@lid", PresenceState.COMPOSING)
    assert server.requests[0][1] == "/sendTyping"
    assert server.requests[0][3] == {"tenantId": "1", "to": "1@lid", "state": "composing"}


def test_a_log_out_is_what_the_contract_says(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    server.answers = [(204, None)]
    sidecar.log_out("a b")
    method, path, headers, _ = server.requests[0]
    assert (method, path, headers["x-internal-secret"]) == ("DELETE", "/tenants/a%20b", "secret")


def test_forgetting_is_what_the_contract_says(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    server.answers = [(204, None)]
    sidecar.forget("a b", ["1@lid"], ["N1"])
    method, path, headers, body = server.requests[0]
    assert (method, path, headers["x-internal-secret"]) == ("POST", "/tenants/a%20b/forget", "secret")
    assert body == {"addresses": ["1@lid"], "messageIds": ["N1"]}


@pytest.mark.parametrize(
    ("status", "fault"), [(409, Conflict), (422, ProviderRejected), (500, ProviderUnavailable)]
)
def test_what_cannot_be_forgotten_says_whether_to_try_again(
    sidecar: WhatsAppSidecar, server: ScriptedServer, status: int, fault: type[AppError]
) -> None:
    server.answers = [(status, {"error": "no"})]
    with pytest.raises(fault):
        sidecar.forget("1", ["1@lid"], [])


@pytest.mark.parametrize("answer", [None, "no", 7, ["state"]])
def test_what_is_no_state_of_a_number_is_a_fault_of_the_sidecar(
    sidecar: WhatsAppSidecar, server: ScriptedServer, answer: object
) -> None:
    server.answers = [(200, answer)]
    with pytest.raises(ProviderUnavailable, match="no state of a number"):
        sidecar.state("1")


def test_one_connection_serves_many_sends(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    for _ in range(5):
        sidecar.send(a_reply())
    assert len(server.connections) == 1


def test_a_proxy_of_the_environment_is_not_for_the_sidecar(
    sidecar: WhatsAppSidecar, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens there.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    sidecar.send(a_reply())
    assert server.requests[0][1] == "/send"


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_what_may_work_later_is_unavailable(
    sidecar: WhatsAppSidecar, server: ScriptedServer, status: int
) -> None:
    server.answers = [(status, {"error": "not connected"})]
    with pytest.raises(ProviderUnavailable, match=str(status)):
        sidecar.send(a_reply())


@pytest.mark.parametrize(("status", "is_down"), [(503, True), (500, False), (504, False)])
def test_only_a_number_that_is_not_connected_is_a_line_that_is_down(
    sidecar: WhatsAppSidecar, server: ScriptedServer, status: int, is_down: bool
) -> None:
    server.answers = [(status, {"error": "not connected"})]
    with pytest.raises(ProviderUnavailable) as failure:
        sidecar.send(a_reply())
    assert isinstance(failure.value, LineDown) is is_down


@pytest.mark.parametrize("status", [400, 401, 409, 422])
def test_what_will_never_work_is_rejected(
    sidecar: WhatsAppSidecar, server: ScriptedServer, status: int
) -> None:
    server.answers = [(status, {"error": "no"})]
    with pytest.raises(ProviderRejected, match=str(status)):
        sidecar.send(a_reply())


def test_whatsapps_own_refusal_is_final_and_tells_its_code(
    sidecar: WhatsAppSidecar, server: ScriptedServer
) -> None:
    server.answers = [(502, {"error": "refused", "code": 463})]
    with pytest.raises(ProviderRejected, match="code 463"):
        sidecar.send(a_reply())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    adapter = WhatsAppSidecar("http://127.0.0.1:9", "secret")
    with pytest.raises(ProviderUnavailable):
        adapter.send(a_reply())
    assert not adapter.is_up()
    adapter.close()


def test_a_server_that_hangs_is_not_waited_for(server: ScriptedServer) -> None:
    released = threading.Event()

    def hang() -> tuple[int, object]:
        released.wait(10)
        return 200, {}

    server.answers = [hang]
    client = HttpClient("test")
    with pytest.raises(ProviderUnavailable, match=r"no answer in 0\.2 s"):
        client.post(server.url, {}, timeout_s=0.2)
    released.set()
    client.close()


def test_every_call_has_a_limit() -> None:
    limits = [value for name, value in vars(whatsapp_sidecar).items() if name.endswith("_TIMEOUT_S")]
    assert len(limits) == 5
    assert max(limits) <= 15


def test_a_redirect_is_not_followed(server: ScriptedServer) -> None:
    server.answers = [(302, {})]
    client = HttpClient("test")
    with pytest.raises(ProviderRejected, match="302"):
        client.post(server.url, {}, timeout_s=2)
    client.close()


def test_an_error_tells_nothing_of_the_body(sidecar: WhatsAppSidecar, server: ScriptedServer) -> None:
    server.answers = [(422, {"error": "to 972501234567 is wrong"})]
    with pytest.raises(ProviderError) as raised:
        sidecar.send(a_reply())
    assert "972501234567" not in str(raised.value)


def test_staff_are_told_with_an_idempotency_key(server: ScriptedServer) -> None:
    webhook = StaffWebhook()
    webhook.send(a_reply(Channel.STAFF_WEBHOOK, f"{server.url}/hook", '{"event": "needs_human"}'))
    _, path, headers, body = server.requests[0]
    assert (path, headers["idempotency-key"], body) == ("/hook", "3EB0AA", {"event": "needs_human"})
    webhook.close()


class MovingNumber:
    """A directory whose number is at the first address, and at the second when it is asked again."""

    def __init__(self, *urls: str) -> None:
        self._urls = list(urls)

    def holder(self, tenant_id: str) -> str | None:  # noqa: ARG002 - there is one number
        return self._urls.pop(0) if len(self._urls) > 1 else self._urls[0]

    def sidecars(self) -> list[str]:
        return self._urls


def test_a_send_follows_a_number_that_has_moved(server: ScriptedServer) -> None:
    with scripted_server() as other:
        other.answers = [(503, {"error": "not_here"})]
        for gone in (other.url, "http://127.0.0.1:9"):
            adapter = WhatsAppSidecar("", "secret", MovingNumber(gone, server.url))
            adapter.send(a_reply())
            adapter.close()
    assert [path for _, path, _, _ in server.requests] == ["/send", "/send"]


def test_a_line_that_is_down_where_the_number_is_stays_down(server: ScriptedServer) -> None:
    server.answers = [(503, {"error": "not connected"})]
    adapter = WhatsAppSidecar("", "secret", MovingNumber(server.url))
    with pytest.raises(ProviderUnavailable, match="503"):
        adapter.send(a_reply())
    adapter.close()
    assert len(server.requests) == 1


def test_the_lines_of_all_sidecars_are_told_together(server: ScriptedServer) -> None:
    with scripted_server() as other:
        server.answers = [(200, {"tenants": [{"tenantId": "1"}]})]
        other.answers = [(503, {"tenants": [{"tenantId": "2"}]})]
        adapter = WhatsAppSidecar("", "secret", MovingNumber("http://127.0.0.1:9", server.url, other.url))
        assert [line["tenantId"] for line in adapter.lines()] == ["1", "2"]
        adapter.close()
