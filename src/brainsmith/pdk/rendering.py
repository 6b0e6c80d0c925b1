"""Templates become files, which are kept as they were for later updates."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from brainsmith.errors import ConfigurationError
from brainsmith.pdk.answers import FILE, Answers

TEMPLATES = Path(__file__).parent / "templates"
BASE = ".brainsmith/base.zip"
LICENSE = "LICENSE"
_LIMIT = 16 << 20  # bytes of all files; templates make some ten kilobytes
_TIME = (1980, 1, 1, 0, 0, 0)


def rendered(answers: Answers) -> dict[str, bytes]:
    """The files of a new plugin by name, without what is kept about them.

    Files whose names end in `.jinja` are templates, and so are the names of all.
    """
    from jinja2 import Environment, StrictUndefined

    jinja = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    data = answers.data()
    files = {}
    for part in _parts(answers):
        for path in sorted((TEMPLATES / part).rglob("*.jinja")):
            name = path.relative_to(TEMPLATES / part).as_posix().removesuffix(".jinja")
            text = jinja.from_string(path.read_text(encoding="utf-8")).render(data)
            name = jinja.from_string(name).render(data)
            if name in files:
                raise ValueError(f"two templates make the file '{name}'")
            files[name] = text.encode()
    license = license_template(answers.license).read_text(encoding="utf-8")
    files[LICENSE] = jinja.from_string(license).render(data).encode()
    return files


def license_template(license: str) -> Path:
    """The text of a licence, or where it is none of the usual ones, a file that asks for it."""
    texts = TEMPLATES / "licenses"
    usual = {path.name.removesuffix(".jinja"): path for path in texts.glob("*.jinja")}
    return usual.get(license, texts / "any.jinja")


def _parts(answers: Answers) -> list[str]:
    """The folders of templates that make up a plugin."""
    if answers.type == "kernel":
        return ["common", "kernel/common", f"kernel/{answers.operation}"]
    return ["common", answers.type]


def with_memory(files: dict[str, bytes], answers: Answers) -> dict[str, bytes]:
    """The files, and beside them the answers and a copy, from which an update starts."""
    return {**files, FILE: answers.dump(), BASE: _zipped(files)}


def base_of(folder: Path) -> dict[str, bytes]:
    """The files of a plugin as the template made them.

    Raises:
        ConfigurationError: they are not there, or damaged.
    """
    path = folder / BASE
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LIMIT:
                raise zipfile.BadZipFile("it is too large")
            return {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ConfigurationError(
            "what the template made of this plugin is not there, so it cannot be updated",
            where=str(path),
            hint="take the file from the plugin's history",
        ) from error


def _zipped(files: dict[str, bytes]) -> bytes:
    """The same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
