"""The receiver: stations push their reports to it by HTTP, and it puts them into the inbox of their source."""
