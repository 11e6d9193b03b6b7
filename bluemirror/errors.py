"""Errors that tell a reader where the mistake is, which rule it breaks and what to write instead."""

from __future__ import annotations

from pathlib import Path


class BluemirrorError(Exception):
    """An error that a user can act on.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    file, field, rule, fix
        Where it stands, what it concerns, the rule that it breaks, and what to do about it.
        Each is shown when given. None of them may hold a raw personal value.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        field: str | None = None,
        rule: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.message = message
        self.file = str(file) if file is not None else None
        self.field = field
        self.rule = rule
        self.fix = fix
        super().__init__(message)

    def __str__(self) -> str:
        lines = [self.message]
        for label, value in (
            ("file", self.file),
            ("field", self.field),
            ("rule", self.rule),
            ("fix", self.fix),
        ):
            if value:
                lines.append(f"  {label + ':':<7}{value}")
        return "\n".join(lines)


class WorkspaceError(BluemirrorError):
    """The workspace folder or its settings are not usable."""


class ContractError(BluemirrorError):
    """A data contract is written wrongly."""


class LandingError(BluemirrorError):
    """A delivery in the landing folder cannot be read."""


class PayloadError(LandingError):
    """What has just arrived for an applicant breaks its contract."""


class FamilyError(BluemirrorError):
    """A variable family, or the spine, is declared wrongly."""


class IdentityError(BluemirrorError):
    """The entities and their ties are declared wrongly, or cannot be worked out as declared."""


class ModelError(BluemirrorError):
    """A model is declared wrongly or cannot be trained as declared."""


class StoreError(BluemirrorError):
    """The feature store cannot give what it is asked for, or what it keeps is not as it was written."""
