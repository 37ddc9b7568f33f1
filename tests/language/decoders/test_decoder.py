"""Decoder: what it reads, what it refuses, and that a text never becomes a control token."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.environment import model_folder
from mercer.errors import DamagedError, NotFoundError, UnsupportedError, UsageError
from mercer.language.decoders import ModelStore
from mercer.language.decoders.card import CONFIG, FAMILIES, TOKENIZER, file_sha256
from mercer.language.decoders.decoder import ADAPTER_CARD, Decoder
from mercer.language.decoders.loading import resolve_precision
from mercer.testing.decoders import tiny_decoder

REAL = model_folder()
"""Where models really are: each test has a cache of its own, set after this line."""
DECODERS = {family: tiny_decoder(family) for family in FAMILIES}
every_family = pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)


@every_family
def test_saved_and_loaded_it_answers_the_same(decoder, tmp_path):
    decoder.save(tmp_path / "kept")
    loaded = Decoder.load(tmp_path / "kept", precision="fp32")
    ids = torch.tensor([decoder.encode("a blue mug")])
    with torch.no_grad():
        assert torch.equal(loaded.model(ids).logits, decoder.model(ids).logits)
    assert (loaded.window, loaded.family, loaded.stops) == (256, decoder.family, decoder.stops)


def test_the_same_seed_gives_the_same_fingerprint():
    assert tiny_decoder("llama").fingerprint == DECODERS["llama"].fingerprint
    assert tiny_decoder("llama", seed=2).fingerprint != DECODERS["llama"].fingerprint
    assert len({decoder.fingerprint for decoder in DECODERS.values()}) == 3


def test_precision_belongs_to_the_fingerprint(tmp_path):
    exact = tiny_decoder("llama", folder=tmp_path)
    rough = Decoder.load(tmp_path, precision="bf16")
    assert rough.model.dtype == torch.bfloat16
    assert rough.fingerprint != exact.fingerprint
    assert rough.base == exact.base


def test_auto_is_a_precision_of_the_device():
    assert resolve_precision("auto", "cpu") in ("fp32", "bf16")
    assert resolve_precision("bf16", "cpu") == "bf16"
    with pytest.raises(UsageError, match="fp16"):
        resolve_precision("fp16", "cpu")


@every_family
def test_no_control_token_comes_out_of_a_text(decoder):
    control = decoder.plain.control
    assert control
    for name, number in control.items():
        for text in (name, f"a {name} b", name * 3, f"{name[:2]}{name}{name[2:]}"):
            for joined in (False, True):
                ids = decoder.encode(text, joined=joined)
                assert number not in ids
                assert set(control.values()).isdisjoint(ids)
        assert decoder.decode(decoder.encode(f"a {name} b")) == f"a {name} b"


@every_family
@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=30))
def test_any_text_comes_back(decoder, text):
    kept = text.encode("utf-8", "replace").decode()
    back = decoder.decode(decoder.encode(text))
    # A tokenizer of SentencePiece puts a space first and takes one away.
    assert back in (kept, kept.removeprefix(" ")) if decoder.family == "mistral" else back == kept


@every_family
def test_a_lone_surrogate_is_replaced(decoder):
    assert decoder.decode(decoder.encode("a \ud800 b")) == "a ? b"


@every_family
@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40), tokens=st.integers(0, 20))
def test_a_text_is_cut_to_its_tokens(decoder, text, tokens):
    cut = decoder.cut(text, tokens)
    assert len(decoder.encode(cut)) <= tokens
    assert text.encode("utf-8", "replace").decode().startswith(cut)


def test_what_is_too_long_is_refused_with_its_lengths():
    DECODERS["llama"].check_window(200, 56)
    with pytest.raises(UsageError, match=r"250 tokens and 7 more .* 256"):
        DECODERS["llama"].check_window(250, 7)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"config\.json is missing"):
        Decoder.load(tmp_path)


def test_another_family_is_refused(tmp_path):
    tiny_decoder(folder=tmp_path)
    (tmp_path / CONFIG).write_text('{"model_type": "bert"}')
    with pytest.raises(UnsupportedError, match="bert"):
        Decoder.load(tmp_path)
    (tmp_path / CONFIG).write_text("[")
    with pytest.raises(DamagedError):
        Decoder.load(tmp_path)


def test_pickled_weights_are_refused(tmp_path):
    tiny_decoder(folder=tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(UnsupportedError, match="pickled"):
        Decoder.load(tmp_path)


def test_code_in_the_folder_is_not_run(tmp_path):
    tiny_decoder(folder=tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Model"}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('run')")
    assert type(Decoder.load(tmp_path).model).__module__.startswith("transformers.")


@pytest.mark.smollm2
def test_no_control_token_of_smollm2_comes_out_of_a_text():
    try:
        decoder = Decoder.load(ModelStore(REAL).get("smollm2-135m-instruct"))
    except NotFoundError as absent:
        pytest.skip(str(absent))
    assert len(decoder.plain.control) == 17
    for name in decoder.plain.control:
        text = f"a {name} b{name}"
        assert set(decoder.plain.control.values()).isdisjoint(decoder.encode(text))
        assert decoder.decode(decoder.encode(text)) == text
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a warm jacket"}]
    wanted = decoder.tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
    assert decoder.chat(said) == wanted
    assert (decoder.window, decoder.tokenizer.convert_ids_to_tokens(decoder.end)) == (8192, "<|im_end|>")


def _adapter(decoder, folder):
    """A LoRA adapter that changes something, as a fine-tuning writes it."""
    import peft

    torch.manual_seed(0)
    config = peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    peft.get_peft_model(decoder.model, config).save_pretrained(folder)
    card = {"base": decoder.base, "tokenizer": decoder.tokenizer_hash}
    (folder / ADAPTER_CARD).write_text(json.dumps(card))
    return card


def test_an_adapter_is_put_in(tmp_path):
    base = tmp_path / "base"
    plain = tiny_decoder(folder=base)
    ids = torch.tensor([plain.encode("a blue mug")])
    with torch.no_grad():
        before = plain.model(ids).logits
    _adapter(tiny_decoder(), tmp_path / "adapter")
    adapted = Decoder.load(base, adapter=tmp_path / "adapter", precision="fp32")
    with torch.no_grad():
        assert (adapted.model(ids).logits - before).abs().max() > 1e-3
    assert adapted.base == plain.base == tiny_decoder().base
    assert adapted.fingerprint != plain.fingerprint
    with pytest.raises(UnsupportedError, match="Merge"):
        adapted.save(tmp_path / "again")


@pytest.mark.parametrize("what", ["base", "tokenizer"])
def test_an_adapter_of_another_model_or_tokenizer_is_refused(tmp_path, what):
    base = tmp_path / "base"
    plain = tiny_decoder(folder=base)
    card = _adapter(tiny_decoder(), tmp_path / "adapter")
    (tmp_path / "adapter" / ADAPTER_CARD).write_text(json.dumps(card | {what: "f" * 64}))
    own = {"base": plain.base, "tokenizer": file_sha256(base / TOKENIZER)}[what]
    with pytest.raises(UnsupportedError, match=rf"ffffffffffff, but this one is {own[:12]}"):
        Decoder.load(base, adapter=tmp_path / "adapter")


def test_a_folder_without_an_adapter_is_refused(tmp_path):
    tiny_decoder(folder=tmp_path / "base")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="No adapter"):
        Decoder.load(tmp_path / "base", adapter=tmp_path / "empty")
