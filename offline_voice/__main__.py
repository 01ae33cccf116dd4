"""``python -m offline_voice [--port 5070]``: serves on this machine until it is ended."""

from __future__ import annotations

import argparse
import logging
import sys

import waitress

from offline_voice.app import NO_HEBREW, make_app
from offline_voice.weights import WrongWeights

# Most of them wait for one of the two that are understood at a time.
_THREADS = 16

log = logging.getLogger("offline_voice")


def main() -> None:
    """Load the weights and serve."""
    parser = argparse.ArgumentParser(prog="python -m offline_voice", description=__doc__)
    parser.add_argument("--port", type=int, default=5070, help="on 127.0.0.1; 5070 unless told")
    port = parser.parse_args().port
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # It tells of each utterance.
    logging.getLogger("faster_whisper").setLevel(logging.WARNING)
    log.error(NO_HEBREW)
    try:
        # Here, as it needs packages that the rest does not.
        from offline_voice.engine import LocalEngine

        engine = LocalEngine()
    except (WrongWeights, ModuleNotFoundError) as error:
        sys.exit(f"offline voice: {error}")
    log.info("offline voice: ready on 127.0.0.1:%d", port)
    waitress.serve(make_app(engine), host="127.0.0.1", port=port, threads=_THREADS, ident=None)


if __name__ == "__main__":
    main()
