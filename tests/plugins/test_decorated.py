"""What decorators say, read from the sources without an import."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brainsmith.api.decorators import KernelInfo, TransformInfo
from brainsmith.errors import PluginError
from brainsmith.plugins.decorated import Declared, declared_components
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.registry import PluginRegistry

Plugin = Callable[..., Path]
BODY = """
    @{backend}("rtl")
    def rtl(self, config): ...
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """Writes a plugin's sources: texts by file name."""

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            file = tmp_path / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        return tmp_path

    return write


def only(folder: Path) -> Declared:
    (found,) = declared_components(folder)
    return found


# The specification's own examples.
_SPECIFIED = Path(__file__).parent / "data" / "specified"
SPECIFIED_KERNEL = (_SPECIFIED / "section1.py").read_text()
SPECIFIED_TRANSFORM = (_SPECIFIED / "section2.py").read_text()


def test_the_specified_kernel(plugin: Plugin) -> None:
    found = only(plugin(flash__kernel=SPECIFIED_KERNEL))
    assert found.kind == "kernels"
    assert found.where.endswith("flash/kernel.py:3")
    assert found.entry == {
        "name": "FlashAttention",
        "module": "flash.kernel",
        "class": "FlashAttentionKernel",
        "operation": "attention",
        "description": "Efficient attention mechanism for transformers",
        "version": "1.0.0",
        "tags": ["transformer", "attention", "efficient"],
        "backends": ["cuda", "hls"],
        "datatypes": ["float16", "bfloat16"],
        "constraints": {
            "min_sequence_length": 64,
            "supported_dtypes": ["float16", "bfloat16"],
        },
    }


def test_the_specified_transform(plugin: Plugin) -> None:
    found = only(plugin(attention=SPECIFIED_TRANSFORM))
    assert (found.kind, found.entry["stage"]) == ("transforms", "topology_optimization")
    assert found.entry["requires"] == ["numpy>=1.20", "onnx>=1.10"]
    assert found.entry["compatible_kernels"] == ["FlashAttention", "StandardAttention"]


def test_the_built_in_components_are_what_their_import_says() -> None:
    folder = builtin_folder()
    registry = PluginRegistry([folder], distributions=False, cached=False)
    declared = {(d.kind, d.name): d.entry for d in declared_components(folder)}
    imported = {
        (c.kind, c.name): c.info
        for plugin in registry.plugins
        for c in plugin.components
        if c.kind in ("operations", "kernels", "transforms")
    }
    assert set(declared) == set(imported)
    for key, info in imported.items():
        entry = declared[key]
        assert entry["description"] == info.description
        assert entry.get("tags", []) == list(info.tags)
        if isinstance(info, KernelInfo):
            assert entry["operation"] == info.operation_type
            assert entry.get("constraints", {}) == info.constraints
            assert entry["backends"][0] == info.default_backend
            assert set(entry["backends"]) == set(info.backends)
        if isinstance(info, TransformInfo):
            assert entry["stage"] == info.stage


@pytest.mark.parametrize(
    ("imports", "decorator", "backend"),
    [
        ("from brainsmith.api import backend, kernel", "kernel", "backend"),
        ("from brainsmith.api import backend as b, kernel as k", "k", "b"),
        ("from brainsmith import api", "api.kernel", "api.backend"),
        ("from brainsmith import api as bs", "bs.kernel", "bs.backend"),
        ("import brainsmith.api", "brainsmith.api.kernel", "brainsmith.api.backend"),
        ("import brainsmith.api as bs", "bs.kernel", "bs.backend"),
        ("import brainsmith", "brainsmith.api.kernel", "brainsmith.api.backend"),
        ("from brainsmith.api.decorators import backend, kernel", "kernel", "backend"),
        ("from brainsmith.api import *", "kernel", "backend"),
        ("from brainsmith import api\nk, = 1,\nk = api.kernel\nb = api.backend", "k", "b"),
        ("try:\n    from brainsmith.api import kernel, backend\nfinally: ...", "kernel", "backend"),
        ("from .own import kernel, backend", "kernel", "backend"),
        ("from pkg.own import kernel, api", "kernel", "api.backend"),
        ("from pkg import kernel, own", "kernel", "own.backend"),
    ],
)
def test_decorators_are_known_under_every_name(
    plugin: Plugin, imports: str, decorator: str, backend: str
) -> None:
    source = f'{imports}\n@{decorator}(name="K", operation_type="matmul")\nclass C:'
    folder = plugin(
        pkg__own="from brainsmith import api\nfrom brainsmith.api import backend, kernel"
    )
    (folder / "pkg" / "__init__.py").write_text("from .own import kernel")
    (folder / "pkg" / "k.py").write_text(source + BODY.format(backend=backend))
    assert only(folder).entry == {
        "name": "K",
        "module": "pkg.k",
        "class": "C",
        "operation": "matmul",
        "backends": ["rtl"],
    }


