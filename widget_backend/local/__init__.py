"""The embedded default: PostgreSQL and Valkey under `APP_HOME`, and the runner of `Procfile`.

Knows nothing of the product: it starts servers and processes and answers with addresses.
"""
