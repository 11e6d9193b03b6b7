"""Pieces of a short text that survive a misspelling elsewhere in it."""

from __future__ import annotations


def shingles(text: str) -> tuple[str, ...]:
    """Pairs of neighbouring characters, with the text's two ends, and pairs that skip one character.

    One wrong character in a text of n leaves n - 1 of the n + 1 pairs and n - 3 of the n - 2 skipping ones (its
    middle may be wrong: the skipping pair holds). Sorted, each once; none of an empty text.
    """
    if not text:
        return ()
    marked = f"^{text}$"
    pairs = {marked[at : at + 2] for at in range(len(marked) - 1)}
    skipping = {f"{text[at]}*{text[at + 2]}" for at in range(len(text) - 2)}
    return tuple(sorted(pairs | skipping))
