"""`python -m toolkit` is `weather-tool`."""

from toolkit.cli import main

raise SystemExit(main())
