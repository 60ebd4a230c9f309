"""Checks a widget.zip as an upload and a moderator would: manifest, texts, pictures, scripts, styles."""

import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

Files = dict[str, bytes]
LOGOS = {
    "logo_main.png": (400, 272),
    "logo.png": (130, 100),
    "logo_small.png": (108, 108),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
}
DP_LOGO = {"logo_dp.png": (174, 109)}
MAX_IMAGE_BYTES = 300 * 1024
MAX_ARCHIVE_BYTES = 1024 * 1024
HOST_MODULES = {
    "jquery",
    "underscore",
    "backbone",
    "moment",
    "chartjs",
    "twigjs",
    "lib/components/base/modal",
}
ROOTS = (".salesrep-root", ".salesrep-caption")
DARK = 'html[data-color-scheme="dark"] '
LENGTHS = {"widget.name": 30, "widget.short_description": 50, "widget.description": 400}
WORD_LENGTH = 19
TEXTS = (".js", ".json", ".css", ".twig")
KNOWN = re.compile(
    r"manifest\.json|script\.js|style\.css|i18n/[a-z]{2}\.json|images/[\w-]+\.(png|jpg|svg)"
    r"|app/([\w-]+/)*[\w-]+\.js|templates/[\w-]+\.twig"
)
AREA = re.compile(r"([a-z_]+?)(-[01])?$")
BANNED = {
    r"\bconsole\s*\.": "console.*",
    r"\beval\s*\(": "eval",
    r"\bnew\s+Function\b": "new Function",
    r"\basync\s*:\s*false": "a synchronous request",
    r"document\.write": "document.write",
    r"createElement\(\s*['\"]script|<script": "script injection",
    r"\b(APP|AMOCRM)(\.\w+)+\s*=(?!=)": "a write to APP",
    r"\bwindow\.\w+\s*=(?!=)": "a global",
    r"\.innerHTML\b": "innerHTML",
    r"\bdebugger\b|\balert\s*\(": "a debugging leftover",
}
LOCAL = {r"\bhttp://": "an http:// address", r"\blocalhost\b|127\.0\.0\.1": "a local address"}


def lint(archive: Path, *, local: bool = False) -> list[str]:
    """Answer what is wrong with the archive, one sentence each; an empty list means nothing.

    `local` allows http and loopback addresses in app/config.js: for a sandbox on this machine only.
    """
    with zipfile.ZipFile(archive) as source:
        files = {entry.filename: source.read(entry) for entry in source.infolist()}
    problems = list(_layout(files))
    if archive.stat().st_size > MAX_ARCHIVE_BYTES:
        problems.append(f"the archive is over {MAX_ARCHIVE_BYTES} bytes")
    try:
        manifest = json.loads(files["manifest.json"])
        texts = {name: json.loads(body) for name, body in files.items() if name.startswith("i18n/")}
    except (KeyError, UnicodeDecodeError, json.JSONDecodeError) as error:
        return [*problems, f"manifest.json and i18n/*.json must be there and be JSON ({error})"]
    checks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _manifest(manifest),
        lambda: _locales(manifest, texts),
        lambda: _images(manifest, files),
        lambda: _scripts(files, local),
        lambda: _styles(files.get("style.css", b"").decode()),
    )
    return problems + [problem for check in checks for problem in check()]


def _layout(files: Files) -> Iterator[str]:
    for name, body in files.items():
        if not KNOWN.fullmatch(name):
            yield f"{name} does not belong into the archive"
        if name.endswith(TEXTS):
            if body.startswith(b"\xef\xbb\xbf"):
                yield f"{name} starts with a byte order mark"
            if b"\r" in body:
                yield f"{name} has CR line ends"
    for name in ("manifest.json", "script.js"):
        if name not in files:
            yield f"{name} is missing at the root of the archive"


def _manifest(manifest: dict[str, Any]) -> Iterator[str]:
    widget = manifest.get("widget", {})
    for key in ("name", "description", "short_description", "version", "locale", "installation"):
        if key not in widget:
            yield f"manifest: widget.{key} is missing"
    if widget.get("interface_version") != 2:
        yield "manifest: widget.interface_version must be 2"
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(widget.get("version"))):
        yield "manifest: widget.version must be x.y.z"
    for key in ("code", "secret_key"):
        if key in widget:
            yield f"manifest: widget.{key} belongs to old widgets only"
    yield from _locations(manifest)
    for name, field in manifest.get("settings", {}).items():
        if (
            field.get("type") not in ("text", "pass", "users", "users_lp", "custom")
            or "required" not in field
        ):
            yield f"manifest: settings.{name} needs a known type and `required`"


def _locations(manifest: dict[str, Any]) -> Iterator[str]:
    locations = manifest.get("locations") or []
    if not locations:
        yield "manifest: locations are missing"
    areas = [match[1] for match in map(AREA.match, locations) if match]
    for area in {area for area in areas if areas.count(area) > 1}:
        yield f"manifest: {area} is listed twice"
    pairs = {"left_menu": "widget_page", "advanced": "advanced_settings", "dp": "digital_pipeline"}
    for block, location in pairs.items():
        if (block in manifest) != (location in locations):
            yield f"manifest: block {block} and location {location} go together"


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, dict):
        yield path, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{path}.{key}" if path else key)


