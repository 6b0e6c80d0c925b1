"""`PluginSandbox`: runs code confined, for programs that use Brainsmith as a library."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.errors import PluginError
from brainsmith.sandbox.execution import Subject, execute
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.providers import Provider
from brainsmith.sandbox.record import Ledger

if TYPE_CHECKING:
    from brainsmith.api.config import TransformConfig
    from brainsmith.model.model import Model


@dataclass
class Sandbox:
    """One sandbox with its limits; `run` may be called any number of times, each on its own."""

    policy: SandboxPolicy
    level: Level
    ledger: Ledger
    provider: Provider | None = None

    def set_memory_limit(self, memory: int) -> None:
        """Bytes that a call may allocate."""
        self.policy = replace(self.policy, memory=memory)

    def set_time_limit(self, seconds: float) -> None:
        """Seconds that a call may take, and of processor time that it may use."""
        self.policy = replace(self.policy, wall_time=seconds, cpu_time=seconds)

    def restrict_filesystem(self, read_only_paths: Sequence[str | Path] = ()) -> None:
        """What a call may read besides its own folder and Python; it never writes anything."""
        paths = tuple(Path(path).resolve() for path in read_only_paths)
        self.policy = replace(self.policy, readable_paths=paths)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function, or a method of an object, returns for these arguments.

        The module that defines it is imported anew in the worker. Arguments, results and the
        attributes of an object are data: numbers, texts, lists, dictionaries, arrays, models, and
        the records of `brainsmith.api`.

        Raises:
            PluginError: the function has no module of its own, or it raised something.
            PluginSecurityError: it did what is not allowed, or exceeded a limit.
        """
        owner = getattr(function, "__self__", None)
        code = type(owner) if owner is not None else function
        subject = _subject(code)
        name = f"{code.__module__}:{code.__qualname__}"
        if owner is None:
            called, given = name, arguments
        else:
            called = "brainsmith.sandbox.objects:call_method"
            given = (name, dict(vars(owner)), function.__name__, *arguments)
        return execute(
            subject,
            called,
            given,
            label=f"{code.__qualname__}.{function.__name__}" if owner else code.__qualname__,
            policy=self.policy,
            level=self.level,
            ledger=self.ledger,
            provider=self.provider,
        )


class PluginSandbox:
    """Runs code of plugins confined.

    Args:
        memory_limit: bytes that a call may allocate.
        time_limit: seconds that a call may take.
        policy: all other limits.
        level: how calls are confined.
        provider: who makes the surroundings of workers, for L4 and L5; we do if None.
    """

    def __init__(
        self,
        *,
        memory_limit: int | None = None,
        time_limit: float | None = None,
        policy: SandboxPolicy | None = None,
        level: Level = Level.L3,
        provider: Provider | None = None,
    ) -> None:
        self.policy = policy or SandboxPolicy()
        self.memory_limit = memory_limit or self.policy.memory
        self.time_limit = time_limit or self.policy.wall_time
        self.level = level
        self.provider = provider
        self.ledger = Ledger()

    @contextmanager
    def create_sandbox(self) -> Iterator[Sandbox]:
        """A sandbox with this one's limits, which can be set anew."""
        yield Sandbox(self.policy, self.level, self.ledger, self.provider)

    def execute_transform(
        self, transform: Any, model: Model, config: TransformConfig | Mapping[str, Any]
    ) -> Model:
        """The model that a transform makes of `model`; `model` itself is left as it is.

        Args:
            transform: an object with a method `apply(model, config)`.
            config: its configuration.

        Raises:
            PluginSecurityError: it did what is not allowed, or exceeded a limit.
            PluginError: it raised something, or returned no model.
        """
        from brainsmith.model.model import Model as ModelClass

        with self.create_sandbox() as sandbox:
            sandbox.set_memory_limit(self.memory_limit)
            sandbox.set_time_limit(self.time_limit)
            sandbox.restrict_filesystem(self.policy.readable_paths)
            result = sandbox.run(transform.apply, model, config)
        if not isinstance(result, ModelClass):
            raise PluginError(
                f"the transform returned {type(result).__name__}",
                where=type(transform).__qualname__,
                hint="return the transformed model",
            )
        return result


def _subject(code: Callable[..., Any]) -> Subject:
    """Where the code lies that is to run, which its worker may read and import."""
    module = sys.modules.get(code.__module__)
    file = getattr(module, "__file__", None)
    if file is None or "." in code.__qualname__ or code.__module__ == "__main__":
        raise PluginError(
            "only a function, or a method of a class, at the top of a module can be confined",
            where=f"{code.__module__}:{code.__qualname__}",
            hint="put it into a module that a worker can import",
        )
    folder = _root(inspect.getfile(code), code.__module__.count("."))
    return Subject(code.__module__.partition(".")[0], paths=(folder,))


@functools.lru_cache(maxsize=64)
def _root(file: str, depth: int) -> Path:
    """The folder from which a module is imported that lies so many packages deep."""
    return Path(file).resolve().parents[depth]
