"""OAuth: consent, tokens, widget tokens."""
