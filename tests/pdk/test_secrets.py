"""What is taken for a secret, and what is not."""

from __future__ import annotations

import pytest

from brainsmith.pdk.secrets import Secret, find_secrets

# In pieces, so that this file holds none.
KEY = "PRIVATE " + "KEY-----"
FOUND = {
    f"-----BEGIN {KEY}": "a private key",
    f"-----BEGIN RSA {KEY}": "a private key",
    f"-----BEGIN ENCRYPTED {KEY}": "a private key",
    f"key = '-----BEGIN EC {KEY}\\nMHcC'": "a private key",
    "-----BEGIN PGP " + "PRIVATE KEY " + "BLOCK-----": "a private key",
    "PuTTY-User-Key-" + "File-3: ssh-ed25519": "a private key",
    "token: gho" + "_" + "x" * 36: "a token of GitHub",
    '"github' + "_pat_" + "A1_" * 27: "a token of GitHub",
    "glrt" + "-" + "aB3_" * 6: "a token of GitLab",
    "xapp" + "-1-A0123456789-" + "0a1b" * 8: "a token of Slack",
    "aws_secret_access" + "_key = " + "aB3/" * 10: "a key of AWS",
    '"AWS_SECRET_ACCESS' + '_KEY": "' + "aB3/" * 10 + '"': "a key of AWS",
    "sk" + "-ant-api03-" + "aB3-" * 20: "a key of OpenAI or Anthropic",
}
HARMLESS = (
    "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----", "a ghp_token, gho_ and hf_hub",
    "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "eyJ0eXAiOiJKV1QifQ", "disk-a1B2" + "a1B2" * 12,
    "sk-toggleable__content-fade-in-out-and-more-words", "module_xoxb-not-a-token", "pypi-Agent",
    "aws_secret_access_key = os.environ['KEY']", "npm_config_registry", "AIza" + "x" * 20,
)  # fmt: skip


@pytest.mark.parametrize(("text", "what"), FOUND.items())
def test_a_secret_is_found_where_it_stands(text: str, what: str) -> None:
    for before, line in ((b"", 1), (b"\xff\x00\n" * 3, 4), (b"\r\n" * 2 + b" ", 3)):
        data = before + text.encode() + b"\n"
        assert find_secrets({"a/b.py": data}) == [Secret("a/b.py", line, what)]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_similar_is_none(text: str) -> None:
    assert find_secrets({"a.py": text.encode()}) == []


def test_the_first_of_a_file_is_told_and_all_files() -> None:
    texts = list(FOUND)
    both = f"\n{texts[6]}\n{texts[0]}\n".encode()
    found = find_secrets({"b": both, "a": both, "c": b""})
    assert list(map(str, found)) == ["a:2", "b:2"]
    assert {secret.what for secret in found} == {"a token of GitHub"}
    assert not any(texts[6] in repr(secret) for secret in found)


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        (".env", True), ("a/.env.local", True), (".env.example", False), ("x/ID_RSA", True),
        ("id_rsa.pub", False), ("x.P12", True), ("cert.pem", False), ("env.py", False),
        ("environment", False), (".npmrc", True), ("a.keystore", True),
    ],
)  # fmt: skip
def test_some_names_are_enough(name: str, is_secret: bool) -> None:
    assert [(s.name, s.line) for s in find_secrets({name: b""})] == [(name, 0)] * is_secret
