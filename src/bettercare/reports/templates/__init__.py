"""The templates of the page and of every chart; text from a plan is escaped wherever it is set."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """Templates with escaping on and unknown names refused."""
    return Environment(
        loader=PackageLoader("bettercare.reports"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
