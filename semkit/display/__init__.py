"""Late-bound views: how a record is shown, without knowing who draws it.

Records of every room ask here for their rich view; the drawing room (``semkit.report``) lies far
above them and is imported only when somebody looks.  Nothing in this module imports it at load.

Examples
--------
A record of any room::

    def _repr_html_(self) -> str:
        from semkit.display import html
        return html(self)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

__all__ = ["Picture", "diagram", "html", "plot"]


class Picture(Protocol):
    """A drawing: shown by a notebook, saved by its user."""

    @property
    def svg(self) -> str:
        """The drawing as one SVG element with title and description."""
        ...

    def save(self, path: str | Path) -> Path:
        """Write the drawing; the suffix (``.svg`` or ``.png``) chooses the format."""
        ...

    def _repr_svg_(self) -> str: ...


def html(record: Any) -> str:
    """Compact HTML view of a record, every text of a user escaped.

    Parameters
    ----------
    record : Any
        A record of any room (Fit, RegressionResult, Probe, Verdicts, Cleaned, Validation, Instrument, Responses).
        Others are shown as their escaped ``repr``.

    Returns
    -------
    str
        One ``<div class="semkit">`` that brings its own scoped style and needs no script.
    """
    from semkit.report import views

    return views.html(record)


def plot(probe: Any, **options: Any) -> Picture:
    """Simple slopes and Johnson-Neyman region of a probe, over the moderator's distribution.

    Two moderators are drawn as panels, conditional effects along the moderator, a response surface as a contour map.

    Parameters
    ----------
    probe : Probe, TwoModerators, ConditionalEffects or ResponseSurface
    **options
        ``kind``: of a Probe ``"both"`` (default), ``"slopes"`` or ``"johnson_neyman"``, of a ResponseSurface
        ``"contour"`` (default), ``"surface"`` (a mesh seen from above) or ``"both"``; ``labels``, a mapping of
        variable name to printed text; ``focal_label``, ``moderator_label``, ``outcome_label`` for single names;
        ``language`` of the fixed words, ``"en"`` (default) or ``"id"``.

    Returns
    -------
    Picture
    """
    from semkit.report import views

    return views.plot(probe, **options)


def diagram(fit: Any, **options: Any) -> Picture:
    """Path diagram of a fit: latent ellipses, observed boxes, moderation as an arrow onto a path.

    Parameters
    ----------
    fit : Fit
    **options
        ``standardized`` (default True), ``labels`` (mapping of variable name to printed text), ``controls`` (names to
        fold into one node; by default the observed exogenous variables without a product).

    Returns
    -------
    Picture
    """
    from semkit.report import views

    return views.diagram(fit, **options)
