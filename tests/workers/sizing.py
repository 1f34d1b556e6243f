"""What one panel costs: processor time of each process, memory, and room in the database; for the table of deploy.md.

    python -m tests.workers.sizing [PANELS]

Processor time hardly depends on what else the machine does; elapsed time does, and is not told.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from sqlalchemy import text

from labinterp.local.ports import free_port
from labinterp.local.sample import PANEL
from labinterp.usecases import administer
from tests.workers.harness import MailServer, RunningBroker, Site, until

TICKS = os.sysconf("SC_CLK_TCK")


def of_tree(pid):
    """Processor time [s] and resident memory [bytes] of a process and all it started."""
    numbers, found = [pid], []
    while numbers:
        one = numbers.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            numbers += map(int, task.read_text().split())
    stats = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in found]
    spent = sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS
    return spent, sum(_memory(one) for one in found)


def _memory(pid):
    """Its proportional share of what it uses."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def main(count=200):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker, mail, port = RunningBroker(folder), MailServer(), free_port()
        site = Site(
            folder, broker.url, mail.port, PORT=str(port), REQUEST_RATE="1000000 per minute"
        )
        try:
            measured(site, mail, port, count)
        finally:
            site.stop()
            site.services.store.close()
            broker.stop()
            mail.stop()


def measured(site, mail, port, count):
    organisation = administer.ensure_demo(site.services).organisation
    _, key = administer.create_key(site.services, organisation.id, name="S", scopes=["admin"])
    processes = {each: site.start(each) for each in ("web", "worker", "relay")}

    def send(number):
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/v1/panels",
            data=PANEL.read_bytes().replace(b"TEST-0001", b"S-%d" % number),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text

    until(lambda: _answers(port), 300)
    send(0)
    until(lambda: len(mail.mails) == 1, 300)
    before = {each: of_tree(process.pid)[0] for each, process in processes.items()}
    room = _room(site)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(1, count + 1)))
    until(lambda: len(mail.mails) >= count + 1, 1200)
    idle = time.monotonic() - began
    for each, process in processes.items():
        spent, memory = of_tree(process.pid)
        each_one = (spent - before[each]) / count * 1000
        sys.stdout.write(
            f"{each:8} {each_one:8.1f} ms of a processor a panel   {memory / 1e6:6.0f} MB\n"
        )
    sys.stdout.write(f"database {(_room(site) - room) / count / 1000:8.1f} kB a panel\n")
    with site.services.store.reading() as connection:
        sealed = connection.scalar(text("SELECT avg(length(pdf_sealed)) FROM report_file"))
    sys.stdout.write(f"report   {float(sealed) / 1000:8.1f} kB of these\n")
    sys.stdout.write(
        f"({count} panels, {idle:.0f} s; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f})\n"
    )


def _answers(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def _room(site):
    with site.services.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
    return (pages - free) * 4096


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
