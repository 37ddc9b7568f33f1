"""The engine: the only module that knows Ibis and DuckDB. One definition runs on DuckDB and on Spark.

Everything here is a function from expressions to an expression, but for `Engine`, which holds a connection and
runs them. Where the two engines differ in silence (casts of text, null order, sums that turn into HUGEINT,
epochs that come as floats), the helper writes the difference out; tests compare row hashes on both.

    Engine              open, read, read_csv, tabulate, checkpoint, arrow, sink
    number, whole, rounded, text, flag, parsed, to_utc    guarded casts: null where the text does not say such a value
    first_true, rank_in, window    rules and windows
    first_by, erase, asof, sequences, range_aggregate, md5_bucket, quantiles
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.data.casts import between, number_pattern
from mercer.data.zones import Piece

Expr = Any
"""An Ibis table, column or scalar. Ibis ships no types that a strict checker could read."""

_INFINITE = r"^[+-]?(inf|infinity)$"
_TRUE = ("true", "t", "yes", "y", "1", "1.0")
_FALSE = ("false", "f", "no", "n", "0", "0.0")
_MICROS = 1_000_000
_ROWS_A_GROUP = 131_072
_LONGEST_LINE = 40_000_000


class Engine:
    """A connection that runs expressions, with a folder of its own for what it spills and checkpoints."""

    def __init__(self, backend: Any, folder: Path) -> None:
        self._backend = backend
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where temporary files go."""
        return self._folder

    @classmethod
    @contextmanager
    def scratch(cls, *, memory_mib: int = 2048) -> Iterator[Engine]:
        """DuckDB with a temporary folder that is gone afterwards."""
        with (
            TemporaryDirectory(prefix="mercer-") as folder,
            cls.duckdb(Path(folder), memory_mib=memory_mib) as engine,
        ):
            yield engine

    @classmethod
    @contextmanager
    def duckdb(cls, folder: Path, *, memory_mib: int = 2048, threads: int = 2) -> Iterator[Engine]:
        """DuckDB within `memory_mib`; what does not fit goes to `folder`, which the caller removes."""
        import ibis

        backend = ibis.duckdb.connect(
            str(folder / f"{uuid.uuid4().hex}.duckdb"),
            memory_limit=f"{memory_mib}MiB",
            threads=threads,
            temp_directory=str(folder),
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        # Ibis writes x -> f(x), which DuckDB 2 reads only when told to.
        backend.raw_sql("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        try:
            yield cls(backend, folder)
        finally:
            backend.disconnect()

    @classmethod
    def spark(cls, session: Any, folder: Path) -> Engine:
        """A Spark session; it should run in UTC with `spark.sql.timestampType=TIMESTAMP_NTZ`."""
        import ibis

        return cls(ibis.pyspark.connect(session), folder)

    def read(self, path: Path) -> Expr:
        """A Parquet file, lazily."""
        return self._backend.read_parquet(str(path))

    def read_csv(self, path: Path, n_columns: int, delimiter: str) -> Expr:
        """A CSV file in UTF-8 with a header and `n_columns` columns, all text, under the names c0, c1, ...

        The engine guesses nothing: a row with more or fewer values is a fault that names its line.
        """
        columns = {f"c{place}": "VARCHAR" for place in range(n_columns)}
        if self._backend.name != "duckdb":
            declared = ", ".join(f"{name} STRING" for name in columns)
            return self._backend.read_csv(
                str(path), schema=declared, inferSchema=False, header=True, sep=delimiter, quote='"', escape='"',
                multiLine=True, mode="FAILFAST", enforceSchema=True, emptyValue=None,
            )  # fmt: skip
        return self._backend.read_csv(
            str(path), columns=columns, auto_detect=False, header=True, delim=delimiter, quote='"', escape='"',
            nullstr="", max_line_size=_LONGEST_LINE,
        )  # fmt: skip

    def tabulate(self, table: pa.Table) -> Expr:
        """An Arrow table as an expression; it goes through a file, which every engine can read."""
        place = self._folder / f"{uuid.uuid4().hex}.parquet"
        pq.write_table(table, place)
        return self.read(place)

    def checkpoint(self, expr: Expr) -> Expr:
        """The rows of `expr`, computed once and kept, so that later expressions do not start from the source."""
        if self._backend.name == "duckdb":
            return self._backend.create_table(f"m{uuid.uuid4().hex}", expr)
        place = self._folder / uuid.uuid4().hex
        self._backend.to_parquet(expr, str(place), mode="overwrite")
        return self._backend.read_parquet(str(place))

    def drop(self, checkpoint: Expr) -> None:
        """Free a checkpoint that nothing will read any more."""
        if self._backend.name == "duckdb":
            self._backend.drop_table(checkpoint.get_name(), force=True)

    def arrow(self, expr: Expr) -> pa.Table:
        """All rows in memory, with the types that the expression declares (DuckDB's HUGEINT sums become int64)."""
        return self._backend.to_pyarrow(expr).cast(_declared(expr))

    def batches(self, expr: Expr) -> Iterator[pa.RecordBatch]:
        """The rows in pieces, with the types that the expression declares."""
        declared = _declared(expr)
        for batch in self._reader(expr):
            yield from pa.Table.from_batches([batch]).cast(declared).to_batches()

    def _reader(self, expr: Expr) -> Iterator[pa.RecordBatch]:
        if self._backend.name != "duckdb":
            return iter(self._backend.to_pyarrow_batches(expr, chunk_size=_ROWS_A_GROUP))
        # Ibis 12 asks DuckDB for fetch_record_batch, which DuckDB 2 no longer has.
        return iter(self._backend.con.sql(self._backend.compile(expr)).to_arrow_reader(_ROWS_A_GROUP))

    def sink(self, expr: Expr, path: Path, shape: Callable[[pa.Table], pa.Table]) -> int:
        """Write the rows, in their order, as one Parquet file with `shape` applied piece by piece.

        A temporary sibling is renamed when whole. Returns the number of rows.
        """
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        empty = shape(_declared(expr).empty_table())
        rows = 0
        try:
            with pq.ParquetWriter(partial, empty.schema, compression="zstd") as writer:
                for batch in self.batches(expr):
                    piece = shape(pa.Table.from_batches([batch])).cast(empty.schema)
                    writer.write_table(piece)
                    rows += piece.num_rows
            with partial.open("rb+") as written:
                os.fsync(written.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return rows


def faults() -> tuple[type[Exception], ...]:
    """What reading a damaged file may raise."""
    import duckdb

    return (duckdb.Error, pa.ArrowException, OSError)


def csv_fault(fault: BaseException) -> str:
    """What a fault of `read_csv` says, without the line's content: that may be personal."""
    said = str(fault)
    line = re.search(r"Error on Line: (\d+)", said)
    where = f", line {line.group(1)}" if line else ""
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    if counts:
        return f"{where}: {counts.group(2)} values where the header has {counts.group(1)}"
    for sign, meaning in (
        ("unterminated quote", "a quote is never closed"),
        ("unicode", "it is not written in UTF-8"),
        ("Maximum line size", f"a line is longer than {_LONGEST_LINE:,} bytes"),
    ):
        if sign in said:
            return f"{where}: {meaning}"
    return where


def _declared(expr: Expr) -> pa.Schema:
    return expr.as_table().schema().to_pyarrow()


# Types


def kind_of(column: Expr) -> str:
    """text, number, whole, flag, moment (no zone), instant (with a zone), date, list, or other."""
    found = column.type()
    if found.is_timestamp():
        return "moment" if found.timezone is None else "instant"
    for name in ("string", "integer", "boolean", "date", "array"):
        if getattr(found, f"is_{name}")():
            return {"string": "text", "integer": "whole", "boolean": "flag", "array": "list"}.get(name, name)
    return "number" if found.is_floating() or found.is_decimal() else "other"


def nothing(kind: str) -> Expr:
    """A null of an Ibis type such as `string` or `int64`."""
    import ibis

    return ibis.null(kind)


def value(content: Any, kind: str | None = None) -> Expr:
    """A constant."""
    import ibis

    return ibis.literal(content, kind)


# Guarded casts: raw try_cast differs between engines ('1e3', '3.7', '1_000', '1.5f'), a pattern first does not


def trimmed(column: Expr) -> Expr:
    """Text without white space at its ends; null where nothing is left."""
    return column.re_replace(r"^\s+|\s+$", "").nullif("")


def number(column: Expr, decimal: str = ".", thousands: str | None = None) -> Expr:
    """float64, null where the text says no number; what it reads is what casts.to_number reads."""
    kind = kind_of(column)
    if kind in ("number", "whole", "flag"):
        plain = column.cast("float64")
        return plain.isnan().ifelse(nothing("float64"), plain) if kind == "number" else plain
    if kind != "text":
        return nothing("float64")
    said = trimmed(column)
    infinite = _is_infinite(said)
    sign = said.startswith("-").ifelse(value(float("-inf")), value(float("inf")))
    fits = said.re_search(f"^(?:{number_pattern(decimal, thousands)})$")
    for mark in between(decimal, thousands):
        said = said.replace(mark, "")
    plain = fits.ifelse(said.replace(decimal, "."), nothing("string")).try_cast("float64")
    return infinite.ifelse(sign, plain)


def _is_infinite(said: Expr) -> Expr:
    return said.lower().re_search(_INFINITE)


def whole(column: Expr) -> Expr:
    """int64 where the value is a whole number within ±9e15, else null."""
    if kind_of(column) == "whole":
        return column.cast("int64")
    read = number(column)
    fits = (read.abs() <= 9e15).fill_null(False)
    safe = fits.ifelse(read, nothing("float64"))
    return (safe == safe.floor()).ifelse(safe, nothing("float64")).cast("int64")


def rounded(amount: Expr) -> Expr:
    """int64 nearest to a finite float64, halves away from zero; null beyond ±9e15."""
    fits = (amount.abs() <= 9e15).fill_null(False)
    safe = fits.ifelse(amount, nothing("float64"))
    near = (safe >= 0).ifelse((safe + 0.5).floor(), (safe - 0.5).ceil())
    # Ibis takes a floor for an integer and drops a cast to one; the way through float64 is a real cast.
    return near.cast("float64").cast("int64")


def text(column: Expr, *, integral: bool = False) -> Expr:
    """A string. integral: codes that some program turned into floats ("17850.0") lose their ".0"."""
    kind = kind_of(column)
    if kind == "text":
        said = trimmed(column)
        # No group in the replacement: DuckDB writes it \1, Spark $1.
        coded = said.re_search(r"^[+-]?[0-9]+\.0+$")
        return coded.ifelse(said.re_replace(r"\.0+$", ""), said) if integral else said
    if kind == "number":
        return whole(column).cast("string")
    return column.cast("string")


def flag(column: Expr) -> Expr:
    """boolean from true/false, yes/no, t/f, y/n, 1/0."""
    if kind_of(column) == "flag":
        return column
    said = text(column, integral=True).lower()
    return said.isin(_TRUE).ifelse(value(True), said.isin(_FALSE).ifelse(value(False), nothing("boolean")))


def parsed(said: Expr) -> Expr:
    """int64 microseconds of ISO text without zone, read as UTC; null where it is no such time."""
    iso = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$"
    guarded = said.re_search(iso).ifelse(said, nothing("string"))
    moment = guarded.substr(0, 19).replace("T", " ").try_cast("timestamp")
    # Ibis can't ask Spark for a timestamp's microseconds: they are read from the text.
    fraction = guarded.substr(20, 6).concat("000000").substr(0, 6).try_cast("int64")
    return moment.epoch_seconds().cast("float64").cast("int64") * _MICROS + fraction


def to_utc(local: Expr, pieces: Sequence[Piece]) -> Expr:
    """Local microseconds to UTC microseconds by the pieces of a zone (zones.py)."""
    offset = value(pieces[0].offset, "int64")
    for piece in pieces[1:]:
        offset = (local >= piece.start).ifelse(value(piece.offset, "int64"), offset)
    return local - offset


# Rules and windows


def first_true(conditions: Iterable[tuple[str, Expr]]) -> Expr:
    """The name of the first condition that is true, null where none is; a null condition is not true."""
    import ibis

    branches = [(condition.fill_null(False), value(name)) for name, condition in conditions]
    return ibis.cases(*branches, else_=nothing("string")) if branches else nothing("string")


def window(keys: Sequence[Any], order: Sequence[Any], **bounds: Any) -> Expr:
    """A window with its order written out, nulls first."""
    import ibis

    return ibis.window(
        group_by=list(keys),
        order_by=[key if not isinstance(key, str) else ibis._[key] for key in order],
        **bounds,
    )


def rank_in(keys: Sequence[Any], order: Sequence[Any]) -> Expr:
    """0, 1, 2, ... within each key."""
    import ibis

    return ibis.row_number().over(window(keys, order))


def first_by(table: Expr, keys: Sequence[str], order: Sequence[Any]) -> Expr:
    """One row a key: the first in `order`, which must leave no ties."""
    ranked = table.mutate(_place=rank_in(keys, order))
    return ranked.filter(ranked["_place"] == 0).drop("_place")


def joined(parts: Sequence[Expr], mark: str = "\x1f") -> Expr:
    """One text of many columns, none of them a float; a null is told apart from an empty text."""
    import ibis

    texts = [part.cast("string").fill_null("\x1e") for part in parts]
    return ibis.literal(mark).join(texts)


def digest(content: Expr) -> Expr:
    """32 hexadecimal digits of MD5: a name for content, not a secret."""
    return content.hexdigest("md5")


def md5_bucket(content: Expr, buckets: int) -> Expr:
    """A number in [0, buckets) that depends on the text alone, the same on every engine and machine.

    buckets: up to ten million.
    """
    head = digest(content).substr(0, 8).lower()
    total = value(0, "int64")
    for at in range(8):
        digit = value("0123456789abcdef").find(head.substr(at, 1)).cast("int64")
        # The remainder is taken at each step: Spark counts in 32 bits here.
        total = (total * 16 + digit) % buckets
    return total


def erase(table: Expr, people: Expr, column: str) -> Expr:
    """The rows whose `column` is not among the values of `people`, a table with that one column."""
    return table.anti_join(people, column)


def asof(labels: Expr, features: Expr, *, key: str, time: str) -> Expr:
    """Each label with the newest feature row of its key at or before its time.

    (key, time) must be unique in `features`. Written as a window over the union of both, because an as-of join
    is not portable. Feature columns other than key and time are null where there is none.
    """
    import ibis

    rest = [name for name in labels.columns if name not in (key, time)]
    added = [name for name in features.columns if name not in (key, time)]
    left = labels.mutate(_side=value(1, "int8"), _at=nothing("int64"))
    right = features.select(
        **{key: features[key], time: features[time]},
        **{name: nothing(str(labels[name].type())) for name in rest},
        _side=value(0, "int8"),
        _at=features[time],
    )
    both = ibis.union(left, right.select(*left.columns))
    newest = both["_at"].max().over(window([key], [time, "_side"], preceding=None, following=0))
    stamped = both.mutate(_newest=newest)
    stamped = stamped.filter(stamped["_side"] == 1)
    wanted = features.select(_key=features[key], _newest=features[time], **{n: features[n] for n in added})
    found = stamped.left_join(
        wanted, [stamped[key] == wanted["_key"], stamped["_newest"] == wanted["_newest"]]
    )
    return found.select(*labels.columns, *added)


def sequences(events: Expr, *, user: str, order: Sequence[str], columns: Sequence[str]) -> Expr:
    """One row a user with lists of `columns` in `order`, whose keys are unique within a user and never null."""
    import ibis

    packed = events.mutate(_packed=ibis.struct({name: events[name] for name in (*order, *columns)}))
    lists = packed.group_by(user).aggregate(_packed=packed["_packed"].collect())
    lists = lists.mutate(_packed=lists["_packed"].sort())

    def field(name: str) -> Callable[[Expr], Expr]:
        return lambda element: element[name]

    return lists.select(user, **{name: lists["_packed"].map(field(name)) for name in columns})


def range_aggregate(
    table: Expr, *, key: str, time: str, reach: tuple[int, int], aggregates: Mapping[str, Expr]
) -> Expr:
    """Aggregates over the rows of the same key whose integer `time` lies in [t - reach[0], t - reach[1]]."""
    import ibis

    span = ibis.range_window(preceding=reach, group_by=key, order_by=time)
    return table.mutate(**{name: aggregate.over(span) for name, aggregate in aggregates.items()})


def quantiles(table: Expr, column: str, at: Sequence[float]) -> Expr:
    """One row with the values at ranks ceil(q * n), at least 1: observed values, the same on every engine."""
    import ibis

    known = table.filter(table[column].notnull()).select(column)
    ranked = known.mutate(_place=rank_in([], [column]) + 1, _n=known.count().as_scalar())
    picked = {
        f"q{round(100 * q):02d}": ibis._[column].max(
            where=ibis._["_place"]
            <= (ibis._["_n"].cast("float64") * q).ceil().cast("float64").cast("int64").clip(lower=1)
        )
        for q in at
    }
    return ranked.aggregate(**picked)
