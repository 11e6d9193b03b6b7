"""Feast's registry in a SQL database: SQLite in the workspace, or PostgreSQL; an apply is one transaction.

Feast's own ``sql`` registry writes object by object, so a reader can see half an apply, and takes the place of a SQLite
file from the folder that a process happens to stand in. Feast finds this class by its dotted path.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from feast.infra.registry.registry_store import RegistryStore
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.repo_config import RegistryConfig

from bluemirror.errors import StoreError

_TABLE = "bluemirror_feast_registry"
_ROW = "registry"


class SqlRegistryStore(RegistryStore):
    """The whole registry as one row with a version: who writes says which version was read.

    ``registry.path`` is a SQLite file, from the Feast repository on, or an address as SQLAlchemy writes it,
    ``postgresql+psycopg://user@host/database``.
    """

    def __init__(self, registry_config: RegistryConfig, repo_path: Path | None) -> None:
        import sqlalchemy as sa
        from sqlalchemy.pool import NullPool

        path = os.path.expandvars(registry_config.path)
        self._file: Path | None = None
        if "://" not in path:
            self._file = (Path(repo_path or ".") / path).resolve()
            path = f"sqlite:///{self._file}"
        self.place = sa.engine.make_url(path).render_as_string(hide_password=True)
        # A registry is read once an hour or so: no connection is kept.
        self._engine = sa.create_engine(path, poolclass=NullPool)
        self._table = sa.Table(
            _TABLE,
            sa.MetaData(),
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("version", sa.String(64), nullable=False),
            sa.Column("content", sa.LargeBinary, nullable=False),
        )
        self._version: str | None = None

    def get_registry_proto(self) -> Registry:
        """The registry as it stands; FileNotFoundError, as Feast expects, if there is none yet."""
        import sqlalchemy as sa

        if self._file is not None and not self._file.is_file():
            raise FileNotFoundError(self.place)
        with self._talking() as connection:
            row = None
            if sa.inspect(connection).has_table(_TABLE):
                row = connection.execute(sa.select(self._table.c.version, self._table.c.content)).first()
        if row is None:
            raise FileNotFoundError(self.place)
        self._version = row.version
        registry = Registry()
        registry.ParseFromString(row.content)
        return registry

    def update_registry_proto(self, registry_proto: Registry) -> None:
        """Replace the registry.

        Raises
        ------
        StoreError
            If somebody else has replaced it since it was read here.
        """
        import sqlalchemy as sa

        registry_proto.version_id = str(uuid.uuid4())
        registry_proto.last_updated.GetCurrentTime()
        _forget_removed_views(registry_proto)
        values = {"version": registry_proto.version_id, "content": registry_proto.SerializeToString()}
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._talking() as connection:
            self._table.create(connection, checkfirst=True)
            if self._version is None:
                replaced = self._inserted(connection, values)
            else:
                known = self._table.c.version == self._version
                change = sa.update(self._table).where(known).values(**values)
                replaced = connection.execute(change).rowcount == 1
            if not replaced:
                raise StoreError(
                    "the registry was changed by somebody else meanwhile",
                    file=self.place,
                    rule="an apply replaces the registry that it has read",
                    fix="apply again",
                )
        self._version = registry_proto.version_id

    def teardown(self) -> None:
        """Remove the registry."""
        with self._talking() as connection:
            self._table.drop(connection, checkfirst=True)
        self._version = None

    def _inserted(self, connection: Any, values: dict[str, Any]) -> bool:
        """Write the first registry; False if somebody else just has."""
        import sqlalchemy as sa

        try:
            with connection.begin_nested():
                connection.execute(sa.insert(self._table).values(name=_ROW, **values))
        except sa.exc.IntegrityError:
            return False
        return True

    @contextmanager
    def _talking(self) -> Iterator[Any]:
        import sqlalchemy as sa

        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise StoreError(
                f"the registry's database does not answer ({type(error.orig).__name__})",
                file=self.place,
                rule="registry.path in feature_store.yaml names a database that can be written",
                fix="start the server, or correct the path",
            ) from error


def _forget_removed_views(registry: Registry) -> None:
    """Drop the history of views that are gone: a changed meaning is another view, and the old would stay for good."""
    lists: list[Any] = [
        registry.feature_views,
        registry.on_demand_feature_views,
        registry.stream_feature_views,
        registry.label_views,
    ]
    kept = {view.spec.name for views in lists for view in views}
    records = registry.feature_view_version_history.records
    for at in reversed(range(len(records))):
        if records[at].feature_view_name not in kept:
            del records[at]
