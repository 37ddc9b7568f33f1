"""One step of learning: gradients of some batches, clipped, given to AdamW; the running average of the weights.

All chance of a step is a function of (seed, step), so there is no state of a random generator to save.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError, DivergedError, TooLargeError, UnsupportedError
from mercer.training.options import TrainingOptions
from mercer.training.place import Place, seed_of
from mercer.training.trainee import Rows, Trainee

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW remembers of each weight."""


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step: mean loss of a term, norm of the gradient before it was cut, and whether some process wants to end."""

    loss: float
    norm: float
    hurried: bool


class Learner:
    """A trainee's weights on their way. Raises TooLargeError where what it must hold does not fit into memory."""

    def __init__(self, trainee: Trainee, options: TrainingOptions, *, seed: int, place: Place) -> None:
        import torch

        self.trainee = trainee
        self.options = options
        self.place = place
        self._seed = seed
        self._generator = torch.Generator(device=place.device)
        module = trainee.module.to(place.device)
        self.weights: Tensors = {
            name: weight for name, weight in module.named_parameters() if weight.requires_grad
        }
        if not self.weights:
            raise DataError("The module has no weight to train.", remedy="Set requires_grad on what learns.")
        _check_memory(self.weights, place, copies=5 if options.average else 4)
        saved = module.state_dict().keys()
        self.buffers: Tensors = {name: one for name, one in module.named_buffers() if name in saved}
        with torch.no_grad():
            place.same_weights([weight.data for weight in self.weights.values()])
            place.same_weights(list(self.buffers.values()))
        self.averages: Tensors = {}
        self._take_averages()
        self._best: Tensors | None = None
        self._optimizer = self._new_optimizer()
        if options.compile:
            _check_compiler(place)
            module.compile(dynamic=True)

    @property
    def n_weights(self) -> int:
        """How many numbers are learned."""
        return sum(weight.numel() for weight in self.weights.values())

    def _new_optimizer(self) -> torch.optim.AdamW:
        import torch

        weights = list(self.weights.values())
        decayed = [weight for weight in weights if weight.ndim > 1]
        rest = [weight for weight in weights if weight.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.options.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        betas = (0.9, self.options.beta2)
        return torch.optim.AdamW([group for group in groups if group["params"]], betas=betas, fused=True)

    def step(self, batches: Sequence[Rows], *, step: int, rate: float, hurry: bool = False) -> Stepped:
        """Learn from some batches; `step` counts from 0.

        The loss is the mean over all terms of all batches and processes. hurry: this process wants to end; all are
        told. Raises DivergedError, before the weights change, where the loss or its gradient is no number.
        """
        import torch

        module = self.trainee.module.train()
        total = torch.zeros(3, dtype=torch.float64, device=self.place.device)
        total[2] = float(hurry)
        for number, batch in enumerate(batches):
            rows = self.place.part(batch)
            self._generator.manual_seed(seed_of(self._seed, step, number))
            torch.manual_seed(seed_of(self._seed, step, number, self.place.rank + 1))
            if not len(rows):
                continue
            with _clear_memory(self.options), self.place.autocast():
                loss, terms = self.trainee.loss(rows, self._generator)
            with _clear_memory(self.options):
                loss.backward()  # type: ignore[no-untyped-call]
            total[0] += loss.detach()
            total[1] += terms
        gradients = self._gradients()
        self.place.add_up(gradients)
        self.place.add_up([total])
        summed, terms, hurried = total.tolist()
        if not terms > 0:
            raise DataError(
                f"The batches of step {step} have no term to learn from.",
                remedy="Leave rows without a target out of the training rows.",
            )
        torch._foreach_div_(gradients, terms)
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), self.options.clip or math.inf).item()
        if not (math.isfinite(summed) and math.isfinite(norm)):
            self._optimizer.zero_grad(set_to_none=True)
            raise DivergedError(
                f"The loss of step {step} is {summed / terms:.4g}, the norm of its gradient {norm:.4g} "
                f"(learning rate {rate:.3g}).",
                remedy="Lower `learning_rate`, lengthen `warmup`, set `clip`, or look for NaN in the features.",
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._average(step)
        module.eval()
        return Stepped(summed / terms, norm, hurried > 0)

    def _gradients(self) -> list[torch.Tensor]:
        """The gradient of every weight; zeros where a batch gave none, so that all processes add up the same."""
        import torch

        for weight in self.weights.values():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        return [weight.grad for weight in self.weights.values() if weight.grad is not None]

    def _take_averages(self) -> None:
        if self.options.average:
            self.averages = {name: weight.detach().clone() for name, weight in self.weights.items()}

    def _average(self, step: int) -> None:
        """Move the averages towards the weights; the first steps weigh more, lest the start is remembered."""
        import torch

        if self.averages:
            kept = min(self.options.average, (1 + step) / (10 + step))
            weights = [weight.detach() for weight in self.weights.values()]
            torch._foreach_lerp_(list(self.averages.values()), weights, 1.0 - kept)

    def validate(self) -> float | None:
        """The trainee's metric, of the averaged weights where they are kept; measured by rank 0, told to all.

        Raises DivergedError where it is not a number.
        """
        value: float | None = None
        if self.place.writes:
            import torch

            with torch.no_grad(), self._averaged(), _clear_memory(self.options), self.place.autocast():
                self.trainee.module.eval()
                value = self.trainee.validate()
        has, told = self.place.from_first([float(value is not None), value or 0.0])
        if math.isnan(told):
            raise DivergedError(
                "The validation metric is not a number.",
                remedy="Look for NaN in the features, or a validation part without answers.",
            )
        return told if has else None

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights in the module's place, while it lasts."""
        kept = (
            {name: weight.detach().clone() for name, weight in self.weights.items()} if self.averages else {}
        )
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(kept)

    def _put(self, weights: Mapping[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, weight in weights.items():
                self.weights[name].copy_(weight)

    def current(self) -> Tensors:
        """What would be kept were the training to end now: the averaged weights, or the weights."""
        return self.averages or {name: weight.detach() for name, weight in self.weights.items()}

    def keep_best(self, weights: Mapping[str, torch.Tensor] | None = None) -> None:
        """Remember weights, on the CPU, as the best so far; left out: the current ones."""
        self._best = {
            name: one.detach().to("cpu", copy=True) for name, one in (weights or self.current()).items()
        }

    def take_best(self) -> None:
        """Leave the best weights in the module; the current ones where none were kept."""
        self._put(self._best if self._best is not None else self.averages)
        self.trainee.module.eval()

    def tensors(self) -> dict[str, Tensors]:
        """All that decides how it goes on, by file: weights, buffers, what AdamW remembers, averages."""
        remembered: Tensors = {}
        for name, weight in self.weights.items():
            for moment in MOMENTS if weight in self._optimizer.state else ():
                remembered[f"{moment}.{name}"] = self._optimizer.state[weight][moment]
        found: dict[str, Tensors] = {
            "weights": {name: weight.detach() for name, weight in self.weights.items()},
            "buffers": self.buffers,
            "optimizer": remembered,
            "averages": self.averages,
        }
        return {file: tensors for file, tensors in found.items() if tensors}

    def restore(self, found: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Go on from what `tensors` gave."""
        import torch

        with torch.no_grad():
            self._put(found["weights"])
            for name, one in found.get("buffers", {}).items():
                self.buffers[name].copy_(one)
            for name, one in found.get("averages", {}).items():
                self.averages[name].copy_(one)
        self._optimizer = self._new_optimizer()
        remembered = found.get("optimizer", {})
        for name, weight in self.weights.items():
            state: dict[str, Any] = {
                moment: remembered[f"{moment}.{name}"].to(
                    weight.device, copy=True, memory_format=torch.preserve_format
                )
                for moment in MOMENTS
                if f"{moment}.{name}" in remembered
            }
            if state:
                self._optimizer.state[weight] = state

    def snapshot(self) -> dict[str, Tensors]:
        """A copy of `tensors`."""
        return {
            file: {name: one.detach().clone() for name, one in tensors.items()}
            for file, tensors in self.tensors().items()
        }


def _check_memory(weights: Mapping[str, torch.Tensor], place: Place, *, copies: int) -> None:
    """Weights, gradients, two moments and the averages have to fit; on a GPU beside what is there already."""
    import psutil
    import torch

    needed = copies * sum(weight.numel() * weight.element_size() for weight in weights.values())
    on_gpu = place.device.type == "cuda"
    has = torch.cuda.mem_get_info(place.device)[0] if on_gpu else psutil.virtual_memory().available
    if needed > has:
        raise TooLargeError(
            f"Training these weights needs {needed / 2**20:,.0f} MiB before the first batch; "
            f"{has / 2**20:,.0f} MiB are free.",
            remedy="Make the model smaller (its width or its vocabulary), or use a larger machine.",
        )


def _check_compiler(place: Place) -> None:
    """On a CPU torch.compile writes C++; a GPU brings a compiler of its own."""
    if place.device.type == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise UnsupportedError(
            "`compile` needs a C++ compiler, and there is none.",
            remedy="Set compile to false, or install one (apt-get install g++).",
        )


@contextmanager
def _clear_memory(options: TrainingOptions) -> Iterator[None]:
    """Say in the project's words that memory did not suffice, and which option helps."""
    import torch

    try:
        yield
    except (MemoryError, RuntimeError) as fault:
        # A GPU has an error of its own for it; the CPU's is a RuntimeError like any other.
        known = isinstance(fault, (MemoryError, torch.OutOfMemoryError))
        if not known and "DefaultCPUAllocator" not in str(fault):
            raise
        raise TooLargeError(
            f"A batch of {options.batch_tokens:,} cost units needs more memory than there is.",
            remedy=f"Set batch_tokens to {max(1, options.batch_tokens // 2)} and accumulate to "
            f"{options.accumulate * 2}: the steps stay nearly the same.",
        ) from fault
