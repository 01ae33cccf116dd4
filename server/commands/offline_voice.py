"""The offline voice as one more process of ``frontdesk run``; see docs/phone.md.

It has an environment of its own, as part of it is under the GPL: nothing here imports it.
"""

from __future__ import annotations

from pathlib import Path

from server.errors import CommandError
from server.settings import Settings

PROCESS = "offline-voice"
_PYTHON = Path(".venv-offline-voice/bin/python")
NOTICE = (
    "offline voice: English alone is heard and spoken. Hebrew is not supported offline: a call that needs it "
    "goes on by Twilio's own recogniser and voices."
)


def command(root: Path, port: int) -> str:
    """What runs it, in the folder *root*.

    Raises:
        CommandError: it is not installed.
    """
    if not (root / _PYTHON).exists():
        raise CommandError(
            "the offline voice is not installed: run `scripts/setup --offline-voice`, or start with "
            "`make run OFFLINE_VOICE=1`"
        )
    return f"{_PYTHON} -m offline_voice --port {port}"


def environment(settings: Settings) -> dict[str, str]:
    """The settings that make a desk hear and speak with it; none where it is not wanted."""
    if not settings.offline_voice:
        return {}
    return {
        "SPEECH_FALLBACK_BASE_URL": f"http://127.0.0.1:{settings.offline_voice_port}/v1",
        "SPEECH_FALLBACK_STT_MODEL": "whisper-tiny.en",
        "SPEECH_FALLBACK_TTS_MODEL": "piper",
        "SPEECH_FALLBACK_VOICE": "joe",
        "SPEECH_FALLBACK_LANGUAGES": "en",
    }
