"""Passwords of the development engines: random, made on first use, kept in a file that only the user can read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path


def passwords(file: Path, names: Sequence[str]) -> dict[str, str]:
    """One password per name; what ``file`` holds already is kept, what it lacks is made and written."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {name: secrets.token_urlsafe(24) for name in names if name not in known}
    if missing:
        known.update(missing)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(known, indent=2))
    return {name: known[name] for name in names}
