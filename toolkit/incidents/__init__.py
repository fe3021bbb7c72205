"""Incidents: from what runs find to what people are told and decide."""
