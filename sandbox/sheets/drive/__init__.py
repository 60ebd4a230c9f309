"""The little of Drive v3 that spreadsheet clients need: files, permissions, exports."""
