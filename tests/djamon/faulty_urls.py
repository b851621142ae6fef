"""A view with a fault of ours, between the real pages."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from djamon.urls import urlpatterns as real


def fault(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a fault of ours")


urlpatterns = [path("fault/", fault), *real]
