"""`python -m toolkit` is `weather-tool`."""

from toolkit.entry import main

raise SystemExit(main())
