"""Public data sets that `mercer data get` brings: what each is, whose it is, and the checksum of every file.

A checksum is of the file as mercer keeps it, so it does not matter where the file comes from: a copy that differs in
one byte is refused. Addresses are therefore a convenience; `origin` is where the data were published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mercer.errors import NotFoundError, nearest


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file: its name, the SHA-256 of its bytes, how many they are."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSet:
    """A data set.

    address: folder on the web that holds the files. origin: the page of the publisher. changed: what was done to what
    the publisher gives out. licence and attribution: as they must be told with the data.
    """

    name: str
    title: str
    files: tuple[PublicFile, ...]
    address: str
    origin: str
    changed: str
    licence: str
    attribution: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


_SETS = (
    PublicSet(
        name="online-retail",
        title="Every transaction of a UK gift wholesaler from 2010-12-01 to 2011-12-09, 541,909 rows",
        files=(
            PublicFile(
                "online_retail.parquet",
                "07839a4756076280d03b0a3545da372b70e9f925823c9eb8e5b56ee3e75f3ca6",
                3_180_072,
            ),
        ),
        address="https://raw.githubusercontent.com/mercer-ml/mercer/main/briefs/data/",
        origin="https://archive.ics.uci.edu/dataset/352/online+retail",
        changed="The publisher's spreadsheet was converted to Parquet; no row or value was altered.",
        licence="CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        attribution="Daqing Chen (2015), Online Retail, UCI Machine Learning Repository, doi 10.24432/C5BW33",
    ),
)

PUBLIC_SETS: Mapping[str, PublicSet] = {one.name: one for one in _SETS}


def find_set(name: str) -> PublicSet:
    """The data set called `name`. Raises NotFoundError naming the nearest."""
    if name not in PUBLIC_SETS:
        raise NotFoundError(f"No public data set is called {name!r}.", remedy=f"{nearest(name, PUBLIC_SETS)}")
    return PUBLIC_SETS[name]
