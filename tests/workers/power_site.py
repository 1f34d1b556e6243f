"""An installation that begins from an empty folder and serves, all of it under the eyes of `strace`.

    python -m tests.workers.power_site KEY_FILE [PROCESS …]

The key of its organisation and the number of the process are written to the file; the processes of the Procfile that are named run beside the web server.
"""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from labinterp import bootstrap
from labinterp.cli import serve
from labinterp.usecases import administer
from tests.workers.harness import COMMANDS


def main(key_file, *beside):
    services = bootstrap.services()
    bootstrap.upgrade(services)
    organisation = administer.ensure_demo(services).organisation
    _, key = administer.create_key(services, organisation.id, name="Power", scopes=["admin"])
    others = [subprocess.Popen(COMMANDS[name]) for name in beside]
    Path(key_file).write_text(f"{key} {os.getpid()}", encoding="utf-8")
    try:
        return serve.run(Namespace(host=None, port=None))
    finally:
        for other in others:
            other.terminate()
        for other in others:
            other.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
