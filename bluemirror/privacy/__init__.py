"""Whether raw personal values stand in files where none may: a list of them, looked for in everything a run wrote.

``read_needles(file)`` reads the list, ``search(folder, needles)`` looks into every file: Parquet by its cells, packed
files by their members, text also as it is behind escapes. No value is ever shown.
"""

from bluemirror.privacy.needles import Needles, read_needles
from bluemirror.privacy.search import Finding, Searched, search

__all__ = ["Finding", "Needles", "Searched", "read_needles", "search"]
