"""The HTTP API: observations with flags in the forms of OGC API - EDR, stations, incidents and health as plain JSON."""
