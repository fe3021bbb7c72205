"""`python -m toolkit` is `weather-tool`."""

from toolkit.cli.entry import main

raise SystemExit(main())
