"""The site of documents: `make docs`. Its pages are where people also read them, in the repository."""

from toolkit import __version__

project = "weather-toolkit"
author = "The weather-toolkit developers"
release = __version__
extensions = ["myst_parser"]
# Pages of the roles are beside the roles.
include_patterns = ["README.md", "CHANGELOG.md", "docs/**.md", "roles/*/README.md"]
root_doc = "docs/index"
html_theme = "furo"
html_title = f"weather-toolkit {release}"
html_copy_source = False
myst_heading_anchors = 3
# Code blocks of a terminal and of our own formats have no colours.
highlight_language = "none"
