"""Fine-tuning of decoders, through the one training loop: answers after prompts, or preferences between two.

options.py     FineTuningOptions: method (lora, full, dpo) and what it needs
examples.py    Example and Preference, as tokens; what is left out, and why
packing.py     several examples in a row, none of which sees another
network.py     a model as the loop trains it: log-probabilities of answer tokens
weights.py     which weights learn: small matrices, or all; added tokens
supervised.py  the trainee of examples
preference.py  the trainee of preferences
adapters.py    adapters in folders: written, described, merged
storing.py     fine-tuned models in the model store
files.py       examples from a file of JSON lines
finetune.py    `finetune`, `estimate_finetuning`

PyTorch, Transformers and peft are imported inside functions: `pip install 'mercer[decoder]'`.
Stability: experimental.
"""

from mercer.language.decoders.decoder import ADAPTER_CARD
from mercer.language.finetuning.adapters import AdapterCard, merged
from mercer.language.finetuning.examples import Example, LeftOut, Preference, tokens
from mercer.language.finetuning.files import read_examples, write_quarantine
from mercer.language.finetuning.finetune import FineTuned, estimate_finetuning, finetune
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.storing import store_merged, store_model

__all__ = [
    "ADAPTER_CARD",
    "AdapterCard",
    "Example",
    "FineTuned",
    "FineTuningOptions",
    "LeftOut",
    "Preference",
    "estimate_finetuning",
    "finetune",
    "merged",
    "read_examples",
    "store_merged",
    "store_model",
    "tokens",
    "write_quarantine",
]
