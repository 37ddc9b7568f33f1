from __future__ import annotations

from typing import Any

import pytest

from language.remote.server import ChatServer
from mercer.contracts import TextGenerator
from mercer.testing.decoders import TextGeneratorContract


class TestRemoteGenerator(TextGeneratorContract):
    @pytest.fixture(autouse=True)
    def _of(self, server: ChatServer, remote: Any) -> None:
        self.maker = lambda: remote(server, cache=False)

    def make(self) -> TextGenerator:
        return self.maker()
