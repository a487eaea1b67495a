"""One filter graph of many chains of filters: what they begin with in common is done once. Pure.

Knows no filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count


def shared_graph(source: str, chains: Sequence[Sequence[str]]) -> str:
    """A filter graph from the pad `source` to the pads `[out0]`, `[out1]` …, one for each chain.

    A chain is what happens to one output, filter by filter, at least one. Chains that are equal up
    to some filter share all filters up to it.
    """
    labels = (f"[in{number}]" for number in count())
    return ";".join(_grow(source, dict(enumerate(map(tuple, chains))), labels))


def _grow(pad: str, chains: dict[int, tuple[str, ...]], labels: Iterator[str]) -> Iterator[str]:
    """The parts of a graph from `pad` to the outputs that `chains` has by number."""
    shared = _shared(list(chains.values()))
    done = [number for number, chain in chains.items() if len(chain) == len(shared)]
    branches: dict[str, dict[int, tuple[str, ...]]] = {}
    for number, chain in chains.items():
        if len(chain) > len(shared):
            rest = chain[len(shared) :]
            branches.setdefault(rest[0], {})[number] = rest
    ends = [f"[out{number}]" for number in done] + [next(labels) for _ in branches]
    split = (f"split={len(ends)}",) if len(ends) > 1 else ()
    yield pad + ",".join((*shared, *split)) + "".join(ends)
    for label, branch in zip(ends[len(done) :], branches.values(), strict=True):
        yield from _grow(label, branch, labels)


def _shared(chains: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of them begin with."""
    shared = []
    for filters in zip(*chains, strict=False):
        if len(set(filters)) > 1:
            break
        shared.append(filters[0])
    return tuple(shared)


def escaped(path: str) -> str:
    """For a filter's option, in a graph (ffmpeg-filters, "Notes on filtergraph escaping")."""
    for special in ("\\':", "\\'[],;"):
        path = "".join(f"\\{each}" if each in special else each for each in path)
    return path
