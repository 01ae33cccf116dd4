"""Makes the pictures of the documents anew: ``make pictures``. Real processes, a scene on the simulator."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from simulators.lab import ROOT, Lab, wait_until
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

HOST = "972500000001"
GUEST = "972520000102"
SCENE = (
    "Hi! What time is check-in?",
    "שלום, יש חניה במקום?",
    "Do you have a helicopter landing pad?",
    "Thank you!",
)
# Pages of the console, by the names of their pictures.
PAGES = {
    "conversation": "/console/conversations/1",
    "conversations": "/console/",
    "overview": "/console/overview",
    "questions": "/console/questions",
    "knowledge": "/console/knowledge?q=check",
    "numbers": "/console/numbers",
}
TIMEOUT_S = 60.0


def main() -> None:
    """Play the scene and photograph the console."""
    with tempfile.TemporaryDirectory() as folder, start_simulator() as whatsapp:
        whatsapp.add_host(HOST, name="Tamarisk House")
        whatsapp.add_guest(GUEST, name="Noa", sends_read_receipts=True)
        # Without a proxy before them: the browser finds the realtime process by its port.
        with Lab(Path(folder), whatsapp, {"PUBLIC_BASE_URL": ""}, realtime=True) as lab:
            lab.link("1", HOST)
            for number, text in enumerate(SCENE, start=1):
                _exchange(whatsapp, number, text)
            password = lab.frontdesk("user", "add", "Avi", "--tenant", "1").split()[-1]
            _photograph(lab.web_url, password)


def _exchange(whatsapp: WhatsAppSimulator, number: int, text: str) -> None:
    whatsapp.send(GUEST, to=HOST, text=text)
    wait_until(lambda: len(whatsapp.guest(GUEST)["received"]) == number, TIMEOUT_S, "an answer")


def _photograph(url: str, password: str) -> None:
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    pictures = [word for name, page in PAGES.items() for word in (page, str(folder / f"{name}.png"))]
    command = ["node", "scripts/screenshot.js", url, "Avi", password, *pictures]
    subprocess.run(command, cwd=ROOT, check=True, timeout=TIMEOUT_S)  # noqa: S603 - our own script
    for picture in pictures[1::2]:
        print(Path(picture).relative_to(ROOT))  # noqa: T201


if __name__ == "__main__":
    main()
