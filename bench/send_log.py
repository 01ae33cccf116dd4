"""In the sidecar's place where a bench is about what leaves, and in which order."""

from __future__ import annotations

import asyncio
import json
import threading
from types import TracebackType

from simulators.http_server import Answer, Request, serve


class SendLog:
    """Takes every call at once; ``ids`` are the message ids of `/send`, in the order in which they came."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> SendLog:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(serve(self._take, 0), self._loop).result()
        self._port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _take(self, request: Request, answer: Answer) -> None:
        if request.path == "/send":
            message_id = json.loads(request.body)["messageId"]
            self.ids.append(message_id)
            answer.json(200, {"messageId": message_id, "status": "sent", "durationMs": 0})
        else:
            answer.json(202, {})
