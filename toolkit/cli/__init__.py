"""The command line: what all commands share. The commands are in `toolkit.commands`."""
