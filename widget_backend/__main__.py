"""`python -m widget_backend`."""

from widget_backend.cli import main

if __name__ == "__main__":
    main()
