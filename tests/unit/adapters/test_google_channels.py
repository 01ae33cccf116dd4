"""Where Google's services are, and what their errors mean."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core import exceptions

from server.adapters.google_channels import GoogleClients, GoogleEndpoint, as_ours
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable


@pytest.mark.parametrize("address", ["127.0.0.1:50551", "localhost:1", "[::1]:1", "127.9.9.9:1"])
def test_this_machine_is_spoken_to_in_plain_text(address: str) -> None:
    assert GoogleEndpoint(address).is_plain


@pytest.mark.parametrize(
    "address", ["speech.googleapis.com:443", "10.0.0.1:443", "localhost.example:1", "", "127.0.0.1"]
)
def test_any_other_machine_is_not(address: str) -> None:
    assert not GoogleEndpoint(address).is_plain


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.InvalidArgument, ProviderRejected),
        (exceptions.PermissionDenied, ProviderRejected),
        (exceptions.Unauthenticated, ProviderRejected),
        (exceptions.NotFound, ProviderRejected),
        (exceptions.FailedPrecondition, ProviderRejected),
        (exceptions.DeadlineExceeded, ProviderTimeout),
        (exceptions.ServiceUnavailable, ProviderUnavailable),
        (exceptions.ResourceExhausted, ProviderUnavailable),
        (exceptions.OutOfRange, ProviderUnavailable),
        (exceptions.InternalServerError, ProviderUnavailable),
        (OSError, ProviderUnavailable),
    ],
)
def test_each_status_is_one_of_our_errors(error: type[Exception], kind: type[ProviderError]) -> None:
    assert type(as_ours("google_tts", error("x"))) is kind


def test_what_google_says_is_not_repeated() -> None:
    refused: type[Exception] = exceptions.InvalidArgument
    error = as_ours("google_tts", refused("the text was: call me at 050-1234567"))
    assert str(error) == "google_tts: INVALID_ARGUMENT"


@pytest.mark.parametrize("content", [None, "", "{", '{"type": "service_account"}', "[]"])
async def test_credentials_that_cannot_be_used_are_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    clients: GoogleClients[object] = GoogleClients(
        "google_tts", GoogleEndpoint("tts.example:443", file), lambda: lambda _channel, _project: object(), 1
    )
    with pytest.raises(ProviderRejected, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await clients.take()
    # Warming up tells nothing of it.
    await clients.warm(1)


def test_an_adapter_that_nobody_uses_loads_nothing_of_google() -> None:
    script = (
        "import sys, server.adapters.google_speech, server.adapters.google_tts;"
        "sys.exit(any(name.split('.')[0] in ('google', 'grpc') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0
