"""Secrets that must not leave the author's machine: keys and tokens by their well-known forms."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass

# Files that hold passwords by what they are for.
_NAMES = {
    ".env": "environment variables", ".env.*": "environment variables",
    "*.env": "environment variables",
    ".netrc": "passwords of hosts", "_netrc": "passwords of hosts", ".pypirc": "passwords of PyPI",
    ".git-credentials": "passwords of git", ".npmrc": "passwords of npm",
    ".htpasswd": "passwords", ".pgpass": "passwords", "*.kdbx": "passwords",
    "id_rsa": "a private key", "id_dsa": "a private key", "id_ecdsa": "a private key",
    "id_ed25519": "a private key", "*.p12": "a private key", "*.pfx": "a private key",
    "*.jks": "a private key", "*.keystore": "a private key",
}  # fmt: skip
_EXAMPLES = ("*.example", "*.sample", "*.template")


@dataclass(frozen=True)
class _Form:
    """What a secret looks like.

    Attributes:
        what: its kind, in words.
        beginnings: what it may begin with, separated by spaces. Looking for these first takes a
            twentieth of the time.
        regex: the whole of it.
    """

    what: str
    beginnings: str
    regex: bytes

    def place(self, data: bytes) -> int:
        """Where the first one begins; -1 where there is none."""
        whole, found = re.compile(self.regex), []
        for beginning in self.beginnings.encode().split(b" "):
            at = data.find(beginning)
            while at >= 0 and not whole.match(data, at):
                at = data.find(beginning, at + 1)
            found += [at] if at >= 0 else []
        return min(found, default=-1)


_FORMS = (
    _Form(
        "a private key",
        "-----BEGIN",
        rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    ),
    _Form("a private key", "PuTTY-User-Key-File-", rb"PuTTY-User-Key-File-[0-9]+:"),
    _Form(
        "a token of GitHub",
        "ghp_ gho_ ghr_ ghs_ ghu_ github_pat_",
        rb"\b(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    ),
    _Form(
        "a token of GitLab",
        "glpat- glptt- gldt- glrt-",
        rb"\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{20,}",
    ),
    _Form("a token of PyPI", "pypi-AgE", rb"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    _Form("a token of npm", "npm_", rb"\bnpm_[A-Za-z0-9]{36}\b"),
    _Form("a token of Hugging Face", "hf_", rb"\bhf_[A-Za-z0-9]{34,}\b"),
    _Form("a token of Slack", "xox xapp-", rb"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,}"),
    # But for those of Amazon's own documentation.
    _Form("a key of AWS", "AKIA ASIA", rb"\b(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}\b"),
    _Form(
        "a key of AWS",
        "aws_secret_access_key AWS_SECRET_ACCESS_KEY",
        rb"(?i:aws_secret_access_key)['\"]?\s{0,4}[=:]\s{0,4}['\"]?"
        rb"(?![A-Za-z0-9/+]{0,33}EXAMPLE)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    ),
    _Form("a key of Google", "AIza", rb"\bAIza[A-Za-z0-9_-]{35}"),
    _Form("a key of Stripe", "sk_live_ rk_live_", rb"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    # With a capital and a digit, which long names in style sheets do not have.
    _Form(
        "a key of OpenAI or Anthropic",
        "sk-",
        rb"\bsk-(?=[\w-]{0,40}[0-9])(?=[\w-]{0,40}[A-Z])[A-Za-z0-9_-]{40,}",
    ),
    _Form(
        "a JSON web token",
        "eyJ",
        rb"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
    ),
)


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


def find_secrets(files: Mapping[str, bytes]) -> list[Secret]:
    """The secrets in some files, contents by name; of each file the first."""
    return [found for name, data in sorted(files.items()) if (found := _secret(name, data))]


def _secret(name: str, data: bytes) -> Secret | None:
    base = name.rpartition("/")[2].lower()
    if not any(fnmatch.fnmatchcase(base, pattern) for pattern in _EXAMPLES):
        for pattern, what in _NAMES.items():
            if fnmatch.fnmatchcase(base, pattern):
                return Secret(name, 0, what)
    places = [(at, form.what) for form in _FORMS if (at := form.place(data)) >= 0]
    if not places:
        return None
    at, what = min(places)
    return Secret(name, data.count(b"\n", 0, at) + 1, what)
