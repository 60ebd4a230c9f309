"""Reads a `Procfile`: one `name: command` a line, run without a shell."""

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from widget_backend.local.errors import LocalError

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def read_procfile(path: Path) -> dict[str, str]:
    """Process name → command, in the file's order. Raises LocalError for an unreadable file or line."""
    try:
        text = path.read_text()
    except OSError as err:
        raise LocalError(
            f"{path} cannot be read ({err.strerror})", "Run this from a whole checkout."
        ) from err
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if not found or found.group(1) in commands:
            raise LocalError(f"{path}, line {number}: expected a new `name: command`", "Correct the line.")
        commands[found.group(1)] = found.group(2).strip()
    return commands


def argv_of(command: str, env: Mapping[str, str]) -> list[str]:
    """The command as an argument list: words by shell rules, `$NAME` from `env`, `python` is this Python.

    Raises LocalError for an unset variable.
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        if name not in env:
            raise LocalError(f"`{command}` needs ${name}, which is not set", f"Set {name}.")
        return env[name]

    words = [_VARIABLE.sub(value, word) for word in shlex.split(command)]
    if words[0] in ("python", "python3"):
        words[0] = sys.executable
    return words
