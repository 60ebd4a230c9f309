"""What the set-up scripts share: progress lines, running a command into a log, explaining its failure."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BEGAN = time.monotonic()
_EVERY_S = 3.0
_NETWORK = re.compile(
    r"NewConnectionError|Failed to establish|name resolution|Name or service not known|ConnectTimeout"
    r"|ProxyError|Network is unreachable|ReadTimeout|Connection (refused|reset|aborted)|ConnectionError"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH"
)
_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED|unable to get local issuer")
_DISK = re.compile(r"No space left|ENOSPC|Disk quota")
# Without a network pip's own defaults take minutes to give up; a machine's own settings win.
_PIP = {
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_RETRIES": "2",
    "PIP_DEFAULT_TIMEOUT": "30",
}


class SetupError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command ended and what it wrote."""

    code: int
    text: str

    @property
    def last_line(self) -> str:
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower() and "complete log" not in line]
        return (errors or lines or ["it said nothing"])[-1]

    def explain(self, what: str, log: Path) -> str:
        """One line: the problem and its remedy."""
        if _DISK.search(self.text):
            return f"The disk is full. Free about 700 MB and start again (log: {log})."
        if _CERTIFICATE.search(self.text):
            return f"{what} does not trust its registry's certificate. Correct its settings (log: {log})."
        if _NETWORK.search(self.text):
            return (
                f"{what} cannot reach its package registry. The first start needs the network: check the"
                f" connection or {what}'s proxy and registry settings, then start again (log: {log})."
            )
        return f"{what} failed: {self.last_line} (log: {log})"


def say(text: str) -> None:
    """One progress line with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGAN:4.0f} s] {text}", file=sys.stderr, flush=True)


def run_logged(
    command: list[str],
    log: Path,
    progress: Callable[[str], str | None] | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Output:
    """Runs a command, its output into the log; shows what `progress` makes of a line, not too often."""
    lines: list[str] = []
    shown_at = time.monotonic()
    with (
        log.open("a") as file,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**_PIP, **os.environ, **(env or {})},
            cwd=cwd,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                lines.append(line)
                file.write(line)
                text = progress(line) if progress else None
                if text and time.monotonic() - shown_at > _EVERY_S:
                    say(text)
                    shown_at = time.monotonic()
        except BaseException:
            process.terminate()
            raise
    return Output(code=process.returncode, text="".join(lines))


def checksum(path: Path) -> str:
    """What POSIX `cksum` prints for the file, so that the shell can compare without starting Python."""
    with path.open("rb") as file:
        return subprocess.run(
            ["cksum"], stdin=file, capture_output=True, text=True, check=True
        ).stdout.strip()


def listing(folder: Path) -> str:
    """What POSIX `LC_ALL=C ls FOLDER | cksum` prints; of nothing, where there is no such folder."""
    names = sorted(os.fsencode(one.name) for one in folder.iterdir()) if folder.is_dir() else []
    lines = b"".join(name + b"\n" for name in names if not name.startswith(b"."))
    return subprocess.run(["cksum"], input=lines, capture_output=True, check=True).stdout.decode().strip()