def test_decorators_of_others_declare_nothing(plugin: Plugin) -> None:
    source = """
        from other import kernel
        from brainsmith.api import transform as t

        @kernel(name=compute())
        class A: ...

        @transform(name="B")
        class B: ...
    """
    assert declared_components(plugin(a=source)) == []


def test_nothing_is_imported_or_run(plugin: Plugin) -> None:
    folder = plugin(
        a=SPECIFIED_KERNEL, b="raise SystemExit('this ran')", setup="import nothing_here"
    )
    assert only(folder).name == "FlashAttention"


def test_sources_lie_in_src_if_it_is_there(plugin: Plugin) -> None:
    folder = plugin(src__flash__kernel=SPECIFIED_KERNEL, other=SPECIFIED_TRANSFORM)
    assert only(folder).entry["module"] == "flash.kernel"


def test_tests_examples_and_environments_are_no_sources(plugin: Plugin) -> None:
    folder = plugin(
        kernels=SPECIFIED_KERNEL,
        tests__a=SPECIFIED_TRANSFORM,
        examples__a=SPECIFIED_TRANSFORM,
        test_b=SPECIFIED_TRANSFORM,
        env__lib__a=SPECIFIED_TRANSFORM,
    )
    (folder / "env" / "pyvenv.cfg").touch()
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.py").write_text("no python")
    assert only(folder).name == "FlashAttention"


def test_backends_and_constraints_are_inherited(plugin: Plugin) -> None:
    base = """
        from brainsmith.api import backend

        class Base:
            constraints = {"max_K": 8}

            @backend("hls")
            def hls(self, config): ...

            @backend("host")
            def run(self, config): ...
    """
    source = """
        from brainsmith.api import backend, kernel
        from .base import Base as Parent

        class Middle(Parent): ...

        @kernel(name="K", operation_type="matmul")
        class C(Middle):
            def run(self, config): ...

            @backend("rtl", default=True)
            def rtl(self, config): ...
    """
    entry = only(plugin(pkg__base=base, pkg__k=source)).entry
    assert entry["backends"] == ["rtl", "hls"]
    assert entry["constraints"] == {"max_K": 8}


def test_a_component_may_stand_in_an_if(plugin: Plugin) -> None:
    source = (
        'if True:\n    from brainsmith.api import target\n    @target(name="T")\n    class T: ...\n'
    )
    found = only(plugin(a=source))
    assert (found.kind, found.entry) == ("targets", {"name": "T", "module": "a", "class": "T"})


def kernel_with(arguments: str, body: str = '@backend("rtl")\n    def rtl(self): ...') -> str:
    return (
        "from brainsmith.api import backend, kernel, operation, requires, transform\n"
        f"VERSION = '1.0'\n@kernel({arguments})\nclass C:\n    {body}\n"
    )


GOOD = 'name="K", operation_type="matmul"'


