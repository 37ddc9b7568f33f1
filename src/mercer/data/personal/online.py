"""Where a person is online: e-mail, IP and web addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from mercer.data.personal.found import Found

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'()|]+[^\s<>\"'()|.,;:!?]", re.IGNORECASE)
_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
)


def find_emails(text: str) -> Iterator[Found]:
    """E-mail addresses."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "email")


def find_urls(text: str) -> Iterator[Found]:
    """Web addresses. Most are of companies; one with a profile or a token in it points at a person."""
    for match in _URL.finditer(text):
        yield Found(match.start(), match.end(), "url")


def find_ips(text: str) -> Iterator[Found]:
    """IPv4 and IPv6 addresses; versions (1.2.3.4, every part under 10) and times (12:30:00) are none."""
    for match in _IP.finditer(text):
        if _is_address(match.group()):
            yield Found(match.start(), match.end(), "ip")


def _is_address(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if address.version == 6:
        return written.count(":") > 2
    return any(int(part) > 9 for part in written.split("."))
