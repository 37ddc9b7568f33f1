from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import plugins
from mercer.errors import DamagedError, DataError, NotFoundError, OutputError, UnsupportedError
from mercer.recommend import MostPopular
from mercer.release import Release, build, finalize, load
from release.small_shop import CREATED, Shop, requests_at


def test_release_json_lists_every_file_with_its_hash(candidate: Release) -> None:
    written = json.loads((candidate.folder / "release.json").read_text())
    on_disk = {p.relative_to(candidate.folder).as_posix() for p in candidate.folder.rglob("*") if p.is_file()}
    assert set(written["files"]) == on_disk - {"release.json"}
    assert written["schema"] == 1
    assert written["phase"] == "candidate"
    assert written["targets"]["next-item"]["policy"] == "next-item/item-knn"


def test_same_inputs_give_the_same_hash(shop: Shop, candidate: Release, tmp_path: Path) -> None:
    assert shop.build(tmp_path / "again").hash == candidate.hash


def test_finalize_binds_evidence_and_keeps_the_content_hash(folder: Path, tmp_path: Path) -> None:
    before = load(folder)
    page = tmp_path / "report.html"
    page.write_text("<p>Ship.</p>")
    after = finalize(folder, {"report.html": page}, decision="ship")
    assert after.manifest.phase == "final"
    assert after.manifest.decision == "ship"
    assert after.manifest.content_hash == before.manifest.content_hash
    assert after.hash != before.hash
    assert (folder / "evidence" / "report.html").read_text() == "<p>Ship.</p>"
    assert load(folder).hash == after.hash
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []


def test_finalize_refuses_a_damaged_candidate(folder: Path) -> None:
    (folder / "brief.yaml").write_text("schema: 1\n")
    with pytest.raises(DamagedError, match=r"brief\.yaml was changed"):
        finalize(folder, {})


def test_building_again_replaces_the_release_whole(shop: Shop, folder: Path) -> None:
    (folder / "stray.txt").write_text("left over")
    assert shop.build(folder).folder == folder
    assert not (folder / "stray.txt").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("weights.pkl", b"anything"),
        ("weights.bin", b"anything"),
        ("weights.txt", pickle.dumps({"a": 1})),
        ("weights.safetensors", pickle.dumps({"a": 1})),
    ],
)
def test_what_could_run_code_is_refused(shop: Shop, tmp_path: Path, name: str, content: bytes) -> None:
    model = shop.models["again"]
    place = tmp_path / "model"
    shutil.copytree(model.model_folder, place)
    (place / name).write_bytes(content)
    bad = replace(shop, models={"again": replace(model, model_folder=place)})
    with pytest.raises(UnsupportedError, match=name.replace(".", r"\.")):
        bad.build(tmp_path / "release")
    assert not (tmp_path / "release").exists()


def test_an_array_of_objects_is_refused(shop: Shop, tmp_path: Path) -> None:
    model = shop.models["again"]
    place = tmp_path / "model"
    shutil.copytree(model.model_folder, place)
    np.save(place / "objects.npy", np.array([{"a": 1}], object), allow_pickle=True)
    bad = replace(shop, models={"again": replace(model, model_folder=place)})
    with pytest.raises(UnsupportedError, match=r"objects\.npy holds a pickle"):
        bad.build(tmp_path / "release")


def test_a_link_is_refused(shop: Shop, tmp_path: Path) -> None:
    model = shop.models["again"]
    place = tmp_path / "model"
    shutil.copytree(model.model_folder, place)
    (place / "more.txt").symlink_to(place / "options.yaml")
    bad = replace(shop, models={"again": replace(model, model_folder=place)})
    with pytest.raises(UnsupportedError, match="is a link"):
        bad.build(tmp_path / "release")


def test_a_model_with_parameters_of_users_is_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MostPopular, "holds_users", True)
    with pytest.raises(UnsupportedError, match="no personal data"):
        shop.build(tmp_path / "release")


def test_a_predictor_cannot_answer_a_ranking_target(shop: Shop, tmp_path: Path) -> None:
    wrong = {"again": replace(shop.models["again"], group=plugins.PREDICTORS)}
    with pytest.raises(UnsupportedError, match="again"):
        replace(shop, models=wrong).build(tmp_path / "release")


