"""The real processes with a simulated WhatsApp, a guest and two members of staff, for the browser tests.

Prints one line of JSON when it is ready: ``{"url", "guest", "staff", "stranger"}``, the guest's name, and of
each member and of somebody at another business ``{"name", "password"}``. Then it does what each line of its
standard input says, and answers it with a line: ``{"say": text}`` and ``{"type": "composing" | "paused"}``
are the guest's, ``{"realtime": "stop" | "start"}`` is the operator's, and ``{"reset": name}`` gives a user
another password. Ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from server.adapters.system_clock import SystemClock
from server.domain.modes import OPERATOR
from server.domain.passwords import make_password
from server.domain.tenants import TenantSettings
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from simulators.lab import Lab
from simulators.openai_client import start_openai_simulator
from simulators.whatsapp_client import start_simulator

HOST = "972500000001"
GUEST = "972521234567"
NAME = "Maya Rosen"


def main() -> None:
    """Serve until standard input ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_simulator() as whatsapp,
        start_openai_simulator() as model,
        # Without a proxy before them: browsers find the realtime process by its port.
        Lab(Path(folder), whatsapp, {**model.settings, "PUBLIC_BASE_URL": ""}, realtime=True) as lab,
    ):
        whatsapp.add_host(HOST)
        whatsapp.add_guest(GUEST, name=NAME)
        lab.link("1", HOST)
        database, clock = Database(f"sqlite:///{lab.environment['DATA_DIR']}/frontdesk.db"), SystemClock()
        Tenants(database, clock).add("2", TenantSettings(name="Hill Inn"))
        users = Users(database, clock)
        noa, dan, stranger = ({"name": name, "password": make_password()} for name in ("Noa", "Dan", "Hila"))
        for tenant_id, member in (("1", noa), ("1", dan), ("2", stranger)):
            users.add(tenant_id, member["name"], member["password"])
        _tell({"url": lab.web_url, "staff": [noa, dan], "stranger": stranger, "guest": NAME})
        done: Mapping[str, Callable[[str], object]] = {
            "say": lambda text: whatsapp.send(GUEST, to=HOST, text=text),
            "type": lambda state: whatsapp.typing(GUEST, to=HOST, state=state),
            "realtime": lambda what: lab.realtime.start() if what == "start" else lab.realtime.stop(),
            "reset": lambda name: users.set_password(users.named(name), make_password(), OPERATOR),
        }
        for line in sys.stdin:
            ((what, value),) = json.loads(line).items()
            done[what](value)
            _tell({"done": what})


def _tell(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 (the lines that the test waits for)


if __name__ == "__main__":
    main()
