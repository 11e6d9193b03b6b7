"""A page that needs nothing from outside: one HTML file that carries its style, its script and its data."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Content security policy: the browser itself refuses anything from outside."""


def document(title: str, body: str, *, style: str, script: str, data: Any = None) -> str:
    """The whole page, a complete HTML document in UTF-8.

    Parameters
    ----------
    title
        Escaped here.
    body
        HTML; what comes from data is escaped already.
    style, script
        Stylesheet and program, as they are.
    data
        What the program reads from the element ``data`` as JSON; None for no such element.
    """
    held = ""
    if data is not None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        # Nothing in the data may end the element that holds it.
        text = text.replace("<", "\\u003c")
        held = f'<script type="application/json" id="data">{text}</script>\n'
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n<body>{body}"
        f"{held}<script>\n{script}</script></body></html>\n"
    )


def resource(package: str, name: str) -> str:
    """The text of a file of a package, such as a stylesheet."""
    return (resources.files(package) / name).read_text(encoding="utf-8")
