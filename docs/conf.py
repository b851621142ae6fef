"""Sphinx: the manual, in Markdown."""

project = "Djamon"
author = "The Djamon maintainers"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Djamon"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
