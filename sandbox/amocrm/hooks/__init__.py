"""Webhooks: subscriptions, bodies, queue and delivery."""
