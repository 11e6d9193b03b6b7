"""Applicants who have just arrived, online: a model's inputs are served before the night has seen them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.features.moments import instant
from bluemirror.features.online_tables import Tables, table_name, text_keys
from bluemirror.features.packing import MOMENT, Layout
from bluemirror.features.planning import FeaturePlan, ServingPlan

if TYPE_CHECKING:
    from bluemirror.mart.payloads import Payload
    from bluemirror.variables.applicant import FreshApplicants
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Served:
    """What one registered version reads of an applicant.

    Attributes
    ----------
    service
        Its feature service.
    key
        The entity's key, as the mart has it: by it ``get_online_features`` finds the row.
    values
        Variable -> value, None for null.
    written
        False if a newer observation of the same entity stood online already.
    """

    service: str
    key: str
    values: Mapping[str, float | None]
    written: bool


class OnlineApplicants:
    """Computes the inputs of every registered version for one applicant at a time, and puts them online.

    The row stands until the next night publishes what is stored by then. Versions whose inputs mean something else
    today are left to the night. One thread at a time.

    Parameters
    ----------
    applicants
        The mart in memory, opened once a night.
    """

    def __init__(self, applicants: FreshApplicants, features: FeaturePlan, tables: Tables, zone: str) -> None:
        self.applicants = applicants
        self._features, self._tables, self._zone = features, tables, zone
        self._layouts = {
            serving.name: self._layout(serving) for serving in features.servings if not serving.former
        }

    @classmethod
    def open(cls, workspace: Workspace) -> OnlineApplicants:
        """Over the mart, the registered versions and the online store of a workspace.

        Raises
        ------
        StoreError
            If a version was never published, or the online store does not answer.
        FamilyError
            If a family computes a column in a way that only DuckDB knows.
        """
        from bluemirror.clock import ZONE
        from bluemirror.features.planning import plan
        from bluemirror.features.store import open_online
        from bluemirror.variables.applicant import FreshApplicants

        return cls(FreshApplicants.open(workspace), plan(workspace), open_online(workspace), ZONE)

    def arrive(self, payloads: Iterable[Payload], observation_id: str | None = None) -> tuple[Served, ...]:
        """Read and check payloads, compute the inputs of every version that describes whom they are about, serve them.

        Parameters
        ----------
        payloads, observation_id
            As for :meth:`bluemirror.variables.applicant.FreshApplicants.variables_for`.

        Raises
        ------
        PayloadError
            If a payload breaks its contract, or they describe nobody.
        StoreError
            If the online store does not answer.
        """
        arrival = self.applicants.arrive(payloads, observation_id)
        records = arrival.records.after(self.applicants.recent)
        served = []
        for entity, observation in arrival.observations.items():
            # A version whose variables mean something else today waits for the night: here is only what they mean now.
            servings = [one for one in self._features.servings if one.entity == entity and not one.former]
            wanted = dict.fromkeys(name for one in servings for name in one.service.inputs)
            if not wanted:
                continue
            found = self.applicants.values(entity, observation, records, wanted)
            values: dict[str, float | int | None] = dict(found.as_dict())
            values |= {f"{block}__reason": reason for block, reason in found.reasons.items()}
            moment = instant(found.as_of, self._zone)
            for serving in servings:
                written = self._write(serving, str(observation[serving.key]), moment, values)
                inputs = {name: found[name] for name in serving.service.inputs}
                served.append(Served(serving.service.name, str(observation[serving.key]), inputs, written))
        return tuple(served)

    def _layout(self, serving: ServingPlan) -> Layout:
        return self._tables.fetch(table_name(self._features.project, serving.name), [b""])[0]

    def _write(
        self, serving: ServingPlan, key: str, moment: int, values: Mapping[str, float | int | None]
    ) -> bool:
        table, layout = table_name(self._features.project, serving.name), self._layouts[serving.name]
        (name,) = text_keys(serving.key, [key])
        _, (before,) = self._tables.fetch(table, [name])
        if before is not None and MOMENT.unpack_from(before)[0] > moment:
            return False
        self._tables.upsert(table, layout, [(name, layout.pack(moment, values))])
        return True