def _paths(manifest: dict[str, Any]) -> list[str]:
    widget = manifest.get("widget", {})
    paths = [str(widget.get(key)) for key in ("name", "description", "short_description")]
    paths += [field.get("name", "") for field in manifest.get("settings", {}).values()]
    if "advanced" in manifest:
        paths.append(manifest["advanced"].get("title", ""))
    return paths


def _locales(manifest: dict[str, Any], texts: dict[str, Any]) -> Iterator[str]:
    declared = {f"i18n/{lang}.json" for lang in manifest.get("widget", {}).get("locale", [])}
    if declared != set(texts):
        yield f"manifest locales {sorted(declared)} and files {sorted(texts)} differ"
    flat = {name: dict(_leaves(tree)) for name, tree in texts.items()}
    every = {path for leaves in flat.values() for path in leaves}
    for name, leaves in flat.items():
        for path in sorted(every - set(leaves)):
            yield f"{name}: {path} is missing"
        for path in sorted(set(_paths(manifest)) - set(leaves)):
            yield f"{name}: {path}, named by the manifest, is missing"
        for path, text in leaves.items():
            yield from _text(name, path, text)


def _text(name: str, path: str, text: Any) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield f"{name}: {path} is empty or no text"
        return
    if len(text) > LENGTHS.get(path, len(text)):
        yield f"{name}: {path} is longer than {LENGTHS[path]}"
    if path == "widget.name":
        if any(len(word) > WORD_LENGTH for word in text.split()):
            yield f"{name}: {path} has a word longer than {WORD_LENGTH}"
        if re.search(r"amocrm|kommo", text, re.IGNORECASE):
            yield f"{name}: {path} names the vendor's brand"


def _images(manifest: dict[str, Any], files: Files) -> Iterator[str]:
    with_pipeline = "digital_pipeline" in manifest.get("locations", [])
    wanted = {
        f"images/{name}": size for name, size in {**LOGOS, **(DP_LOGO if with_pipeline else {})}.items()
    }
    for name, size in wanted.items():
        if name not in files:
            yield f"{name} is missing"
        elif _png_size(files[name]) != size:
            yield f"{name} must be a PNG of {size[0]}x{size[1]}"
    named = json.dumps(manifest)
    for name in (name for name in files if name.startswith("images/")):
        if len(files[name]) > MAX_IMAGE_BYTES:
            yield f"{name} is over {MAX_IMAGE_BYTES} bytes"
        if name not in wanted and name not in named:
            yield f"{name} is not used"


def _png_size(body: bytes) -> tuple[int, int] | None:
    if len(body) < 24 or not body.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def _scripts(files: Files, local: bool) -> Iterator[str]:
    scripts = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
    used = {"script.js"}
    for name, text in scripts.items():
        banned = BANNED if local and name == "app/config.js" else {**BANNED, **LOCAL}
        for pattern, what in banned.items():
            if re.search(pattern, text):
                yield f"{name}: {what}"
        if max(map(len, text.splitlines()), default=0) > 500:
            yield f"{name}: looks minified"
        for module in _dependencies(text):
            path = _resolved(name, module)
            used.add(path)
            if module not in HOST_MODULES and path not in scripts:
                yield f"{name}: unknown module {module}"
    for name in sorted(set(scripts) - used):
        yield f"{name} is not used"


def _dependencies(text: str) -> list[str]:
    match = re.search(r"\bdefine\(\s*\[([^\]]*)\]", text)
    return re.findall(r"['\"]([^'\"]+)['\"]", match[1]) if match else ["(no define with a list)"]


def _resolved(name: str, module: str) -> str:
    if not module.startswith("."):
        return module
    parts: list[str] = list(PurePosixPath(name).parent.parts)
    for step in PurePosixPath(module).parts:
        parts = parts[:-1] if step == ".." else [*parts, step]
    return "/".join(parts)


def _styles(css: str) -> Iterator[str]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for keyframes in re.findall(r"@keyframes\s+([\w-]+)", css):
        if not keyframes.startswith("salesrep-"):
            yield f"style.css: animation {keyframes} has a global name"
    css = re.sub(r"@keyframes[^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    css = re.sub(r"@media[^{]+\{", "", css)
    for selectors in re.findall(r"([^{}]+)\{", css):
        for selector in map(str.strip, selectors.split(",")):
            if not selector.removeprefix(DARK).startswith(ROOTS):
                yield f"style.css: {selector!r} does not start with the root class"
    if "!important" in css:
        yield "style.css: !important"
    if re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", css):
        yield "style.css: loads from elsewhere"
    if "switcher_o" in css:
        yield "style.css: styles switcher_on / switcher_off"
