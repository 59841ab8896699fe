"""The npm packages of the page: exact, from wherever the machine gets its packages, and free to be passed on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

EXPLORER = Path(__file__).parent.parent.parent / "router" / "server" / "explorer"
PERMISSIVE = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "PSF-2.0"}
# Vite needs it to build; nothing of it gets into the page.
BUILD_ONLY = re.compile(r"node_modules/lightningcss(-|$)")


def locked_packages() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((EXPLORER / "package-lock.json").read_text())["packages"]
    return {name: package for name, package in packages.items() if name}


def test_every_version_is_exact() -> None:
    package = json.loads((EXPLORER / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)


def test_the_lock_file_says_what_is_installed_and_not_from_where() -> None:
    assert [name for name, package in locked_packages().items() if "resolved" in package] == []
    assert [name for name, package in locked_packages().items() if "integrity" not in package] == []


def test_every_license_is_permissive() -> None:
    others = {name: package for name, package in locked_packages().items() if package["license"] not in PERMISSIVE}
    assert {name: package["license"] for name, package in others.items() if not BUILD_ONLY.match(name)} == {}
    assert all(package.get("dev") for package in others.values())
