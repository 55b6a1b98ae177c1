"""The training loop: phases, epochs, averaged weights, and a state file that survives a kill."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pneumo.data.memory import Films, logits
from pneumo.data.transforms import COPIES_SEED, degraded_copies
from pneumo.evaluation.curves import Curves
from pneumo.evaluation.metrics import auc
from pneumo.models.preprocess import Preprocessing
from pneumo.training.batches import Batch, Batches
from pneumo.training.blend import MovingAverage, blended
from pneumo.training.loss import StepLoss
from pneumo.training.precision import in_bf16
from pneumo.training.processes import Processes
from pneumo.training.recipe import Phase, Recipe, phases
from pneumo.training.shared_layers import Place, share_layers
from pneumo.training.state import read_state, write_state


class Trainer:
    """Trains one network after a recipe.

    Args:
        network: with its starting weights.
        recipe: what to do.
        fresh: top-level modules without starting weights.
        train, validation: films in memory.
        preprocessing: of the network.
        state_file: where the state is kept after every epoch, with the curves beside it, or None.
        log: called with each line worth keeping.
        progress: called for each step with (steps done, all steps, loss).
        teacher: a trained network for phases that distil, or None.
        sitting: what is to be told of this start or resumption, json values.
        processes: that train together. All are given the same films, recipe and starting weights;
            the first alone validates, logs and writes.

    Raises:
        ValueError: with a sentence, when a step has fewer films than there are processes, or a
            phase distils and there is no teacher.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, fresh: tuple[str, ...], train: Films,
        validation: Films, preprocessing: Preprocessing, state_file: Path | None = None,
        log: Callable[[str], None] = print,
        progress: Callable[[int, int, float], None] = lambda done, total, loss: None,
        processes: Processes | None = None, teacher: nn.Module | None = None,
        sitting: dict | None = None,
    ) -> None:
        self.processes = processes or Processes()
        self.device = self.processes.device
        # channels_last is a third faster on CPUs without AVX-512 and on tensor cores.
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.average = MovingAverage(self.network, recipe.ema)
        if teacher is not None:
            teacher = teacher.to(self.device, memory_format=torch.channels_last)
            teacher = teacher.eval().requires_grad_(False)
        self.teacher, self.place = teacher, Place()
        self.bf16 = in_bf16(recipe.precision, self.device)
        self.network = share_layers(self.network, self.processes, self.place)
        self.processes.same_random_numbers()
        self.recipe, self.validation = recipe, validation
        self.batches = Batches(train, recipe, preprocessing, self.processes.share, self.device)
        steps = self.batches.indices(0)
        if min(map(len, steps)) < self.processes.count:
            raise ValueError(
                f"Steps of {recipe.batch} films are too small to be shared by "
                f"{self.processes.count} processes. Raise --batch or start fewer."
            )
        self.preprocessing, self.state_file = preprocessing, state_file
        self.log, self.progress = log, progress
        self.phases = phases(recipe, fresh)
        if teacher is None and any(phase.distil for phase in self.phases):
            raise ValueError("A recipe that distils needs a trained network: --teacher CARD.")
        self.history: list[dict] = []
        self.sittings = [{"after_epoch": 0, **(sitting or {})}]
        self.earlier: dict[str, torch.Tensor] | None = None  # what the lung epochs started from
        self.epoch = 0
        self.steps_an_epoch = len(steps)
        self.total_epochs = sum(phase.epochs for phase in self.phases)
        kept = state_file is not None and self.processes.first
        self.curves = Curves(state_file.parent) if kept else None

    def run(self, stop_after: int | None = None) -> nn.Module:
        """Train to the end, or for `stop_after` epochs.

        Returns:
            the averaged network in eval mode; at the end, in it, the recipe's share of the weights
            from before the lung epochs.

        Raises:
            FloatingPointError: when the loss is no longer a number.
        """
        last = self.total_epochs if stop_after is None else self.epoch + stop_after
        start = 0
        for phase in self.phases:
            end = start + phase.epochs
            if start <= self.epoch < end:
                if self.epoch == start:
                    self._enter(phase)
                while self.epoch < min(end, last):
                    self._epoch(phase)
            start = end
        network, share = self.average.module.eval(), self.recipe.before_lungs
        if self.epoch < self.total_epochs or self.earlier is None or not share:
            return network
        network = blended(network, self.earlier, share)
        if self.processes.first:
            clean, degraded = self._validate(network, self._size())
            self.log(
                f"{share:.0%} of the weights from before the lung epochs blended in: validation "
                f"AUC {clean:.4f}, degraded {degraded:.4f}"
            )
        return network

    def resume(self) -> None:
        """Continue from the state file: weights, averages, optimiser, schedule, random state.

        Raises:
            ResumeError: when there is none, or it belongs to another recipe.
        """
        state = self.processes.from_first(lambda: read_state(self.state_file, self.recipe))
        self.epoch, self.history = state["epoch"], state["history"]
        begun = state.get("sittings") or [{"after_epoch": 0}]
        self.sittings = [*begun, {**self.sittings[0], "after_epoch": self.epoch}]
        start = 0
        for phase in self.phases:
            if start < self.epoch <= start + phase.epochs:
                self._enter(phase, state.get("earlier"))
                self.optimiser.load_state_dict(state["optimiser"])
                self.schedule.load_state_dict(state["schedule"])
            start += phase.epochs
        self.earlier = state.get("earlier")  # older states have none: nothing is blended in
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda" and state.get("random_cuda") is not None:
            torch.cuda.set_rng_state(state["random_cuda"])
        if self.curves:
            self.curves.resume(self.epoch)

    def _enter(self, phase: Phase, earlier: dict[str, torch.Tensor] | None = None) -> None:
        """Freeze and thaw, and start this phase's optimiser and learning-rate cycle; `earlier` are
        the weights it started from, when it is resumed."""
        teacher = self.teacher
        if phase.from_average:
            earlier = earlier or self.average.module.state_dict()
            self.network.load_state_dict(earlier)
            self.earlier = {name: value.detach().clone() for name, value in earlier.items()}
        if phase.keep:
            teacher = deepcopy(self.network).eval().requires_grad_(False)
        for name, module in self.network.named_children():
            module.requires_grad_(name not in phase.frozen)
        groups = self._groups(phase)
        self.optimiser = torch.optim.AdamW(groups, lr=phase.learning_rate, fused=True)
        steps = phase.epochs * self.steps_an_epoch
        # With exactly one step of rise, torch's schedule divides by zero.
        rise = 0.25 if 0.25 * steps != 1 else 0.5
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, [group["lr"] for group in groups], steps, pct_start=rise
        )
        # Anew in every phase: what is averaged is what this phase trains.
        self.loss = self.processes.averaging(
            StepLoss(
                self.network, self.recipe.label_smoothing, self.processes, self.place,
                teacher, self.bf16,
            )
        )

    def _groups(self, phase: Phase) -> list[dict]:
        """What trains, in groups by learning rate and weight decay; the full rate's come first."""
        parts: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, module in self.network.named_children():
            for weight in module.parameters():
                if weight.requires_grad:
                    slow = phase.slow_rate != 1 and name in phase.slow
                    parts.setdefault((slow, weight.ndim <= 1), []).append(weight)
        return [
            {"params": weights, "lr": phase.learning_rate * (phase.slow_rate if slow else 1),
             "weight_decay": 0.0 if plain else self.recipe.weight_decay}
            for (slow, plain), weights in sorted(parts.items(), key=lambda part: part[0])
        ]

    def _size(self) -> int:
        low = self.epoch < self.recipe.low_epochs
        return self.recipe.low_size if low else self.recipe.size

    def _epoch(self, phase: Phase) -> None:
        self._started, self._reports = time.perf_counter(), []
        self.network.train()
        for name in phase.frozen:
            getattr(self.network, name).eval()
        before = None
        for batch in self.batches.epoch(self.epoch, self._size(), phase):
            rate = self.schedule.get_last_lr()[0]
            report = self.step(batch.to(self.device), phase)
            if before is not None:
                self._note(*before)
            # Read one step late: an accelerator need not be waited for.
            before = report, rate
        self._note(*before)
        self._close_epoch(phase)

    def step(self, batch: Batch, phase: Phase) -> torch.Tensor:
        """One optimiser step on this process's films, which are on the device.

        Returns:
            float32, (2,): the whole step's loss and share of misplaced evidence, which is not a
            number where no film's evidence was judged.
        """
        loss, report = self.loss(batch, phase)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.average.update(self.network)
        return report

    def _note(self, report: torch.Tensor, rate: float) -> None:
        """Look at a step's loss, for the eye and for the curves."""
        loss, misplaced = report.tolist()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss is no number any more in epoch {self.epoch + 1}. Lower --learning-rate."
            )
        self._reports.append((loss, misplaced))
        done = self.epoch * self.steps_an_epoch + len(self._reports)
        if self.curves:
            self.curves.step(self.epoch + 1, done, loss, misplaced, rate, self._seconds())
        self.progress(done, self.total_epochs * self.steps_an_epoch, loss)

    def _seconds(self) -> float:
        """Seconds of training so far, those before a resume included."""
        past = sum(entry["seconds"] for entry in self.history)
        return past + time.perf_counter() - self._started

    def _close_epoch(self, phase: Phase) -> None:
        size = self._size()
        clean, degraded = self.processes.from_first(
            lambda: self._validate(self.average.module, size))
        losses, outside = zip(*self._reports, strict=True)
        outside = [share for share in outside if not math.isnan(share)]
        self.epoch += 1
        entry = {
            "epoch": self.epoch, "phase": phase.name, "size": size,
            "loss": float(np.mean(losses)),
            "evidence_misplaced": float(np.mean(outside)) if outside else None,
            "validation_auc": clean, "validation_auc_degraded": degraded,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "seconds": time.perf_counter() - self._started,
        }
        self.history.append(entry)
        if not self.processes.first:
            return
        self.log(
            f"epoch {self.epoch}/{self.total_epochs} {phase.name} {size} px: "
            f"loss {entry['loss']:.4f}, validation AUC {clean:.4f}, degraded {degraded:.4f}, "
            + (f"evidence misplaced {entry['evidence_misplaced']:.3f}, " if outside else "")
            + f"{entry['seconds']:.0f} s"
        )
        self._keep()
        if self.curves:
            seconds = sum(one["seconds"] for one in self.history)
            self.curves.epoch(entry, self.epoch * self.steps_an_epoch, seconds)

    def _validate(self, network: nn.Module, size: int) -> tuple[float, float]:
        """AUC of a network on validation films as they are, and degraded."""
        at_size = Preprocessing(size, self.preprocessing.mean, self.preprocessing.std)
        squares = np.stack([at_size.square(s) for s in self.validation.squares])
        copies = degraded_copies(squares, COPIES_SEED, 0.6)
        y = self.validation.labels
        return tuple(auc(y, logits(network, s, at_size)) for s in (squares, copies))

    def _keep(self) -> None:
        cuda = self.device.type == "cuda"
        write_state(self.state_file, {
            "recipe": self.recipe.record(), "epoch": self.epoch, "history": self.history,
            "sittings": self.sittings,
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "earlier": self.earlier,
            "optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state() if cuda else None,
        })
