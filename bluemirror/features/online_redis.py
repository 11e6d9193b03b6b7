"""Packed rows in Redis, a hash a view and publication: readers follow a pointer, moved when all rows are there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bluemirror.errors import StoreError
from bluemirror.features.packing import Layout

ABANDONED_SECONDS = 3600
"""After which rows of a publication that was never finished go by themselves."""

_SOME = 2000

_LAYOUT = b""
"""Field of a publication's hash that holds the layout; no entity key is empty."""

# Pointer and rows in one step on the server: a publication in between cannot mix two nights.
_FETCH = """
local place = redis.call('HGET', KEYS[1], 'rows')
if not place then return nil end
local found = {place}
for first = 1, #ARGV, 1000 do
  local some = redis.call('HMGET', place, unpack(ARGV, first, math.min(first + 999, #ARGV)))
  for _, row in ipairs(some) do found[#found + 1] = row end
end
return found
"""

# A publication in between changes the place: then nothing is written, and the caller looks again.
_ADD = """
if redis.call('HGET', KEYS[1], 'rows') ~= KEYS[2] then return 0 end
local facts = cjson.decode(redis.call('HGET', KEYS[1], 'facts'))
if facts.mark then
  facts.mark = nil
  redis.call('HSET', KEYS[1], 'facts', cjson.encode(facts))
end
for first = 1, #ARGV, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
return 1
"""

_FLIP = """
local before = redis.call('HGET', KEYS[1], 'rows')
redis.call('PERSIST', KEYS[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'rows', KEYS[2], 'facts', ARGV[1])
if before and before ~= KEYS[2] then redis.call('UNLINK', before) end
"""


class RedisTables:
    """Tables of packed rows on a Redis server."""

    def __init__(self, address: str, seconds: float = 5.0) -> None:
        import redis

        self.address = address
        self._layouts: dict[bytes, Layout] = {}
        # Its signatures speak of text and bytes alike, and of awaited answers; here all is bytes.
        self._client: Any = redis.Redis.from_url(
            address, socket_timeout=seconds, socket_connect_timeout=seconds, protocol=2
        )
        self._fetch = self._client.register_script(_FETCH)
        self._add = self._client.register_script(_ADD)
        self._flip = self._client.register_script(_FLIP)

    def publish(
        self,
        table: str,
        layout: Layout,
        facts: Mapping[str, Any],
        batches: Iterable[tuple[Sequence[bytes], Sequence[bytes]]],
    ) -> None:
        """Replace a table by the (keys, rows) of ``batches``; on any error the table stays as it was."""
        with self._talking(table):
            place = f"{table}:{uuid.uuid4().hex[:12]}"
            # Beside the rows, which never change their place: what is read together is of one publication.
            self._client.hset(place, _LAYOUT, layout.text)
            for keys, rows in batches:
                for first in range(0, len(keys), _SOME):
                    some = slice(first, first + _SOME)
                    self._client.hset(place, mapping=dict(zip(keys[some], rows[some], strict=True)))
                self._client.expire(place, ABANDONED_SECONDS)
            self._flip(keys=[table, place], args=[json.dumps(dict(facts))])

    def upsert(self, table: str, layout: Layout, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Write some (key, row) into a table, in one step; the table is made if there is none."""
        with self._talking(table):
            place = self._client.hget(table, "rows")
            if place is None:
                self.publish(table, layout, {}, [])
                place = self._client.hget(table, "rows")
            if self._layout(place) != layout:
                raise StoreError(
                    f"the online table {table} holds other fields than the view",
                    field=table,
                    rule="rows are added with the fields that were published",
                    fix="publish the view anew: bluemirror publish",
                )
            told = dict(rows)
            # What stands there is then no longer what a night published: the next one writes it anew.
            flat = [part for each in told.items() for part in each]
            if told and not self._add(keys=[table, place], args=flat):
                self.upsert(table, layout, told.items())

    def fetch(self, table: str, keys: Sequence[bytes]) -> tuple[Layout, list[bytes | None]]:
        """The rows of ``keys``, all of one published state; None for a key that is not there."""
        with self._talking(table):
            found = self._fetch(keys=[table], args=list(keys))
            if found is None:
                raise self._unpublished(table)
            layout = self._layout(found[0])
            if layout is None:  # another publication took its place between the two questions
                return self.fetch(table, keys)
        return layout, found[1:]

    def scan(self, table: str, rows: int = 20_000) -> Iterator[tuple[Layout, list[bytes], list[bytes]]]:
        """Every (key, row) of one published state, some thousand at a time."""
        with self._talking(table):
            place = self._client.hget(table, "rows")
            layout = None if place is None else self._layout(place)
            if layout is None:
                raise self._unpublished(table)
            part: list[tuple[bytes, bytes]] = []
            for key, row in self._client.hscan_iter(place, count=1000):
                if key != _LAYOUT:
                    part.append((key, row))
                if len(part) == rows:
                    yield layout, [each for each, _ in part], [each for _, each in part]
                    part = []
            if part:
                yield layout, [each for each, _ in part], [each for _, each in part]

    def facts(self, table: str) -> dict[str, Any] | None:
        """What was written beside the rows, and how many there are; None if the table was never published."""
        with self._talking(table):
            place, told = self._client.hmget(table, "rows", "facts")
            if place is None:
                return None
            stored = int(self._client.hlen(place)) - 1
            size = self._client.memory_usage(place, samples=1000)
        return json.loads(told) | {"stored_rows": stored, "bytes": int(size or 0)}

    def drop(self, table: str) -> None:
        """Remove a table; nothing happens if there is none."""
        with self._talking(table):
            place = self._client.hget(table, "rows")
            self._client.unlink(table, *([place] if place else []))

    def _layout(self, place: bytes) -> Layout | None:
        """How the rows at ``place`` are packed; None if they are gone. It never changes, so it is asked for once."""
        if place not in self._layouts:
            text = self._client.hget(place, _LAYOUT)
            if text is None:
                return None
            if len(self._layouts) > 64:
                self._layouts.clear()
            self._layouts[place] = Layout.read(text.decode())
        return self._layouts[place]

    def _unpublished(self, table: str) -> StoreError:
        return StoreError(
            f"nothing has been published for {table}",
            field=table,
            rule="a serving view is read after it is published",
            fix="run: bluemirror publish",
        )

    @contextmanager
    def _talking(self, table: str) -> Iterator[None]:
        import redis

        try:
            yield
        except redis.RedisError as error:
            raise StoreError(
                f"the Redis server does not answer ({type(error).__name__}); what was published before stays",
                field=table,
                rule="online_store.address in feature_store.yaml names a running server",
                fix="start the server, then publish again: bluemirror publish",
            ) from error
