"""The file in which a simulator says where it listens."""

from pathlib import Path


def write_address(path: Path, url: str) -> None:
    """Write the address as one line, whole at once: whoever waits for the file never reads half of it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(f"{url}\n", encoding="ascii")
    part.replace(path)
