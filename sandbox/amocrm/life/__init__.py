"""The one write path of an account: rows, events and hooks of a change appear together or not at all."""
