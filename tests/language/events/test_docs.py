"""The page's example runs, and what it says of fields and tasks is so."""

from __future__ import annotations

import re
from pathlib import Path

from language.events.small import EVERY, tokenizer
from mercer.language.events import TaskOptions

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "explanation" / "event-decoder.md").read_text("utf-8")


def test_the_example_trains() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    losses = names["record"].losses
    assert losses[-1] < losses[0]


def test_every_field_and_task_is_explained() -> None:
    for slot in tokenizer(EVERY).event_slots:
        name = slot.name.split(".")[0]
        assert {"month": "calendar", "weekday": "calendar"}.get(name, name) in PAGE
    tasks = [name for name in TaskOptions.model_fields if "to_" in name or name == "next_event"]
    assert len(tasks) == 5
    for name in tasks:
        words = name.replace("history_query", "history and query").replace("_", " ")
        assert f"| {words} |" in PAGE, name
