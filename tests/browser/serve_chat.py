"""The realtime server for the browser tests, with answers that the test says.

Prints one line of JSON when it is ready: ``{"url", "key"}``. Then each line of standard input is one of
``{"say": text}``, ``{"end": text}`` (about the newest message that came in) and ``{"await": true}`` (wait for
the next message). Ends when standard input is closed.
"""

from __future__ import annotations

import json
import sys

from server.domain.events import Token
from tests.support.chat_stands import Asked, realtime_stand


def main() -> None:
    """Serve until standard input ends."""
    with realtime_stand() as stand:
        print(json.dumps({"url": stand.url, "key": stand.key}), flush=True)  # noqa: T201 (the test waits for it)
        asked: Asked | None = None
        for line in sys.stdin:
            match json.loads(line):
                case {"await": _}:
                    asked = stand.answers.asked()
                case {"say": str(text)} if asked is not None:
                    asked.say(Token(text))
                case {"end": str(text)} if asked is not None:
                    asked.end(text)


if __name__ == "__main__":
    main()
