"""Feast's own page, bound to the loopback: ``python -m bluemirror.cli.feast_page WORKSPACE HOST PORT``.

``feast ui`` would import the workspace's definitions and binds every interface by default.
"""

from __future__ import annotations

import sys

from bluemirror.workspace import Workspace


def serve(root: str, host: str, port: int) -> None:
    """Serve the registry of the workspace at ``root`` until ended."""
    from bluemirror.features import open_store

    open_store(Workspace.open(root)).serve_ui(host=host, port=port)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
