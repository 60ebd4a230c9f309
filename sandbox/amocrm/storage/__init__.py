"""The account at rest: snapshot in, SQLite state, rows and the pieces answers are made of."""
