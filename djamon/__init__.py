"""Djamon: self-hosted monitoring. This package is wiring; its version stands in every message sent."""

__version__ = "0.1.0"
