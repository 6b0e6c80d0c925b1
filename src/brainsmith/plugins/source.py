"""Where plugins come from that are not on this machine: what a hub's client has to offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# The levels of certification, from the lowest.
CERTIFICATIONS = ("community", "bronze", "silver", "gold")


@dataclass(frozen=True)
class PackageFacts:
    """What a source knows of a plugin beyond its manifest."""

    downloads: int = 0
    certification: str = "community"


class PackageSource(Protocol):
    """Gives archives of plugins by name and version."""

    def fetch(self, name: str, version: str, folder: Path) -> Path:
        """Puts the archive of a plugin into `folder`; returns its file.

        Args:
            version: a version, or "latest".

        Raises:
            BrainsmithError: there is no such plugin or version, or it cannot be had.
        """
        ...

    def facts(self, names: Iterable[str]) -> Mapping[str, PackageFacts]:
        """What is known of these plugins; of one that the source does not know, nothing."""
        ...