BARE = (
    "from brainsmith import api\n@api.requires\n@api.transform(name='T', stage='graph_cleanup')\n"
    "class T:\n    def apply(self, model, config): ...\n"
)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (kernel_with(f"{GOOD},\n  version=VERSION"), 4, "'version' of @kernel is no literal"),
        (kernel_with(f'{GOOD}, tags=["a", f"b"]'), 3, "'tags' of @kernel is no literal"),
        (kernel_with(f"{GOOD}, **more"), 3, r"\*\*arguments of @kernel is no literal"),
        (kernel_with('"K"'), 3, "an argument of @kernel has no name"),
        (kernel_with(f"{GOOD}, tag=[]"), 3, "@kernel has no argument 'tag'(.|\n)*'tags'"),
        (kernel_with('name="K"'), 3, "@kernel needs 'operation_type'"),
        (kernel_with('operation_type="K"'), 3, "@kernel needs 'name'"),
        (kernel_with(f"{GOOD}, version=1.0"), 3, "'version' is no text: 1.0"),
        (kernel_with(f'{GOOD}, tags="a"'), 3, "'tags' is no list of texts: 'a'"),
        (kernel_with(f"{GOOD}, tags=[1]"), 3, "'tags' is no list of texts"),
        (kernel_with(GOOD, "pass"), 3, r"needs a method marked @backend"),
        (kernel_with(GOOD, '@backend("rlt")\n    def rtl(self): ...'), 5, "did you mean 'rtl'"),
        (kernel_with(GOOD, "@backend(NAME)\n    def rtl(self): ..."), 5, "'name' of @backend"),
        (kernel_with(GOOD, "@backend\n    def rtl(self): ..."), 5, "@backend has no arguments"),
        (kernel_with(GOOD, '@backend("rtl", x=1)\n    def rtl(self): ...'), 5, "takes a name, "),
        (kernel_with(GOOD, "constraints = LIMITS"), 5, "'constraints' is no literal"),
        (kernel_with(GOOD, 'constraints = {"a": max(1, 2)}'), 5, "'constraints' is no literal"),
        (kernel_with(GOOD, "constraints = [1]"), 5, "'constraints' is no dictionary"),
        (
            kernel_with(GOOD) + '\n    @backend("rtl")\n    def again(self): ...\n',
            8,
            "two methods are the backend 'rtl'",
        ),
        (
            kernel_with(GOOD, '@backend("rtl", default=True)\n    def a(self): ...')
            + '\n    @backend("hls", default=True)\n    def b(self): ...\n',
            3,
            "two default backends: rtl, hls",
        ),
        ("from brainsmith.api import kernel\n@kernel\nclass C: ...\n", 2, "has no arguments"),
        (f"from brainsmith.api import kernel\n@kernel({GOOD})\ndef f(): ...\n", 2, "is no class"),
        (
            f"from brainsmith.api import kernel\ndef f():\n    @kernel({GOOD})\n    class C: ...\n",
            3,
            "not at the top level",
        ),
        (
            'from brainsmith import api\n@api.transform(name="T", stage="graph_cleanup")\n'
            "class T: ...\n",
            2,
            "'T' has no 'apply'",
        ),
        (
            'from brainsmith import api\n@api.operation(name="o")\nclass O:\n    loops = ()\n',
            2,
            "'O' has no 'ports'",
        ),
        (
            f'from brainsmith import api\n@api.target(name="a")\n@api.kernel({GOOD})\nclass C: x\n',
            2,
            "'C' is declared twice",
        ),
        (BARE, 2, "@requires names no package"),
        (BARE.replace("@api.requires", "@api.requires()"), 2, "@requires names no package"),
        ("def f(:\n", 1, "this is not Python"),
        ("\n\nx = '\n", 3, "this is not Python"),
    ],
)
def test_what_cannot_be_declared_is_told_with_file_and_line(
    plugin: Plugin, source: str, line: int, message: str
) -> None:
    folder = plugin(a="")
    (folder / "a.py").write_text(source)
    with pytest.raises(PluginError, match=message) as caught:
        declared_components(folder)
    assert caught.value.where == f"{folder / 'a.py'}:{line}"


@pytest.mark.parametrize("content", [b"\x00", b"\xff\xfe", b"(" * 5000, b"x = " + b"-" * 200_000])
def test_a_source_that_is_no_python_is_refused(plugin: Plugin, content: bytes) -> None:
    folder = plugin(a="")
    (folder / "a.py").write_bytes(content)
    with pytest.raises(PluginError, match="not Python"):
        declared_components(folder)


def test_a_link_that_leaves_the_plugin_is_refused(plugin: Plugin, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.py").write_text("")
    folder = plugin(b="")
    (folder / "a.py").symlink_to(outside / "a.py")
    with pytest.raises(PluginError, match="link that leaves the plugin"):
        declared_components(folder)
    (folder / "a.py").unlink()
    (folder / "src").symlink_to(outside)
    with pytest.raises(PluginError, match="link that leaves the plugin"):
        declared_components(folder)
