"""A person's name: family name and given name."""

from __future__ import annotations

WHOLE = "whole"
# Family names of two characters; all others are taken to have one.
_DOUBLE = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容"
    "仲孙钟离长孙宇文司徒鲜于司空闾丘令狐百里呼延东郭西门南门轩辕拓跋夹谷段干"
)
DOUBLE = frozenset(_DOUBLE[at : at + 2] for at in range(0, len(_DOUBLE), 2))


def person_parts(text: str) -> dict[str, str]:
    """``family`` and ``given`` of a folded name; ``WHOLE`` is the name itself, for its shingles."""
    name = text.replace("-", "").replace("#", "")
    size = 2 if name[:2] in DOUBLE and len(name) > 2 else 1
    return {"family": name[:size], "given": name[size:], WHOLE: name}
