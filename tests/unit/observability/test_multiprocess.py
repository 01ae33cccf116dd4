"""Several processes count together: nothing is lost, nothing of dead ones stays but what they counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

# Joins, counts and waits; then says what it reads.
PROGRAM = """
import sys
from pathlib import Path
folder = sys.argv[1]
from server.observability import metrics, multiprocess
from server.observability.logs import configure_logging
configure_logging("INFO")
multiprocess.share(Path(folder))
metrics.MESSAGES.inc(3, channel="chat", verdict="accepted")
metrics.REPLY_SECONDS.observe(0.2, channel="chat", source="model")
metrics.THREADS.set(4, process="web")
metrics.LOOP_LAG_SECONDS.set(0.5, process="web")
print("ready", flush=True)
sys.stdin.readline()
sys.stdout.write(multiprocess.exposition().decode())
"""
FORKING = """
import os, sys
from pathlib import Path
from server.observability import metrics, multiprocess
folder = Path(sys.argv[1])
multiprocess.share(folder)
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        multiprocess.share(folder)
        metrics.MESSAGES.inc(3, channel="chat", verdict="accepted")
        os._exit(0)
    os.waitpid(pid, 0)
sys.stdout.write(multiprocess.exposition().decode())
"""

Process = subprocess.Popen[str]
Start = Callable[[], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that counts, and waits until it has."""
    started: list[Process] = []

    def begin() -> Process:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def said(process: Process) -> str:
    output, _ = process.communicate("\n", timeout=30)
    return output


def figures(text: str) -> dict[str, float]:
    """Samples by name, those of all labels together; the classes of histograms by their edge."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert "pid" not in sample.labels
            name = sample.name + (f"_{sample.labels['le']}" if "le" in sample.labels else "")
            found[name] = found.get(name, 0) + sample.value
    return found


def test_what_several_processes_count_is_one_sum(start: Start) -> None:
    processes = [start() for _ in range(3)]
    told = figures(said(processes[1]))
    assert told["frontdesk_messages_total"] == 9
    assert (told["frontdesk_reply_seconds_count"], told["frontdesk_reply_seconds_bucket_0.25"]) == (3, 3)
    assert told["frontdesk_threads"] == 12
    assert told["frontdesk_event_loop_lag_seconds"] == 0.5


def test_one_that_is_killed_leaves_its_counts_and_nothing_else(start: Start) -> None:
    first, second = start(), start()
    first.kill()
    first.wait()
    told = figures(said(second))
    assert (told["frontdesk_messages_total"], told["frontdesk_threads"]) == (6, 4)


def test_who_starts_later_removes_nothing(start: Start) -> None:
    first = start()
    said(start())
    later = start()
    told = figures(said(later))
    assert told["frontdesk_messages_total"] == 9
    assert figures(said(first))["frontdesk_messages_total"] == 9


def test_who_starts_first_finds_nothing_of_an_earlier_run(start: Start) -> None:
    for process in [start(), start()]:
        process.kill()
        process.wait()
    assert figures(said(start()))["frontdesk_messages_total"] == 3


def test_who_takes_the_place_of_one_that_is_gone_goes_on_with_its_files(start: Start, tmp_path: Path) -> None:
    start()
    for _ in range(3):
        last = start()
        last.kill()
        last.wait()
    assert len(list((tmp_path / "metrics").glob("counter_*.db"))) == 2
    told = figures(said(start()))
    assert (told["frontdesk_messages_total"], told["frontdesk_threads"]) == (15, 8)


def test_children_that_come_and_go_one_after_another_are_summed_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert figures(done.stdout)["frontdesk_messages_total"] == 9


def test_an_empty_file_of_one_that_died_early_does_no_harm(start: Start, tmp_path: Path) -> None:
    process = start()
    (tmp_path / "metrics" / "counter_7.db").touch()
    assert figures(said(process))["frontdesk_messages_total"] == 3


def test_files_take_their_room_on_the_disk_at_once(start: Start, tmp_path: Path) -> None:
    start()
    files = list((tmp_path / "metrics").glob("*_0.db"))
    assert len(files) == 4
    # Blocks of 512 bytes: a file with holes has fewer than its size says.
    assert all(os.stat(path).st_blocks * 512 >= path.stat().st_size > 65536 for path in files)  # noqa: PTH116


def test_where_nothing_can_be_written_a_process_counts_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text("a file where the folder should be")
    assert figures(said(start()))["frontdesk_messages_total"] == 3
