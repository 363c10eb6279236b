"""Named streams of random numbers: one child of the seed for every study, block and kind of draw.

A stream's key is fixed here for ever, so a block that is added later, or left out today, does not
move one number of the others.  Never renumber an entry; add new ones at the end.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from semkit.errors import OptionError, Problem

Kind = Literal["rows", "items", "objective", "cells", "careless", "attention", "money"]

STUDIES: dict[str, int] = {
    "border": 0,
    "marketing_network": 1,
    "export_compliance": 2,
    "digital": 3,
    "governance": 4,
    "border_cases30": 5,
}
"""Studies by stream; both variants of the border study share one, on purpose."""

BLOCKS: dict[str, int] = {
    "groups": 0,
    "latents": 1,
    "damage": 2,
    "screening": 10,
    "profile": 11,
    "quality": 12,
    "marker": 13,
    "export": 14,
    "collaborative_network": 20,
    "government_role": 21,
    "marketing_performance": 22,
    "border_challenges_adaptive": 23,
    "marketing_network_partnership": 24,
    "export_compliance": 25,
    "digital_collaboration": 26,
    "collaborative_governance": 27,
}

KINDS: dict[Kind, int] = {"rows": 0, "items": 1, "objective": 2, "cells": 3, "careless": 4, "attention": 5, "money": 6}


def stream(seed: int, study: str, block: str, kind: Kind = "rows") -> np.random.Generator:
    """Return the generator of one study, block and kind of draw.

    Parameters
    ----------
    seed : int
        Root seed of the file, not negative.
    study : str
        Key of :data:`STUDIES`.
    block : str
        Key of :data:`BLOCKS`.
    kind : {"rows", "items", "objective", "cells", "careless", "attention", "money"}

    Returns
    -------
    numpy.random.Generator
        PCG64 seeded by ``SeedSequence(seed, spawn_key=(study, block, kind))``, the same child that
        ``SeedSequence.spawn`` makes.

    Raises
    ------
    OptionError
        ``planning.bad-seed`` for a negative seed.

    Examples
    --------
    >>> float(stream(1, "border", "groups").random()) == float(stream(1, "border", "groups").random())
    True
    """
    if seed < 0:
        raise OptionError(
            Problem(
                "planning.bad-seed", "seed", f"{seed} is negative", "a whole number from 0 up", "Give another seed."
            )
        )
    key = (STUDIES[study], BLOCKS[block], KINDS[kind])
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))
