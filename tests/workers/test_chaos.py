"""Everything is killed in turn while panels come in: what was accepted is interpreted, drawn and mailed, once.

How many panels and rounds is set by `make prove` (CHAOS_PANELS); `make check` has one round of a few.
"""

import os
import random
import time
from collections import Counter

import pytest
from sqlalchemy import text

from tests.workers.chaos import PATIENCE, Chaos, Senders
from tests.workers.harness import until

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(3600)]
A_FEW = 30
PANELS = int(os.environ.get("CHAOS_PANELS", A_FEW))  # noqa: TID251 - how thorough, set by `make prove`
PARTS = ("web", "worker", "relay", "mllp", "redis", "smtp", "redis without its data")
MOODS = ("well", "later", "never", "slow", "drop")
POSTGRES = [pytest.mark.postgres, pytest.mark.xdist_group("pg")]
ROUNDS = [
    pytest.param(database, mood, marks=POSTGRES if database == "postgresql" else ())
    for database, moods in (
        (("sqlite", MOODS), ("postgresql", MOODS)) if PANELS > A_FEW else (("sqlite", ["drop"]),)
    )
    for mood in moods
]


@pytest.fixture
def chaos(request, tmp_path, database, mood):
    settings = {}
    if database == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("empty_postgres")
    made = Chaos(tmp_path, mood, **settings)
    yield made
    made.stop()


def counted(chaos):
    with chaos.site.services.store.reading() as connection:
        scalar = lambda question: connection.scalar(text(question))  # noqa: E731
        return {
            "panels": scalar("select count(*) from panel"),
            "answers": scalar("select count(*) from panel_version"),
            "ready": scalar("select count(*) from report where status = 'ready'"),
            "deliveries": scalar("select count(*) from delivery"),
            "sent": scalar("select count(*) from delivery where status = 'sent'"),
            "refused": scalar("select count(*) from delivery where status = 'refused'"),
        }


@pytest.mark.hazard("panel-lost", "mail-lost", "mail-twice")
@pytest.mark.parametrize(("database", "mood"), ROUNDS)
def test_what_was_accepted_is_mailed_once_whatever_is_killed(chaos, record_property):
    with Senders(chaos, PANELS) as senders:
        parts = list(PARTS)
        random.shuffle(parts)
        while parts or senders.at_work:
            part = parts.pop() if parts else random.choice(PARTS)  # noqa: S311
            chaos.kill(part)
            until(chaos.answers, 120)
            time.sleep(random.uniform(0, 2))  # noqa: S311 - so that something is begun before the next
            if part == "web":
                chaos.fill_the_disk(1.0)
    senders.send_the_rest()
    accepted = sum(len(one) for one in senders.taken.values())
    assert not senders.strange, senders.strange[:5]
    assert accepted == PANELS // 3 * 2 + PANELS // 30 * 10
    refused = len(senders.to_nobody)
    wanted = {
        **dict.fromkeys(("panels", "answers", "ready", "deliveries"), accepted),
        "sent": accepted - refused,
        "refused": refused,
    }
    until(lambda: counted(chaos) == wanted, PATIENCE + PANELS, f"{wanted}")
    mails = Counter(chaos.mail.message_ids())
    assert len(mails) == accepted - refused
    again = sum(mails.values()) - len(mails)
    record_property("accepted", accepted)
    record_property("killed", dict(Counter(chaos.killed)))
    record_property("mails kept again under the same Message-ID", again)
    unanswered = chaos.mail.unanswered()
    record_property("mails kept whose line was closed before the answer", unanswered)
    # A copy is unavoidable only where the server kept a mail and its answer was lost, or could not
    # be written down: one for each of the two conversations that a kill or a full disk meets.
    met = sum(2 for part in chaos.killed if part in ("smtp", "worker", "disk"))
    assert again <= unanswered + met
