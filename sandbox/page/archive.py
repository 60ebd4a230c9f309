"""A widget.zip as the CRM serves it after an upload; read again when the file changes."""

import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any, cast


class Archive:
    """The uploaded archive of one integration."""

    def __init__(self, path: Path, client_id: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._files: dict[str, bytes] = {}
        # The CRM makes the code up at upload; a widget must not know it beforehand.
        self.code = "w" + hashlib.sha256(client_id.encode()).hexdigest()[:10]

    def files(self) -> dict[str, bytes]:
        """File name → bytes. OSError or zipfile.BadZipFile when the archive cannot be read."""
        with self._lock:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                with zipfile.ZipFile(io.BytesIO(self._path.read_bytes())) as source:
                    self._files = {name: source.read(name) for name in source.namelist()}
                self._stamp = stamp
            return self._files

    def manifest(self) -> dict[str, Any]:
        """The archive's manifest.json. OSError or zipfile.BadZipFile when there is none that can be read."""
        try:
            return cast(dict[str, Any], json.loads(self.files()["manifest.json"]))
        except KeyError:
            raise zipfile.BadZipFile(f"{self._path} has no manifest.json at its root") from None
        except ValueError as err:
            raise zipfile.BadZipFile(f"manifest.json in {self._path} is no JSON: {err}") from err
