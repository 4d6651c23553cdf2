"""Webhooks: events and messages as signed JSON to any receiver."""
