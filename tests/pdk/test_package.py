"""`brainsmith package`: what goes in, what stays out, and the same bytes for everybody."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, PluginError, PluginSecurityError, StorageError
from brainsmith.pdk.answers import checked
from brainsmith.pdk.create import create
from brainsmith.pdk.folder import plugin_folder
from brainsmith.pdk.package import package
from brainsmith.plugins.archive import read_archive
from brainsmith.plugins.archive_format import LIMITS
from brainsmith.plugins.package import open_package
from tests.pdk.conftest import Run
from tests.plugins.folders import as_another_user

# In pieces, so that this file holds none.
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"
TOKENS = {
    "GitHub": "ghp" + "_" + "a1B2" * 9, "GitLab": "glpat" + "-" + "a1B2" * 6,
    "PyPI": "pypi" + "-AgEIcHlwaS5vcmc" + "a1B2" * 12, "AWS": "AKIA" + "ABCDEFGHIJ234567",
    "Hugging Face": "hf" + "_" + "aB" * 17, "Slack": "xoxb" + "-123456789012-abcdefghij",
    "Google": "AIza" + "a1B2c" * 7,
    "npm": "npm" + "_" + "a1B2" * 9, "Stripe": "sk" + "_live_" + "a1B2" * 6,
    "OpenAI": "sk" + "-proj-" + "a1B2" * 12,
    "JSON web": "eyJ" + "a1B2" * 5 + ".eyJ" + "a1B2" * 5 + "." + "a1B2" * 6,
}  # fmt: skip


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    create(checked("mine", "kernel", "add", "Ada", "MIT", "Adds"), folder)
    return folder


def names(path: Path) -> set[str]:
    return set(read_archive(path).names)


def test_a_package_holds_all_that_belongs_to_the_plugin(plugin: Path) -> None:
    packed = package(plugin)
    assert packed.path == plugin / "dist" / "mine-0.1.0.bspkg"
    assert names(packed.path) == {
        "LICENSE", "RECORD", "brainsmith.yaml", "pyproject.toml", "docs/README.md",
        "examples/example_usage.py", "tests/test_kernel.py", "src/mine/__init__.py",
        "src/mine/kernel.py", "src/mine/backends/__init__.py", "src/mine/backends/rtl.py",
        *(f"src/mine/hdl/mine_{part}.sv" for part in ("lane", "streams", "constant")),
    }  # fmt: skip
    assert packed.files == len(names(packed.path)) and packed.size == packed.path.stat().st_size
    archive, manifest = open_package(packed.path)
    assert manifest.name == "mine" and archive.digest == packed.digest


def test_the_record_is_what_sha256sum_reads(plugin: Path, tmp_path: Path) -> None:
    read_archive(package(plugin).path).unpack(tmp_path / "unpacked")
    done = subprocess.run(
        ["sha256sum", "--strict", "--check", "RECORD"],
        cwd=tmp_path / "unpacked", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.count(": OK") == 13


def test_the_same_sources_give_the_same_bytes(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = package(plugin).path.read_bytes()
    copy = tmp_path / "elsewhere" / "of-another-name"
    for path in sorted(plugin.rglob("*"), reverse=True):
        if path.is_file() and "dist" not in path.parts:
            target = copy / path.relative_to(plugin)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o700)
            os.utime(target, (1, 1))
    monkeypatch.chdir(copy / "src")
    monkeypatch.setenv("LC_ALL", "C")
    old = os.umask(0o077)
    try:
        assert package(plugin_folder(Path()), tmp_path / "out").path.read_bytes() == first
    finally:
        os.umask(old)


def test_what_git_ignores_stays_out(plugin: Path) -> None:
    (plugin / ".gitignore").write_text("*.log\n/data/\n!keep.log\n")
    (plugin / "docs" / ".gitignore").write_text("draft*\n")
    for name in ("run.log", "keep.log", "data/big.bin", "docs/draft.md", "docs/data/small.bin"):
        (plugin / name).parent.mkdir(parents=True, exist_ok=True)
        (plugin / name).write_text("x")
    found = names(package(plugin).path)
    assert {"keep.log", "docs/data/small.bin"} <= found
    assert not {"run.log", "data/big.bin", "docs/draft.md"} & found


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_git_itself_ignores_the_same(plugin: Path) -> None:
    """Rules of all kinds, in a repository above the plugin, against git's own answer."""
    top = plugin.parent
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(top)]
    subprocess.run([*git, "init", "-q"], check=True)
    (top / ".git" / "info" / "exclude").write_text("private.txt\n")
    (top / ".gitignore").write_text("*.tmp\n**/cache/\nmine/docs/*.bak\n")
    (plugin / ".gitignore").write_text("!important.tmp\n/only-here\na[0-9]\nout/*\n!out/kept\n")
    made = (
        "x.tmp", "important.tmp", "docs/x.bak", "docs/y/x.bak", "src/cache/x", "only-here",
        "docs/only-here", "a1", "docs/a2", "ab", "out/lost", "out/kept", "private.txt",
    )  # fmt: skip
    for name in made:
        (plugin / name).parent.mkdir(parents=True, exist_ok=True)
        (plugin / name).write_text("x")
    done = subprocess.run(
        [*git, "check-ignore", "--no-index", *(f"mine/{name}" for name in made)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ignored = {line.removeprefix("mine/") for line in done.stdout.splitlines()}
    assert len(ignored) == 8
    assert set(made) - names(package(plugin).path) == ignored


@pytest.mark.parametrize("name", ["src/mine/kernel.py", "brainsmith.yaml"])
def test_what_the_plugin_needs_must_be_there(plugin: Path, name: str) -> None:
    (plugin / ".gitignore").write_text(f"/{name}\n")
    with pytest.raises(PluginError, match=f"needs '{name}', which is left out"):
        package(plugin)
    assert not (plugin / "dist").exists()


def test_what_git_ignores_is_not_even_looked_at(plugin: Path) -> None:
    """A virtual environment is full of links."""
    (plugin / ".gitignore").write_text("/venv/\n/result\n")
    (plugin / "venv" / "bin").mkdir(parents=True)
    (plugin / "venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (plugin / "venv" / ".env").write_text("x=1\n")
    (plugin / "result").symlink_to("/nowhere")
    assert not [name for name in names(package(plugin).path) if name.startswith(("venv", "result"))]


def test_a_package_that_was_unpacked_packs_to_the_same(plugin: Path, tmp_path: Path) -> None:
    first = package(plugin).path
    read_archive(first).unpack(tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "RECORD").is_file()
    assert package(tmp_path / "unpacked").path.read_bytes() == first.read_bytes()


def test_whoever_packs_it_wherever_gets_the_same_bytes(
    plugin: Path, run: Run, tmp_path: Path
) -> None:
    first = package(plugin).path.read_bytes()
    for number, (language, umask) in enumerate((("C", "077"), ("de_DE.UTF-8", "000"))):
        copy = tmp_path / f"of somebody {number}" / "x"
        shutil.copytree(plugin, copy, ignore=shutil.ignore_patterns("dist"))
        program = f"umask {umask}; exec '{sys.executable}' -m brainsmith package .."
        others = f"LC_ALL={language} USER=u{number} TZ=Asia/Tokyo PYTHONHASHSEED={number} HOME=/"
        run("bash", "-c", f"export {others}; {program}", cwd=copy / "src" / "mine" / "hdl")
        assert (copy / "dist" / "mine-0.1.0.bspkg").read_bytes() == first


@pytest.mark.parametrize(
    "name", [".env", "config/.env", "prod.env", ".netrc", "id_ed25519", "x.pfx"]
)
def test_files_of_secrets_are_refused(plugin: Path, name: str) -> None:
    (plugin / name).parent.mkdir(exist_ok=True)
    (plugin / name).write_text("x=1\n")
    with pytest.raises(PluginSecurityError) as caught:
        package(plugin)
    assert caught.value.where == name and f"--allow {name}" in str(caught.value.hint)
    assert not (plugin / "dist").exists()
    package(plugin, allowed=[name])


def test_secrets_that_git_ignores_may_lie_there(plugin: Path) -> None:
    (plugin / ".gitignore").write_text(".env\n")
    (plugin / ".env").write_text(f"TOKEN={TOKENS['GitHub']}\n")
    (plugin / ".env.example").write_text("TOKEN=\n")
    assert ".env" not in names(package(plugin).path)


def test_a_private_key_in_any_file_is_refused(plugin: Path) -> None:
    (plugin / "docs" / "notes.md").write_text(f"# Notes\n\n{KEY}")
    with pytest.raises(PluginSecurityError) as caught:
        package(plugin)
    assert caught.value.where == "docs/notes.md:3" and "a private key" in caught.value.what


@pytest.mark.parametrize("kind", TOKENS)
def test_tokens_are_refused_and_not_shown(plugin: Path, kind: str) -> None:
    source = plugin / "src" / "mine" / "kernel.py"
    source.write_text(source.read_text() + f"\n# {TOKENS[kind]}\n")
    with pytest.raises(PluginSecurityError) as caught:
        package(plugin)
    assert kind in caught.value.what and TOKENS[kind] not in str(caught.value)
    assert str(caught.value.where).startswith("src/mine/kernel.py:")


def test_hidden_folders_are_looked_into(plugin: Path) -> None:
    (plugin / ".aws").mkdir()
    (plugin / ".aws" / "credentials").write_text(f"[default]\nid = {TOKENS['AWS']}\n")
    (plugin / "docs" / ".notes").write_text(TOKENS["npm"])
    with pytest.raises(PluginSecurityError, match=r"also in docs/\.notes:1") as caught:
        package(plugin)
    assert caught.value.where == ".aws/credentials:2"
    assert package(plugin, allowed=["./.aws/credentials", "docs//.notes"]).files == 14


def test_what_tools_keep_is_not_looked_into(plugin: Path) -> None:
    for name in (".cache", ".tox", ".mypy_cache"):
        (plugin / name).mkdir()
        (plugin / name / "secret").write_text(KEY)
    assert package(plugin).files == 14


def test_hidden_files_may_be_large_and_many(plugin: Path) -> None:
    (plugin / ".data").mkdir()
    for number in range(3):
        with (plugin / ".data" / str(number)).open("wb") as stream:
            stream.truncate(LIMITS.unpacked // 2)  # all holes
    (plugin / ".data" / "id_rsa").write_bytes(b"")
    with pytest.raises(PluginSecurityError) as caught:
        package(plugin)
    assert caught.value.where == ".data/id_rsa"
    package(plugin, allowed=[".data/id_rsa"])


def test_a_hidden_folder_that_cannot_be_read_is_told(plugin: Path, tmp_path: Path) -> None:
    (plugin / ".closed").mkdir(mode=0)

    def told() -> str:
        try:
            package(plugin, tmp_path / "out")
        except ConfigurationError as error:
            return str(error)
        return "nothing"

    said = as_another_user(told, tmp_path)
    assert f"cannot read the folder: Permission denied [{plugin / '.closed'}]" in said


def test_what_cannot_be_read_is_told(plugin: Path, tmp_path: Path) -> None:
    for name in ("docs/secret.txt", ".secret"):
        (plugin / name).write_text("x")
        (plugin / name).chmod(0)

        def told() -> str:
            try:
                package(plugin, tmp_path / "out")
            except ConfigurationError as error:
                return str(error)
            return "nothing"

        assert f"cannot read the file: Permission denied [{plugin / name}]" in as_another_user(
            told, tmp_path
        )
        (plugin / name).unlink()


def test_a_file_to_allow_must_be_there(plugin: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file 'x\.pem'"):
        package(plugin, allowed=["x.pem"])


def test_links_are_refused(plugin: Path) -> None:
    (plugin / "docs" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(PluginError, match="no links"):
        package(plugin)


def test_a_path_that_is_a_file_is_refused(plugin: Path, brainsmith: Run) -> None:
    done = brainsmith("package", str(plugin / "docs" / "README.md"), expect=4)
    assert "this is a file, and no plugin's folder" in done.stderr
    assert not (plugin / "dist").exists()
    brainsmith("package", str(plugin / "brainsmith.yaml"))


def test_two_dots_lead_to_the_plugin_above(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "mine" / "docs" / "inner"
    inner.mkdir()
    (inner / "brainsmith.yaml").write_text("name: inner\nversion: 1.0.0\n")
    monkeypatch.chdir(inner)
    assert plugin_folder(Path()) == inner
    assert plugin_folder(Path("..")) == plugin_folder(Path("../..")) == plugin


def test_no_manifest_here(tmp_path: Path, brainsmith: Run) -> None:
    done = brainsmith("package", expect=4)
    assert "there is no brainsmith.yaml here" in done.stderr and "create-plugin" in done.stderr
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        plugin_folder(tmp_path / "missing")


def test_a_wrong_manifest_is_not_packed(plugin: Path) -> None:
    text = (plugin / "brainsmith.yaml").read_text()
    (plugin / "brainsmith.yaml").write_text(text.replace("version: 0.1.0", "version: first"))
    with pytest.raises(PluginError, match="version"):
        package(plugin)
    (plugin / "brainsmith.yaml").write_text(text.replace("operation: add", "operation: mul"))
    with pytest.raises(PluginError, match="does not say what the decorators say"):
        package(plugin)


def test_a_full_disk_leaves_nothing(plugin: Path) -> None:
    (plugin / "src" / "mine" / "noise.bin").write_bytes(os.urandom(1 << 20))
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(StorageError):
            package(plugin)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (plugin / "dist").exists()


def test_a_disk_that_is_full_is_told(plugin: Path, brainsmith: Run, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no mount namespaces here")
    (plugin / "src" / "mine" / "noise.bin").write_bytes(os.urandom(300_000))
    (tmp_path / "small").mkdir()
    script = (
        'mount -t tmpfs -o size=128k x small; "$@"; code=$?; find small -mindepth 1; exit $code'
    )
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", script, "bash", sys.executable, "-m", "brainsmith",
         "package", str(plugin), "--output", "small/a/b"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (9, "")
    assert "No space left on device" in done.stderr and "--output" in done.stderr


@pytest.mark.parametrize("altered", ["truncated", "a byte", "a file"])
def test_an_altered_package_is_not_installed(
    plugin: Path, altered: str, brainsmith: Run, tmp_path: Path
) -> None:
    path = package(plugin).path
    data = bytearray(path.read_bytes())
    if altered == "truncated":
        del data[-1]
    elif altered == "a byte":
        data[len(data) // 3] ^= 1
    else:
        from tests.plugins.hostile import Member, build

        archive = read_archive(path)
        files = {name: archive.read(name) for name in archive.names}
        files["src/mine/kernel.py"] += b"\nprint()\n"
        data = bytearray(build([Member(n.encode(), d) for n, d in sorted(files.items())]))
    path.write_bytes(data)
    done = brainsmith("install", str(path), expect=5)
    assert done.stderr.startswith("error:")
    if altered == "a file":
        assert "the file is not the one of RECORD" in done.stderr
    assert not list((tmp_path / "data").rglob("mine"))


def test_a_record_that_lists_other_files_is_refused(plugin: Path, tmp_path: Path) -> None:
    from tests.plugins.hostile import Member, build

    archive = read_archive(package(plugin).path)
    files = {name: archive.read(name) for name in archive.names}
    record = files["RECORD"]
    digest = hashlib.sha256(b"").hexdigest().encode()
    for wrong, why in (
        (record + digest + b"  more.txt\n", "is in RECORD, and not in the archive"),
        (record.split(b"\n", 1)[1], "is not in RECORD"),
        (record + record.split(b"\n", 1)[0] + b"\n", "no line of digest and name"),
        (b"\xff\n", "no line of digest and name"),
        (record[:-1], "no line of digest and name"),
    ):
        content = build(
            [Member(n.encode(), d) for n, d in sorted({**files, "RECORD": wrong}.items())]
        )
        (tmp_path / "wrong.bspkg").write_bytes(content)
        with pytest.raises(PluginError, match=why):
            open_package(tmp_path / "wrong.bspkg")


def test_the_command_tells_what_it_made(plugin: Path, brainsmith: Run) -> None:
    shown = brainsmith("package", cwd=plugin / "src").stdout
    assert "✓ Created: " in shown and "✓ Size: " in shown and "mine-0.1.0.bspkg" in shown
    told = json.loads(brainsmith("package", str(plugin), "--json").stdout)
    digest = hashlib.sha256(Path(told["package"]).read_bytes()).hexdigest()
    assert told["digest"] == f"sha256:{digest}" and told["warnings"] == []


def test_dependencies_that_pip_does_not_see_are_told(plugin: Path, brainsmith: Run) -> None:
    manifest = plugin / "brainsmith.yaml"
    manifest.write_text(manifest.read_text() + "dependencies: [PyYAML]\n")
    (plugin / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    told = json.loads(brainsmith("package", str(plugin), "--json").stdout)
    what = "pyproject.toml lacks the dependency 'PyYAML' of the manifest"
    assert what in [warning["what"] for warning in told["warnings"]]
