"""Where a demo's account comes from: a snapshot directory, or a generator's numbers."""

import argparse
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from widget_backend.errors import ConfigError

DEFAULT = "leads=1000,seed=7"
DEFAULTS = {"leads": 2000, "seed": 7}
_PART = re.compile(r"(leads|seed)=([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What it is recognised by (equal for equal contents), called, and how the simulator is told of it."""

    key: str
    label: str
    arguments: list[str]

    @classmethod
    def generated(cls, spec: str) -> Self:
        """`leads=1000,seed=7`, either of them left out or not. Raises ArgumentTypeError."""
        numbers = dict(DEFAULTS)
        for part in spec.split(","):
            found = _PART.fullmatch(part.strip())
            if found is None:
                raise argparse.ArgumentTypeError(f"{part!r} is none of leads=N, seed=N")
            numbers[found[1]] = int(found[2])
        label = ",".join(f"{name}={number}" for name, number in numbers.items())
        return cls(key=f"generate:{label}", label=label, arguments=["--generate", label])

    @classmethod
    def snapshot(cls, directory: str) -> Self:
        """A directory as docs/sandbox.md describes it. Raises ConfigError when it is none."""
        path = Path(directory)
        if not (path / "account.json").is_file():
            problem = "has no account.json" if path.is_dir() else "is no directory"
            raise ConfigError(
                f"{directory} {problem}.",
                field="--snapshot",
                remedy="docs/sandbox.md says what a snapshot is.",
            )
        digest = hashlib.sha256()
        try:
            for file in sorted(one for one in path.iterdir() if one.is_file()):
                digest.update(file.name.encode() + b"\0")
                with file.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            raise ConfigError(
                f"{error.filename} cannot be read ({error.strerror}).",
                field="--snapshot",
                remedy="Make it readable and start again.",
            ) from error
        return cls(
            key=f"snapshot:{digest.hexdigest()}",
            label=f"snapshot {directory}",
            arguments=["--snapshot", str(path.resolve())],
        )
