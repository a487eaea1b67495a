"""Reads an object in parts."""

from __future__ import annotations

import obstore
from obstore.exceptions import PreconditionError

from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.storage.objects import TROUBLES, error_of, object_place, store_of
from ffrtmp_ray.storage.origin import Stamp, changed


class ObjectOrigin:
    """An `Origin`. obstore tries what fails again, and goes on where a connection broke."""

    def __init__(self, url: str, expected: Stamp | None = None) -> None:
        self._place = object_place(url, InputRefused, "input")
        self._store = store_of(self._place)
        self._stamp = expected

    async def look(self) -> Stamp:
        """Ask what is there. Raises InputRefused, StorageUnavailable."""
        try:
            meta = await obstore.head_async(self._store, self._place.key)
        except TROUBLES as trouble:
            raise error_of(trouble, self._place, InputRefused, "input") from trouble
        stamp = Stamp(meta["size"], meta["e_tag"] or meta["last_modified"].isoformat())
        if self._stamp is not None and stamp != self._stamp:
            raise changed(str(self._place))
        if not stamp.bytes:
            raise InputRefused(f"{self._place} is empty", where="input", remedy="name another")
        self._stamp = stamp
        return stamp

    async def fetch(self, start: int, end: int) -> bytes:
        """See `Origin`."""
        options: obstore.GetOptions = {"range": (start, end)}
        if self._stamp is not None and self._stamp.version.endswith('"'):
            options["if_match"] = self._stamp.version
        try:
            got = await obstore.get_async(self._store, self._place.key, options=options)
            return bytes(await got.bytes_async())
        except PreconditionError:
            raise changed(str(self._place)) from None
        except TROUBLES as trouble:
            raise error_of(trouble, self._place, InputRefused, "input") from trouble
