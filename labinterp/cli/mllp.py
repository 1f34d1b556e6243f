"""`labinterp mllp`: the HL7 v2 listener, until told to stop; then messages in hand are answered."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE, OURS

if TYPE_CHECKING:
    import argparse

    from labinterp.mllp import Listener


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "mllp",
        help=COMMANDS["mllp"],
        description="Listen for HL7 v2 results on MLLP_HOST and MLLP_PORT until told to stop.",
    )
    parser.add_argument("--host", help="address to listen on (default: the setting MLLP_HOST)")
    parser.add_argument(
        "--port", type=int, help="port to listen on (default: the setting MLLP_PORT)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen; SIGTERM or SIGINT closes the door, answers the messages in hand, and ends."""
    from labinterp import bootstrap, mllp, telemetry  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases.explained import warm_up  # noqa: PLC0415 - as above

    settings = bootstrap.settings()
    telemetry.configure(settings.log_level)
    listening = mllp.Listening(
        host=args.host or settings.mllp_host,
        port=settings.mllp_port if args.port is None else args.port,
        idle=settings.mllp_idle,
        connections=settings.mllp_connections,
        shared=settings.mllp_shared,
        organisation=settings.mllp_organisation,
        grace=settings.stop_grace,
        tls=mllp.tls_context(
            settings.mllp_tls_cert, settings.mllp_tls_key, settings.mllp_client_ca
        ),
    )
    services = bootstrap.services()
    warm_up(services)
    try:
        asyncio.run(_until_stopped(mllp.Listener(services, listening)))
    except OSError as error:
        reason = error.strerror or str(error)
        print(
            f"labinterp: cannot listen on {listening.host} port {listening.port}: {reason}",
            file=sys.stderr,
        )
        return OURS
    return DONE


async def _until_stopped(listener: Listener) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await listener.run(stop)
