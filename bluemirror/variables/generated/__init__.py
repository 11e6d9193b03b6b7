"""A mart made from contracts and families alone, in which every code, group, band, window and state occurs."""

from bluemirror.variables.generated.mart import GeneratedMart as GeneratedMart
from bluemirror.variables.generated.mart import generate_mart as generate_mart

__all__ = ["GeneratedMart", "generate_mart"]
