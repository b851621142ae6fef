"""Short ways to answer: JSON from a dict or list, a fragment or JSON from a template, one page of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

T = TypeVar("T")


class _Encoder(DjangoJSONEncoder):
    """Dates (ISO 8601), decimals, UUIDs and lazy texts as Django writes them; enums as their values."""

    def default(self, o: Any) -> Any:
        return o.value if isinstance(o, Enum) else super().default(o)


class HttpResponseJson(JsonResponse):
    """A dict or list as JSON; raises TypeError for anything else, ValueError for NaN and infinity."""

    def __init__(self, obj: dict[Any, Any] | list[Any], **kwargs: Any) -> None:
        if not isinstance(obj, dict | list):
            raise TypeError(f"a dict or a list makes a JSON response, not {type(obj).__name__}")
        # NaN is no JSON; it fails here, not in the browser that would have to read it.
        super().__init__(obj, encoder=_Encoder, safe=False, json_dumps_params={"allow_nan": False}, **kwargs)


def render_to_json(
    request: HttpRequest, template_name: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """As ``render``, for a template that writes JSON; never cached."""
    return _never_cached(request, template_name, context, status, "application/json")


def render_to_hxr_response(
    request: HttpRequest, template_name: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """As ``render``, for a fragment of a page that a script asks for; never cached."""
    return _never_cached(request, template_name, context, status, "text/html; charset=utf-8")


def paginate(the_list: Sequence[T] | QuerySet[Any, T], num: int, page: object) -> Page[T]:
    """Page ``page`` (as it stands in a query) of ``num`` objects each.

    What is no page number gives the first page, one past the end the last; ``num`` below 1 counts as 1.
    """
    pages = Paginator(the_list, max(1, num))
    try:
        return pages.page(page)  # type: ignore[arg-type]
    except PageNotAnInteger:
        return pages.page(1)
    except EmptyPage:
        return pages.page(pages.num_pages if int(page) > 0 else 1)  # type: ignore[call-overload]


def _never_cached(
    request: HttpRequest,
    template_name: str,
    context: Mapping[str, Any] | None,
    status: int,
    content_type: str,
) -> HttpResponse:
    response = render(request, template_name, context, content_type=content_type, status=status)
    add_never_cache_headers(response)
    return response
