"""The morning delivered: the page and the JSON document in the data folder, and a webhook where one is configured."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bluemirror.atomic import write_json, write_text
from bluemirror.errors import WorkspaceError
from bluemirror.night.page import LINKS, page_html

if TYPE_CHECKING:
    from bluemirror.night.morning import Morning
    from bluemirror.workspace import Workspace

WEBHOOK = "BLUEMIRROR_WEBHOOK"
"""Names, in the environment, where the morning is posted to as JSON; the address may hold a secret."""
SECONDS = 10.0


def write_morning(workspace: Workspace, made: Morning) -> Path:
    """Write ``morning/morning.html`` and ``morning.json``; returns the page."""
    folder = workspace.data / "morning"
    folder.mkdir(parents=True, exist_ok=True)
    there = tuple(path for path, _, _ in LINKS if (workspace.data / path).is_file())
    write_json(folder / "morning.json", made.as_dict())
    write_text(folder / "morning.html", page_html(made, there))
    return folder / "morning.html"


def post_morning(made: Morning) -> bool:
    """Post the morning to the webhook; False if none is configured.

    Raises
    ------
    WorkspaceError
        If the address is no http(s) address, or nobody takes the document there. The address is not told: it may hold
        a secret.
    """
    address = os.environ.get(WEBHOOK)
    if not address:
        return False
    if urlsplit(address).scheme not in ("http", "https"):
        raise _undelivered("it is not an http or https address")
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
        address,
        data=json.dumps(made.as_dict(), ensure_ascii=False, default=str).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        raise _undelivered(f"it answered {error.code}") from None
    except (urllib.error.URLError, OSError) as error:
        raise _undelivered(f"it does not answer ({type(error).__name__})") from None


def _undelivered(why: str) -> WorkspaceError:
    return WorkspaceError(
        f"the morning was not delivered to the webhook: {why}",
        field=WEBHOOK,
        rule="the variable holds the address to which the document is posted",
        fix="correct it; bluemirror morning --send tries again",
    )
