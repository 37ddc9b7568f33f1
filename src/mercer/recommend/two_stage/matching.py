"""Features of likeness: titles, brand and category path of a candidate against those of the history."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.recommend.two_stage.asked import Asked, Columns, Floats
from mercer.recommend.two_stage.titles import SCALE

_FEW = 5
_PATHS = 3

TITLES = (
    "title_last", "title_most", "title_most_of_all", "title_mean", "title_decayed", "title_decayed_share",
    "title_decayed_place", "through_titles", "through_titles_share", "through_titles_place", "to_titles",
    "to_titles_share", "to_titles_place", "title_follows", "title_follows_share", "title_follows_place",
)  # fmt: skip
_GROUPED = ("last", "few", "decayed", "bought", "bought_share", "sales", "share_of_sales", "follows")
BRAND = (*(f"brand_{name}" for name in _GROUPED), "brand_variety")
CATEGORY = (
    *(f"category_{name}" for name in _GROUPED),
    "category_variety",
    "path_most",
    "path_last",
    "path_mean",
)


def titles(a: Asked) -> Columns:
    """Cosines of the candidate's title with those of the last events, and scores that pass through near titles."""
    if not a.known.titles.vectors.shape[1]:
        return dict.fromkeys(TITLES, a.unknown())
    cosine = _cosines(a)
    few = np.maximum((a.h.recent[:, :_FEW] >= 0).sum(axis=1), 1)[a.pool.row]
    weight = a.recent_weight
    decayed = (cosine * weight[a.pool.row]).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)[a.pool.row]
    follows = _follows(a)
    through, to = a.local.through_titles, a.local.to_titles
    return {
        "title_last": cosine[:, 0],
        "title_most": cosine[:, :_FEW].max(axis=1),
        "title_most_of_all": cosine.max(axis=1),
        "title_mean": cosine[:, :_FEW].sum(axis=1) / few,
        "title_decayed": decayed,
        **a.within_list("title_decayed", decayed),
        "through_titles": through,
        **a.within_list("through_titles", through),
        "to_titles": to,
        **a.within_list("to_titles", to),
        "title_follows": follows,
        **a.within_list("title_follows", follows),
    }


def _cosines(a: Asked) -> Floats:
    """Of each candidate with the last events, shape (m, RECENT); 0 where there is none or no title is known."""
    products = np.zeros((len(a.pool), a.h.recent.shape[1]), np.float32)
    ends = np.cumsum(a.pool.sizes)
    for row, (start, stop) in enumerate(zip(ends - a.pool.sizes, ends, strict=True)):
        held = a.h.recent[row][a.h.recent[row] >= 0]
        if start < stop and len(held):
            products[start:stop, : len(held)] = a.titles[start:stop] @ a.known.vectors[held].T
    return products.astype(np.float64) / SCALE**2


def _follows(a: Asked) -> Floats:
    """How well the candidate's title follows the titles of the last events, shape (m,)."""
    vectors, form = a.known.vectors, a.known.facts.title_follows.astype(np.float64)
    out = np.zeros(len(a.pool))
    ends = np.cumsum(a.pool.sizes)
    for row, (start, stop) in enumerate(zip(ends - a.pool.sizes, ends, strict=True)):
        there = a.h.recent[row] >= 0
        if start < stop and there.any():
            weight = a.recent_weight[row][there]
            history = (weight[:, None] * vectors[a.h.recent[row][there]]).sum(axis=0) / weight.sum()
            out[start:stop] = (a.titles[start:stop] * (history @ form)).sum(axis=1)
    return out / SCALE**2


def brand(a: Asked) -> Columns:
    """Whether, how often and how lately the person bought the candidate's brand, and how it sells."""
    return _of_group(a, "brand", a.known.catalogue.brand, a.known.brand_count, a.spreads.brand)


def category(a: Asked) -> Columns:
    """The same of its category path, and how much of the path it shares with the last items'."""
    found = _of_group(a, "category", a.known.catalogue.leaf, a.known.leaf_count, a.spreads.leaf)
    nodes, recent = a.known.catalogue.nodes, a.h.recent[:, :_PATHS]
    of_recent = np.where((recent >= 0)[:, :, None], nodes[recent], -2)[a.pool.row]
    shared = (nodes[a.pool.item][:, None, :] == of_recent) & (of_recent >= 0)
    levels = shared.sum(axis=2)
    return {
        **found,
        "path_most": levels.max(axis=1),
        "path_last": levels[:, 0],
        "path_mean": levels.mean(axis=1),
    }


def _of_group(a: Asked, name: str, group: npt.NDArray[np.int32], count: Floats, follows: Floats) -> Columns:
    """Features of items' groups: brands or category paths. group: code of each item, -1 unknown."""
    row, item = a.pool.row, a.pool.item
    if group.max(initial=-1) < 0:
        return dict.fromkeys((*(f"{name}_{part}" for part in _GROUPED), f"{name}_variety"), a.unknown())
    code = group[item].astype(np.int64)
    known = code >= 0
    of_recent = np.where(a.h.recent >= 0, group[a.h.recent], -2)
    same = (code[:, None] == of_recent[row]) & known[:, None]
    n_groups = len(count)
    bought = group[a.h.item].astype(np.int64)
    inside = bought >= 0
    held = np.bincount(a.h.row[inside] * n_groups + bought[inside], minlength=a.pool.n * n_groups)
    held = held.reshape(a.pool.n, n_groups)
    length = np.maximum(a.length, 1)
    times = np.where(known, held[row, code], 0)
    sales = np.where(known, count[code], np.nan)
    return {
        f"{name}_last": same[:, 0],
        f"{name}_few": same[:, :_FEW].sum(axis=1),
        f"{name}_decayed": (same * a.recent_weight[row]).sum(axis=1),
        f"{name}_bought": times,
        f"{name}_bought_share": times / length[row],
        f"{name}_sales": sales,
        f"{name}_share_of_sales": a.known.facts.count[item] / np.maximum(sales, 1),
        f"{name}_follows": np.where(known, follows[row, code], 0),
        f"{name}_variety": ((held > 0).sum(axis=1) / length)[row],
    }
