"""A simulator of the Google Sheets API v4 (and the little of Drive and OAuth that clients need around it)."""
