"""Templates into HTML: everything is escaped, and what a template names must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from zhongkong.runtime.pages.assets import reader

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN: Final = "zhongkong.runtime.pages"
_LAYOUT: Final = "layout.html.j2"


class Renderer:
    """The templates of the pages, and those of one service's package."""

    def __init__(self, package: str) -> None:
        loaders = [FunctionLoader(reader(each)) for each in (_OWN, package)]
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def part(self, template: str, values: Mapping[str, Any]) -> str:
        """The content alone, without what surrounds it."""
        return self._environment.get_template(template).render(values)

    def page(self, template: str, values: Mapping[str, Any]) -> str:
        """The whole page."""
        # Escaped already: it comes out of a template.
        content = Markup(self.part(template, values))  # noqa: S704
        return self._environment.get_template(_LAYOUT).render(values, content=content)
