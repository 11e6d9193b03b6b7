"""A simulated bank for the flagship workspace: landing files in the sources' own formats, and the truth.

``workspace.yaml`` names :func:`land` as its hook. Nothing that reads the landing folder knows about it.
"""

from __future__ import annotations

from simulator.run import land

__all__ = ["land"]
