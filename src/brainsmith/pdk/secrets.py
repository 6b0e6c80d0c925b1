"""Secrets that must not leave the author's machine: keys and tokens by their well-known forms."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Files that hold passwords by what they are for.
_NAMES = {
    ".env": "environment variables", ".env.*": "environment variables",
    "*.env": "environment variables",
    ".netrc": "passwords of hosts", "_netrc": "passwords of hosts", ".pypirc": "passwords of PyPI",
    ".git-credentials": "passwords of git", ".npmrc": "passwords of npm",
    "id_rsa": "a private key", "id_dsa": "a private key", "id_ecdsa": "a private key",
    "id_ed25519": "a private key", "*.p12": "a private key", "*.pfx": "a private key",
    "*.jks": "a private key", "*.keystore": "a private key", "*.kdbx": "passwords",
}  # fmt: skip
_EXAMPLES = ("*.example", "*.sample", "*.template")
_FORMS = {
    "a private key": rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a PuTTY private key": rb"PuTTY-User-Key-File-[0-9]+:",
    "a token of GitHub": rb"\b(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "a token of GitLab": rb"\bglpat-[A-Za-z0-9_-]{20,}",
    "a token of PyPI": rb"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "a token of npm": rb"\bnpm_[A-Za-z0-9]{36}\b",
    "a token of Hugging Face": rb"\bhf_[A-Za-z0-9]{34,}\b",
    "a token of Slack": rb"\bxox[abeoprs]-[A-Za-z0-9-]{20,}",
    "a key of AWS": rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a key of Google": rb"\bAIza[A-Za-z0-9_-]{35}\b",
    "a key of Stripe": rb"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "a key of OpenAI": rb"\bsk-(?:proj-)?[A-Za-z0-9_-]{40,}",
    "a JSON web token": rb"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
}
_FORM = re.compile(
    b"|".join(b"(?P<f%d>%s)" % (number, form) for number, form in enumerate(_FORMS.values()))
)
_KINDS = tuple(_FORMS)


@dataclass(frozen=True)
class Secret:
    """Something that should stay where it is; what it says is not kept.

    Attributes:
        name: the file, relative to the plugin's folder.
        line: from 1; 0 where the file as a whole is one.
        what: its kind, in words.
    """

    name: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}" if self.line else self.name


def find_secrets(files: Mapping[str, Path]) -> list[Secret]:
    """The secrets in some files, by name; of each file the first.

    Raises:
        OSError: a file cannot be read.
    """
    return [found for name, path in sorted(files.items()) if (found := _secret(name, path))]


def _secret(name: str, path: Path) -> Secret | None:
    base = name.rpartition("/")[2].lower()
    if not any(fnmatch.fnmatchcase(base, pattern) for pattern in _EXAMPLES):
        for pattern, what in _NAMES.items():
            if fnmatch.fnmatchcase(base, pattern):
                return Secret(name, 0, what)
    data = path.read_bytes()
    found = _FORM.search(data)
    if found is None or found.lastgroup is None:
        return None
    line = data.count(b"\n", 0, found.start()) + 1
    return Secret(name, line, _KINDS[int(found.lastgroup[1:])])
