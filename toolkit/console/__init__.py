"""The console: what people look at in a browser, served by the process that serves the HTTP API."""
