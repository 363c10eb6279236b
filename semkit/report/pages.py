"""Templates: HTML by jinja2 with every value escaped, from files inside the package."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from semkit.writing import escape

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    """The one template environment: files of this package, missing names are errors, all values escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def safe(value: Any) -> Any:
        # writing.escape also drops control and direction-override characters, which jinja2 would pass.
        return value if isinstance(value, Markup) else Markup(escape(value))

    environment = Environment(
        loader=PackageLoader("semkit.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=safe,
    )
    environment.globals["markup"] = Markup
    return environment


def render(template: str, **values: Any) -> str:
    """Fill ``template``; strings are escaped, only the package's own markup (``markup(...)``) passes as it is."""
    return _environment().get_template(template).render(**values)