def test_a_target_outside_the_brief_is_named(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'again'"):
        replace(shop, models={"agains": shop.models["again"]}).build(tmp_path / "release")


def test_a_catalogue_in_another_order_is_refused(shop: Shop, tmp_path: Path) -> None:
    mixed = shop.items.iloc[::-1].reset_index(drop=True)
    with pytest.raises(DataError, match="does not fit its vocabulary"):
        replace(shop, items=mixed).build(tmp_path / "release")


def test_a_naive_time_of_build_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="time zone"):
        build(
            tmp_path / "release",
            brief=shop.brief,
            targets=shop.models,
            vocabulary=shop.vocabulary,
            items=shop.items,
            features_hash="",
            evidence={},
            created=__import__("datetime").datetime(2026, 1, 1),
        )


def test_an_unwritable_place_is_an_output_error(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        shop.build(tmp_path / "file" / "release")


def test_evidence_stays_in_its_folder(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UnsupportedError, match="plain file name"):
        finalize(shop.build(tmp_path / "release").folder, {"../x.json": tmp_path / "x.json"})


def test_no_user_of_the_log_is_found_in_a_release(shop: Shop, candidate: Release) -> None:
    users = [user.encode() for user in shop.log.users.ids]
    assert len(users) > 200
    for path in candidate.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [user for user in users if user in content], path


def test_a_release_names_the_variable_of_a_database_password_and_not_its_value(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    text = shop.brief.dump().replace("events.parquet", "postgresql://reader:${SHOP_PASSWORD}@db/shop")
    folder = replace(shop, brief=type(shop.brief).parse(text)).build(tmp_path / "release").folder
    assert "reader:${SHOP_PASSWORD}@db" in (folder / "brief.yaml").read_text()
    assert all(b"hunter2" not in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_what_a_step_cache_leaves_beside_a_model_is_no_part_of_it(
    shop: Shop, candidate: Release, tmp_path: Path
) -> None:
    model = shop.models["again"]
    place = tmp_path / "model"
    shutil.copytree(model.model_folder, place)
    (place / "step.json").write_text('{"cost": 1.5}')
    again = replace(shop, models={**shop.models, "again": replace(model, model_folder=place)})
    assert again.build(tmp_path / "release").hash == candidate.hash


def test_a_fallback_is_released_beside_its_target_and_answers_under_the_same_rules(
    shop: Shop, tmp_path: Path
) -> None:
    made = load(shop.build_with_fallback(tmp_path / "release").folder)
    assert made.manifest.fallbacks["next-item"].model == "most-popular"
    assert made.manifest.fallbacks["next-item"].policy == "next-item/most-popular"
    requests = requests_at(shop.log, np.arange(4))
    answer = made.stand_in("next-item", requests, 5)
    assert answer.policy == "next-item/most-popular"
    had = requests.history.item_rows
    for row in range(4):
        assert not set(answer.rankings.items[row].tolist()) & {3, 4, 5, *had[row].tolist()}
    with pytest.raises(UnsupportedError, match="stands in"):
        made.stand_in("again", requests, 5)


def test_a_fallback_is_bound_by_the_content_hash(shop: Shop, tmp_path: Path) -> None:
    plain, spare = shop.build(tmp_path / "plain"), shop.build_with_fallback(tmp_path / "spare")
    assert plain.manifest.content_hash != spare.manifest.content_hash
    assert "fallbacks" not in (tmp_path / "plain" / "release.json").read_text("utf-8")
    (tmp_path / "spare" / "fallbacks" / "next-item" / "options.yaml").unlink()
    with pytest.raises(DamagedError, match="fallbacks/next-item"):
        load(tmp_path / "spare")


def test_a_fallback_stands_in_for_recommend_targets_alone(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="find"):
        build(
            tmp_path / "release",
            brief=shop.brief,
            targets=shop.models,
            vocabulary=shop.vocabulary,
            items=shop.items,
            features_hash="",
            evidence={},
            created=CREATED,
            fallbacks={"find": shop.models["find"]},
        )
