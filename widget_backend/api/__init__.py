"""HTTP: parse, call one function, answer. No rules of the business live here."""
