"""Invented but honest answers to the border study: population, answers, damage, field export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import OptionError, Problem, suggest
from semkit.planning import export, measurement, objective, profile
from semkit.planning.damage import EMPTY, RowDamage, answer_carelessly, draw_attention, draw_rows, lose_items
from semkit.planning.draws import IntArray
from semkit.planning.objective import NOT_APPLICABLE, Answers
from semkit.planning.population import Population, draw_population

if TYPE_CHECKING:
    import pandas as pd

BLOCKS: tuple[str, ...] = ("collaborative_network", "government_role", "marketing_performance")
"""Instruments that can be written, in order of asking."""

ASKED_OF_ALL = frozenset({"cn_crs_1", "cn_crs_2", "cn_crs_3"})
"""Items of ``collaborative_network`` that firms without partners answer too."""

OBJECTIVE = {
    "collaborative_network": objective.network,
    "government_role": objective.government,
    "marketing_performance": objective.performance,
}


@dataclass(frozen=True, eq=False)
class Simulated:
    """A file of invented answers and the truth behind it.

    Parameters
    ----------
    study : str
    blocks : tuple of str
        Instruments that are written.
    population : Population
    rows : RowDamage
    columns : dict of str to ndarray of str (n,)
        The export, by header, as text.

    Examples
    --------
    >>> from semkit import simulate_responses
    >>> invented = simulate_responses("border", n=20, seed=1)
    >>> list(invented.columns)[:3], invented.frame.shape[0]
    (['synthetic', 'start', 'end'], 20)
    """

    study: str
    blocks: tuple[str, ...]
    population: Population
    rows: RowDamage
    columns: export.Columns

    @property
    def frame(self) -> pd.DataFrame:
        """The export as a table of text, one row a submission."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def __repr__(self) -> str:
        return (
            f'<Simulated "{self.study}": {self.population.n} invented submissions, seed {self.population.seed}, '
            f"{len(self.columns)} columns, {', '.join(self.blocks)}>"
        )

    def to_bytes(self) -> bytes:
        """The export file: semicolons, every cell quoted, UTF-8, CRLF."""
        return export.to_bytes(self.columns)

    def sidecar(self, *, draws: int = 1_000_000) -> str:
        """JSON text that goes beside the file: generator, seed, size, planted values, damage by ``_id``."""
        from semkit.planning.sidecar import text

        return text(self, draws=draws)

    def write(self, folder: str | Path, *, draws: int = 1_000_000) -> tuple[Path, Path]:
        """Write ``<study>_synthetic.csv`` and its ``.json`` into ``folder`` and return both paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        data, side = (folder / f"{self.study}_synthetic.{kind}" for kind in ("csv", "json"))
        data.write_bytes(self.to_bytes())
        side.write_bytes(self.sidecar(draws=draws).encode())
        return data, side


def _route(answers: dict[str, IntArray], absent: IntArray) -> dict[str, IntArray]:
    """Write 97 where a firm without partners is not asked."""
    return {
        name: value if name in ASKED_OF_ALL else np.where(absent == 1, NOT_APPLICABLE, value)
        for name, value in answers.items()
    }


def draw_block(population: Population, rows: RowDamage, block: str) -> Answers:
    """All answers to one instrument, items, attention check and objective questions, each (n,).

    Order of what happens: careful answers, careless answers, lost cells, routing.
    """
    careful = measurement.draw_items(population, block)
    items = lose_items(answer_carelessly(careful, rows, population.seed, block), population.seed, block)
    check, key = measurement.ATTENTION[block]
    items[check] = draw_attention(rows, key, population.seed, block)
    if block == "collaborative_network":
        items = _route(items, population.groups["no_partner"])
    return {**items, **objective.lose_money(OBJECTIVE[block](population), population, block)}


def draw_marker(population: Population, rows: RowDamage) -> Answers:
    """Answers to the marker items, each (n,)."""
    careful = measurement.draw_markers(population)
    answered = answer_carelessly(careful, rows, population.seed, "marker")
    return {**lose_items(answered, population.seed, "marker")}


def simulate_responses(
    study: str = "border", *, n: int = 660, seed: int = 20260100, blocks: Sequence[str] | None = None
) -> Simulated:
    """Draw a field export of invented firms from the stated population of the border study.

    Parameters
    ----------
    study : {"border", "border_nointeraction"}
        The second has no term that multiplies the network by government; all else, draws included, is the same.
    n : int, default 660
        Submissions received, before anything is cleaned.
    seed : int, default 20260100
    blocks : sequence of str, optional
        Instruments to write, all three by default.  Leaving one out does not change a byte of the others' columns.

    Returns
    -------
    Simulated

    Raises
    ------
    OptionError
        ``planning.unknown-study``, ``planning.unknown-block``, ``planning.bad-size``, ``planning.bad-seed``.

    Notes
    -----
    Groups, latent variables and damage of rows are drawn first from their own streams; items, objective
    questions and damage of cells have one stream for each block.  The population's equations are in
    :mod:`semkit.planning.population`, the response process in :mod:`semkit.planning.measurement`.

    Examples
    --------
    >>> from semkit import simulate_responses
    >>> simulate_responses(n=10).to_bytes() == simulate_responses(n=10).to_bytes()
    True
    """
    chosen = tuple(BLOCKS if blocks is None else blocks)
    for block in chosen:
        if block not in BLOCKS:
            raise OptionError(
                Problem(
                    "planning.unknown-block",
                    "blocks",
                    f'"{block}" has no generator',
                    ", ".join(BLOCKS),
                    suggest(block, BLOCKS).strip() or "Choose among these.",
                )
            )
    population = draw_population(n, seed, study)
    rows = draw_rows(n, seed)
    screening = profile.draw_screening(population, rows)
    parts: dict[str, Answers] = {"screening": screening, "profile": profile.draw_profile(population)}
    parts |= {block: draw_block(population, rows, block) for block in BLOCKS if block in chosen}
    parts["marker"] = draw_marker(population, rows)
    order = tuple(screening)
    ended = {group: profile.end_interview(answers, rows, order) for group, answers in parts.items()}
    quality = profile.draw_quality(population, rows)
    return Simulated(study, chosen, population, rows, export.as_exported(ended, quality, rows, seed, EMPTY))
