"""Feast: the contract with those who use variables. Views from blocks, services from models."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.features.arriving import OnlineApplicants as OnlineApplicants
    from bluemirror.features.comparing import Parity as Parity
    from bluemirror.features.comparing import parity as parity
    from bluemirror.features.objects import declare as declare
    from bluemirror.features.planning import FeaturePlan as FeaturePlan
    from bluemirror.features.planning import plan as plan
    from bluemirror.features.publishing import Published as Published
    from bluemirror.features.publishing import publish as publish
    from bluemirror.features.registering import ApplyReport as ApplyReport
    from bluemirror.features.registering import apply as apply
    from bluemirror.features.reproducing import Reproduction as Reproduction
    from bluemirror.features.reproducing import reproduce as reproduce
    from bluemirror.features.services import publish_service as publish_service
    from bluemirror.features.store import open_store as open_store
    from bluemirror.features.training import TrainingSet as TrainingSet
    from bluemirror.features.training import training_set as training_set

_LAZY = {
    "ApplyReport": "registering",
    "FeaturePlan": "planning",
    "OnlineApplicants": "arriving",
    "Parity": "comparing",
    "Published": "publishing",
    "Reproduction": "reproducing",
    "TrainingSet": "training",
    "apply": "registering",
    "declare": "objects",
    "open_store": "store",
    "parity": "comparing",
    "plan": "planning",
    "publish": "publishing",
    "publish_service": "services",
    "reproduce": "reproducing",
    "training_set": "training",
}

__all__ = [
    "ApplyReport",
    "FeaturePlan",
    "OnlineApplicants",
    "Parity",
    "Published",
    "Reproduction",
    "TrainingSet",
    "apply",
    "declare",
    "open_store",
    "parity",
    "plan",
    "publish",
    "publish_service",
    "reproduce",
    "training_set",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.features.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.features' has no attribute {name!r}")
