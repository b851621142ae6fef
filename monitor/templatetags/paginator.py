"""``{% paginate page_obj %}``: links to the other pages of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.core.paginator import Page
from django.http import QueryDict
from django.template import Context

register = template.Library()

PARAMETER = "page"
# Pages shown at each side of the current one and at both ends: nine entries at most, one row on a telephone.
BESIDE, ENDS = 1, 1


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page's number and query; no number stands for pages left out."""

    number: int | None
    query: str = ""
    current: bool = False


@register.inclusion_tag("includes/paginator.html", takes_context=True)
def paginate(
    context: Context, obj: Page[Any], parameter: str = PARAMETER, label: str = "Pages", anchor: str = ""
) -> dict[str, Any]:
    """Links for any ``Page``; the other parameters of the query stay. A single page needs none.

    Where a page has two lists, each names its ``parameter`` and its ``label`` for screen readers; ``anchor``
    is the id that a link leads to.
    """
    request = context.get("request")
    query = QueryDict() if request is None else request.GET
    tail = f"#{anchor}" if anchor else ""

    def link(number: int) -> PageLink:
        return PageLink(number, _with_page(query, parameter, number) + tail, number == obj.number)

    pages = obj.paginator
    shown = pages.get_elided_page_range(obj.number, on_each_side=BESIDE, on_ends=ENDS)
    return {
        "label": label,
        "shown": pages.num_pages > 1,
        "links": [link(number) if isinstance(number, int) else PageLink(None) for number in shown],
        "previous": link(obj.previous_page_number()) if obj.has_previous() else None,
        "next": link(obj.next_page_number()) if obj.has_next() else None,
    }


def _with_page(query: QueryDict, parameter: str, number: int) -> str:
    changed = query.copy()
    changed[parameter] = str(number)
    return changed.urlencode()
