"""JSON or a page? And the one shape of every JSON error: ``{"error": "…", "field"?: "…"}``."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse


def json_error(status: int, error: str, field: str | None = None) -> JsonResponse:
    """One sentence for whoever called; ``field`` names the input that was refused."""
    body = {"error": error} if field is None else {"error": error, "field": field}
    return JsonResponse(body, status=status)


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller reads JSON: by the address it asked, else by what it says that it prefers."""
    if request.path.endswith(".json") or request.path.startswith("/api/"):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
