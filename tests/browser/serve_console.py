"""Serves the console over a scratch database with a made-up scene, for the browser tests.

Prints one line of JSON when it is ready: ``{"url", "staff", "newcomer", "threads"}``. ``staff`` works for
the business of the scene and ``newcomer`` for one without conversations, each ``{"name", "password"}``;
``threads`` has the conversations' ids by their part in the scene. Ends when its standard input is closed.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from server.adapters.media_folder import MediaFolder
from server.adapters.system_clock import SystemClock
from server.console import ConsoleParts, register_console
from server.conversation.enclosures import Enclosures
from server.domain.tenants import TenantSettings
from server.inbox.takeover import Takeover
from server.store.leases import Leases, make_ownership
from server.store.models import Base
from server.store.modes import Modes
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.browser.scene import write_scene
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.fakes.work_queue import FakeQueue


def main() -> None:
    """Serve until standard input ends."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'console.db'}")
        Base.metadata.create_all(database.engine)
        for tenant_id, name in (("1", "Harbour House · בית הנמל"), ("2", "Hill Inn")):
            Tenants(database, clock).add(tenant_id, TenantSettings(name=name))
        staff = {"name": "Noa", "password": secrets.token_urlsafe(12)}
        Users(database, clock).add("1", staff["name"], staff["password"])
        newcomer = {"name": "Hila", "password": secrets.token_urlsafe(12)}
        Users(database, clock).add("2", newcomer["name"], newcomer["password"])

        app = Flask(__name__)
        app.secret_key = secrets.token_bytes(32)
        leases = Leases(database, make_ownership(database, Path(folder)))
        # The desk does not run here: what staff write waits.
        takeover = Takeover(Modes(database, clock), leases, FakeQueue())
        media, shelf = FakeMedia(), FakeShelf()
        enclosures = Enclosures(media, MediaFolder(Path(folder) / "media"), clock, timedelta(days=30))
        register_console(
            app,
            ConsoleParts(
                database=database, clock=clock, takeover=takeover, enclosures=enclosures, recordings=shelf
            ),
        )
        server = make_server("127.0.0.1", 0, app, threaded=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        ready = {
            "url": f"http://127.0.0.1:{server.server_port}",
            "staff": staff,
            "newcomer": newcomer,
            "threads": write_scene(database, clock.now(), media, shelf),
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 (the line that the test waits for)
        sys.stdin.read()
        server.shutdown()
        serving.join()
        leases.close()
        database.close()


if __name__ == "__main__":
    main()
