"""The lab: real systemd hosts on one machine."""
