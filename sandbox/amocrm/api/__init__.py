"""API v4: routes, lists, filters, answers, reads and writes."""
