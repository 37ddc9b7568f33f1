from datetime import date, timedelta
from pathlib import Path

from mercer.brief import BehaviorTarget, Brief, RecommendTarget
from mercer.simulate import ShopOptions, demo_brief

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_asks_for_a_shop_that_can_be_made_with_its_truth_at_the_origins() -> None:
    brief = Brief.load(demo_brief())
    options = ShopOptions(**(brief.data.simulate or {}))
    assert options.users >= 5000
    assert options.items >= 2000
    assert options.months >= 12
    assert brief.decision.day == options.last_day + timedelta(days=1)
    for target in brief.targets.values():
        if isinstance(target, BehaviorTarget):
            assert tuple(target.origins) == options.origins
            assert target.horizon_days == options.horizon_days
            assert max(target.origins) + timedelta(days=target.horizon_days) <= brief.decision.day


def test_the_three_tasks_are_there_and_the_law_is_that_of_one_fixed_day() -> None:
    brief = Brief.load(demo_brief())
    assert {target.task for target in brief.targets.values()} == {"recommend", "search", "behavior"}
    assert brief.packs_date == date(2026, 11, 24)
    deciding = brief.targets[brief.decision.target]
    assert isinstance(deciding, RecommendTarget)
    assert not deciding.repeats


def test_the_brief_of_the_repository_is_the_one_of_the_package() -> None:
    assert (ROOT / "briefs" / "demo.yaml").read_bytes() == demo_brief().read_bytes()
