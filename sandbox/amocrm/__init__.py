"""A double of amoCRM's API v4: OAuth, lists, writes, events, webhooks, limits, and doors to steer it."""
