"""Addresses, company names and person names, brought into one spelling and taken apart.

:func:`take_apart` is what the door of the mart calls, value by value; what it returns is raw and never leaves the
door (``bluemirror.mart.keys`` hashes it). Rules of spelling only, no gazetteer and no list of companies: whatever
follows the usual order of a Chinese address or company name is understood, invented places as well as real ones.
"""

from bluemirror.parts.apart import Apart, take_apart

__all__ = ["Apart", "take_apart"]
