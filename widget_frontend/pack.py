"""Packs this folder into the widget.zip that amoCRM takes: the same bytes for the same tree and address."""

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from widget_frontend import lint as _lint

SOURCE = Path(__file__).resolve().parent
PARTS = (
    "manifest.json",
    "script.js",
    "style.css",
    "app/**/*.js",
    "i18n/*.json",
    "images/*.png",
    "templates/*.twig",
)
_PLACE = "backend_url: ''"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip's first moment: a build's own time would change the bytes
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class PackError(ValueError):
    """The archive cannot be made or would be refused; the text names each reason."""


def build(
    target: Path,
    *,
    backend_url: str,
    version: str | None = None,
    support_link: str | None = None,
    support_email: str | None = None,
) -> Path:
    """Write widget.zip for one backend and return its path.

    `target` is the archive's path, or a folder that gets a `widget.zip`. `backend_url` is where browsers
    reach the backend at, without a path; `version` (x.y.z) replaces the manifest's and should grow with every
    upload, since amoCRM caches by it. Raises PackError when an argument is unusable or the linter objects.
    """
    backend_url = _checked_address(backend_url)
    files = {name: path.read_bytes() for name, path in _sources().items()}
    files["app/config.js"] = _with_address(files["app/config.js"], backend_url)
    files["manifest.json"] = _manifest(
        files["manifest.json"], version, backend_url, support_link, support_email
    )
    archive = target if target.suffix == ".zip" else target / "widget.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_suffix(".part")
    _write(draft, files)
    problems = _lint.lint(draft, local=urlsplit(backend_url).hostname in _LOOPBACK)
    if problems:
        draft.unlink()
        raise PackError("widget.zip was not written: " + "; ".join(problems))
    return draft.replace(archive)


def _sources() -> dict[str, Path]:
    found = (path for part in PARTS for path in SOURCE.glob(part))
    return {path.relative_to(SOURCE).as_posix(): path for path in found}


def _checked_address(backend_url: str) -> str:
    address = backend_url.rstrip("/")
    parts = urlsplit(address)
    plain = re.fullmatch(r"[A-Za-z0-9.:/\[\]-]+", address)
    if (
        not plain
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path
        or parts.username
    ):
        raise PackError(
            f"backend_url must be like https://reports.example.com, without a path: {backend_url!r}"
        )
    return address


def _with_address(config: bytes, backend_url: str) -> bytes:
    text = config.decode()
    if text.count(_PLACE) != 1:
        raise PackError(f"app/config.js must hold {_PLACE!r} exactly once")
    return text.replace(_PLACE, f"backend_url: '{backend_url}'").encode()


def _manifest(
    source: bytes, version: str | None, backend_url: str, support_link: str | None, support_email: str | None
) -> bytes:
    manifest = json.loads(source)
    widget = manifest["widget"]
    widget["version"] = version or widget["version"]
    widget["support"] = {"link": support_link or backend_url}
    if support_email:
        widget["support"]["email"] = support_email
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _write(archive: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            # Stored, not deflated: compressed bytes differ between zlib builds.
            entry.compress_type = zipfile.ZIP_STORED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, files[name])
