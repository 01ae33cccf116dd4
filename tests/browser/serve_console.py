"""Serves the console over a scratch database with a made-up scene, for the browser tests.

Prints one line of JSON when it is ready: ``{"url", "staff", "newcomer", "busy", "threads"}``. ``staff`` works
for the business of the scene, ``newcomer`` for one without conversations and ``busy`` for one with two weeks
of them, each ``{"name", "password"}``; ``threads`` has the conversations' ids by their part in the scene.
Ends when its standard input is closed.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.serving import make_server

from server.adapters.media_folder import MediaFolder
from server.adapters.system_clock import SystemClock
from server.console import register_console
from server.conversation.enclosures import Enclosures
from server.domain.tenants import TenantSettings
from server.store.leases import Leases, make_ownership
from server.store.models import Base
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.browser.busy_day import write_busy_days
from tests.browser.scene import write_scene
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.fakes.senders import FakeNumbers
from tests.support.console_parts import console_parts
from tests.support.live import live_stand
from tests.support.playground import KeptAnswers


def main() -> None:
    """Serve until standard input ends."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ended:
        database = Database(f"sqlite:///{Path(folder) / 'console.db'}")
        Base.metadata.create_all(database.engine)
        for tenant_id, name in (("1", "Harbour House · בית הנמל"), ("2", "Hill Inn")):
            Tenants(database, clock).add(tenant_id, TenantSettings(name=name))
        staff = {"name": "Noa", "password": secrets.token_urlsafe(12)}
        Users(database, clock).add("1", staff["name"], staff["password"])
        newcomer = {"name": "Hila", "password": secrets.token_urlsafe(12)}
        Users(database, clock).add("2", newcomer["name"], newcomer["password"])
        write_busy_days(database, Tenants(database, clock), "3", clock.now())
        busy = {"name": "Ori", "password": secrets.token_urlsafe(12)}
        Users(database, clock).add("3", busy["name"], busy["password"])

        app = Flask(__name__)
        app.secret_key = secrets.token_hex(32)
        leases = Leases(database, make_ownership(database, Path(folder)))
        media, shelf = FakeMedia(), FakeShelf()
        enclosures = Enclosures(media, MediaFolder(Path(folder) / "media"), clock, timedelta(days=30))
        live = ended.enter_context(live_stand(database, clock, app.secret_key))
        numbers = FakeNumbers()
        numbers.states["1"] = {
            "tenantId": "1",
            "state": "qr",
            "qr": "https://wa.me/settings/linked_devices#2@made,up",
        }
        parts = console_parts(
            database,
            clock,
            leases,
            Path(folder),
            enclosures=enclosures,
            recordings=shelf,
            answers=KeptAnswers(database, clock, leases),
            numbers=numbers,
        )
        register_console(app, replace(parts, stream_port=urlsplit(live.url).port))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        ready = {
            "url": f"http://127.0.0.1:{server.server_port}",
            "staff": staff,
            "newcomer": newcomer,
            "busy": busy,
            "threads": write_scene(database, clock.now(), media, shelf),
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 (the line that the test waits for)
        sys.stdin.read()
        server.shutdown()
        serving.join()
        ended.close()
        leases.close()
        database.close()


if __name__ == "__main__":
    main()
