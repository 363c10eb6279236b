"""Invented but honest answers: population, answers, damage, field export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from semkit.errors import OptionError, Problem, suggest
from semkit.planning import export, measurement, objective, profile
from semkit.planning.damage import EMPTY, RowDamage, answer_carelessly, draw_attention, draw_rows, lose_items
from semkit.planning.draws import IntArray
from semkit.planning.objective import NOT_APPLICABLE, Answers
from semkit.planning.population import VARIANTS, Population, draw_population

if TYPE_CHECKING:
    import pandas as pd

    from semkit.planning.studies.cases import Cases
    from semkit.planning.studies.equations import Study

BLOCKS: tuple[str, ...] = (
    "collaborative_network",
    "government_role",
    "marketing_performance",
    "border_challenges_adaptive",
)
"""Instruments of the border study that can be written, in order of asking."""

CORE = BLOCKS[:3]
MOST = 1_000_000
"""What the committed files hold, and what is written unless other blocks are asked for."""

ASKED_OF_ALL = frozenset({"cn_crs_1", "cn_crs_2", "cn_crs_3"})
"""Items of ``collaborative_network`` that firms without partners answer too."""

OBJECTIVE = {
    "collaborative_network": objective.network,
    "government_role": objective.government,
    "marketing_performance": objective.performance,
}
"""Objective questions; the challenges and strategies have none."""


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
    offsets = measurement.border_offsets() if block == "border_challenges_adaptive" else None
    careful = measurement.draw_items(population, block, offsets=offsets)
    items = lose_items(answer_carelessly(careful, rows, population.seed, block), population.seed, block)
    check, key = measurement.ATTENTION[block]
    items[check] = draw_attention(rows, key, population.seed, block)
    if block == "collaborative_network":
        items = _route(items, population.groups["no_partner"])
    if block not in OBJECTIVE:  # the last block of the full questionnaire: some stop before it
        return {name: np.where(rows.break_off, EMPTY, value).astype(np.int64) for name, value in items.items()}
    return {**items, **objective.lose_money(OBJECTIVE[block](population), population, block)}


def draw_marker(population: Population, rows: RowDamage) -> Answers:
    """Answers to the marker items, each (n,)."""
    careful = measurement.draw_markers(population)
    answered = answer_carelessly(careful, rows, population.seed, "marker")
    return {**lose_items(answered, population.seed, "marker")}


@overload
def simulate_responses(
    study: Literal["border_cases30"], *, n: int | None = None, seed: int | None = None,
    blocks: Sequence[str] | None = None,
) -> Cases: ...
@overload
def simulate_responses(
    study: str = "border", *, n: int | None = None, seed: int | None = None, blocks: Sequence[str] | None = None
) -> Any: ...
def simulate_responses(
    study: str = "border", *, n: int | None = None, seed: int | None = None, blocks: Sequence[str] | None = None
) -> Simulated | Cases:
    """Draw a field export of invented respondents from the stated population of a study.

    Parameters
    ----------
    study : str
        ``border``, ``border_nointeraction`` (no term that multiplies the network by government; all else, draws
        included, is the same), ``marketing_network``, ``export_compliance``, ``digital``, ``governance``, or
        ``border_cases30`` (thirty cases with fuzzy scores by two coders).
    n : int, optional
        Submissions received, before anything is cleaned; the study's own number when left out.
    seed : int, optional
        The study's own seed when left out.
    blocks : sequence of str, optional
        Border studies: instruments to write, the three core ones by default; ``border_challenges_adaptive`` is the
        fourth.  Leaving one out does not change a byte of the others' columns.

    Returns
    -------
    Simulated or Cases

    Raises
    ------
    OptionError
        ``planning.unknown-study``, ``planning.unknown-block``, ``planning.bad-size``, ``planning.bad-seed``.

    Notes
    -----
    Groups, latent variables and damage of rows are drawn first from their own streams; items, objective
    questions and damage of cells have one stream for each block.  The population's equations are in
    :mod:`semkit.planning.population` and :mod:`semkit.planning.studies`, the response process in
    :mod:`semkit.planning.measurement`.

    Examples
    --------
    >>> from semkit import simulate_responses
    >>> simulate_responses(n=10).to_bytes() == simulate_responses(n=10).to_bytes()
    True
    """
    from semkit.planning.studies import STUDIES, simulate_cases
    from semkit.planning.studies.cases import NAME, N

    known = (*VARIANTS, *STUDIES, NAME)
    if study not in known:
        raise OptionError(
            Problem(
                "planning.unknown-study",
                "study",
                f'"{study}" has no generator',
                ", ".join(known),
                suggest(study, known).strip() or "Choose one of these.",
            )
        )
    if n is not None and n > MOST:
        raise OptionError(
            Problem("planning.bad-size", "n", f"{n} respondents", f"at most {MOST}", "Draw several files with seeds.")
        )
    if study in VARIANTS:
        return border_file(study, 660 if n is None else n, 20260100 if seed is None else seed, blocks)
    own = () if study == NAME else (STUDIES[study].instrument,)
    _check_blocks(blocks, own)
    if study == NAME:
        if n not in (None, N):
            raise OptionError(
                Problem("planning.bad-size", "n", f"{n} cases", f"{N}: the paper's profile has this many",
                        "Leave n out.")
            )  # fmt: skip
        return simulate_cases() if seed is None else simulate_cases(seed)
    one = STUDIES[study]
    return _other(one, one.n if n is None else n, one.seed if seed is None else seed)


def _check_blocks(blocks: Sequence[str] | None, known: Sequence[str]) -> None:
    for block in blocks or ():
        if block not in known:
            raise OptionError(
                Problem(
                    "planning.unknown-block",
                    "blocks",
                    f'"{block}" has no generator',
                    ", ".join(known),
                    suggest(block, known).strip() or "Choose among these.",
                )
            )


def border_file(study: str, n: int, seed: int, blocks: Sequence[str] | None = None) -> Simulated:
    """A file of one of the border studies; see :func:`simulate_responses`."""
    chosen = tuple(CORE if blocks is None else blocks)
    _check_blocks(chosen, BLOCKS)
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


def _other(study: Study, n: int, seed: int) -> Simulated:
    """A study with one instrument: the same steps as the border study, by the study's own equations."""
    from semkit.instrument import load_instrument
    from semkit.planning.studies import draw_study, shared

    population = draw_study(study, n, seed)
    rows = draw_rows(n, seed, study.name)
    block = study.instrument
    careful = measurement.draw_items(population, block, study=study.name, offsets=study.offsets)
    items = answer_carelessly(careful, rows, seed, block, study.name)
    items = lose_items(items, seed, block, study.name, study.no_98)
    check, key = measurement.ATTENTION[block]
    items[check] = draw_attention(rows, key, seed, block, study.name)
    items = study.route(population, items)
    facts = shared.lose_money(study.objective(population), population, study.money)
    facts = shared.ask_classes(facts)
    marker = answer_carelessly(measurement.draw_markers(population, study.name), rows, seed, "marker", study.name)
    screening = study.screening(population, rows)
    parts: dict[str, Answers] = {
        "screening": screening,
        "profile": study.profile(population),
        block: {**items, **facts},
        "marker": {**lose_items(marker, seed, "marker", study.name)},
    }
    ended = {group: profile.end_interview(answers, rows, tuple(screening)) for group, answers in parts.items()}
    quality = shared.quality(population, rows, study.seconds)
    form = load_instrument(block)
    multiple = {one.name: [choice.code for choice in one.choices] for one in form.questions if one.answer == "multiple"}
    columns = export.as_exported(ended, quality, rows, seed, EMPTY, study=study.name, multiple=multiple)
    if study.weight is not None:
        columns["weight"] = np.asarray([f"{value:.6f}" for value in study.weight(population)[rows.source]])
    return Simulated(study.name, (block,), population, rows, columns)
