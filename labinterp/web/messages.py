"""Stored HL7 v2 messages, for administrators: what came, what is wrong with it, read it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import flash, redirect, render_template, request, url_for

from labinterp.usecases import message_store
from labinterp.web.site import actor, pages, request_id, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_ANSWERS: Final = ("AA", "AE", "AR")
_LONGEST: Final = 200


@pages.get("/administration/messages")
def messages() -> ResponseReturnValue:
    """The newest that fit; nothing of their content stands here."""
    sought = {
        name: said
        for name in ("sender", "control_id")
        if (said := request.args.get(name, "").strip()[:_LONGEST])
    }
    status = request.args.get("status", "")
    if status in _ANSWERS:
        sought["status"] = status
    page = message_store.list_messages(
        services(),
        actor(),
        sender=sought.get("sender"),
        control_id=sought.get("control_id"),
        status=sought.get("status"),
        cursor=request.args.get("after") or None,
    )
    choices = [("", "any way"), *((code, code) for code in _ANSWERS)]
    return render_template("messages.html", page=page, sought=sought, choices=choices)


@pages.get("/administration/messages/<message_id>")
def message(message_id: str) -> ResponseReturnValue:
    """One message, taken apart; each look at it is written down."""
    found = message_store.view_message(services(), actor(), message_id, request_id=request_id())
    return render_template("message.html", found=found, replay=None)


@pages.post("/administration/messages/<message_id>/replay")
def replay_message(message_id: str) -> ResponseReturnValue:
    """Say what reading it again would change; or change it."""
    for_good = bool(request.form.get("for-good"))
    done = message_store.replay(
        services(), actor(), message_id, dry_run=not for_good, request_id=request_id()
    )
    if for_good:
        changed = sum(one.change in ("new", "corrected") for one in done.effects)
        said = "1 panel was" if changed == 1 else f"{changed} panels were"
        flash(f"The message was read again; {said} changed.")
        return redirect(url_for("web.message", message_id=message_id), 303)
    found = message_store.view_message(services(), actor(), message_id, request_id=request_id())
    return render_template("message.html", found=found, replay=done)
