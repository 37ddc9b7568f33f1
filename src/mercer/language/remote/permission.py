"""Whether data may leave this machine: said by the brief, checked before anything is sent.

A server on the loopback is this machine and needs no permission; its name is taken literally (`localhost`,
127.0.0.0/8, ::1), nothing is resolved. Every other server needs the brief's section `language.remote`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from mercer.brief import Brief
from mercer.errors import UnsupportedError

FIELD = "language.remote"


@dataclass(frozen=True, slots=True)
class Server:
    """Scheme, host, port and path of an address, and whether it is this machine."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the host is the loopback."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}:{self.port}{self.path}"


def server_of(url: str) -> Server:
    """The server of an address. Raises ValueError, quoting nothing, for what is no plain http(s) address.

    Legal is scheme, host, port and path: a user, a password, a query or a fragment may hold a secret.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        raise ValueError("base_url is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must begin with http:// or https:// and name a host")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("base_url holds a user, password or query; give a key by api_key_variable")
    server = Server(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))
    if server.scheme == "http" and not server.is_local:
        raise ValueError("base_url must begin with https:// where the host is not this machine")
    return server


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A brief's leave to send named fields to one server, for one purpose, until a day.

    Made by `Permission.of`, which checks that the brief gives it. reference: brief and hash of its section.
    """

    server: Server
    purpose: str
    fields: tuple[str, ...]
    until: date
    reference: str

    @classmethod
    def of(cls, brief: Brief, *, purpose: str, fields: Iterable[str]) -> Permission:
        """The leave that `brief` gives for prompts made of `fields`.

        purpose: what is asked for, one of `language.remote.purposes`. fields: every `table.column` whose
        values the prompts hold; the caller says so, for a prompt's text doesn't show where it came from.
        Raises UnsupportedError naming the brief's key that forbids it.
        """
        remote = brief.language.remote
        asked = tuple(sorted(set(fields)))
        if not remote.allowed or remote.base_url is None or remote.until is None:
            raise _refused("allowed", "the brief allows no data to leave this machine")
        if purpose not in remote.purposes:
            raise _refused("purposes", f"the purpose {purpose!r} is not among those allowed")
        outside = sorted(set(asked) - set(remote.fields))
        if outside:
            raise _refused("fields", f"not among the fields that may leave: {', '.join(outside)}")
        content = json.dumps(remote.model_dump(mode="json"), sort_keys=True)
        return cls(
            server=server_of(remote.base_url),
            purpose=purpose,
            fields=asked,
            until=remote.until,
            reference=f"{brief.name}:{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        )

    def check(self, server: Server, today: date) -> None:
        """Raises UnsupportedError for another server than the brief's, and after its last day."""
        if server != self.server:
            raise _refused(
                "base_url", f"{server.host} with this port and path is not the address that the brief allows"
            )
        if today > self.until:
            raise _refused("until", f"the permission ended on {self.until}")


def check_leave(server: Server, permission: Permission | None, today: date) -> None:
    """Raises UnsupportedError naming the brief's key, unless the server is this machine or is permitted."""
    if server.is_local:
        return
    if permission is None:
        raise _refused("allowed", f"{server.host} is not this machine, and no permission was given")
    permission.check(server, today)


def _refused(key: str, why: str) -> UnsupportedError:
    return UnsupportedError(
        f"Nothing was sent: {why}.",
        remedy=f"Whoever is responsible for the data can allow it in the brief: {FIELD}.{key}.",
    )
