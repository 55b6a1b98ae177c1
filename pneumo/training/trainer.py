"""The training loop: epochs, averaged weights, and a state file from which a run goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from pneumo.data.memory import Images, logits
from pneumo.data.transforms import COPIES_SEED, degraded_copies
from pneumo.models.networks import Network
from pneumo.models.preprocess import Preprocessing
from pneumo.training.loader import EpochSampler, TrainingImages
from pneumo.training.losses import StepLoss
from pneumo.training.recipe import Recipe
from pneumo.training.state import read_state, write_state


class Trainer:
    """Trains one network, with its starting weights, after a recipe.

    `pretrained` are the top-level modules all of whose parameters had starting weights, `state` is
    the file of the resumable state, `teacher` a network to learn from, `workers` the processes that
    make images. `progress` is called after each step with (steps done, all steps, loss).
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        pretrained: tuple[str, ...],
        train: Images,
        validation: Images,
        preprocessing: Preprocessing,
        state: Path,
        log: Callable[[str], None],
        progress: Callable[[int, int, float], None],
        accelerator: Accelerator,
        teacher: Network | None = None,
        workers: int = 1,
    ) -> None:
        self.recipe, self.validation, self.preprocessing = recipe, validation, preprocessing
        self.state, self.log, self.progress = state, log, progress
        self.accelerator = accelerator
        torch.manual_seed(recipe.seed)
        for name in recipe.frozen:
            network.get_submodule(name).requires_grad_(False)
        # channels_last is a third faster on CPUs without AVX-512 and on tensor cores.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if accelerator.num_processes > 1 and accelerator.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self.network = network
        self.optimizer = torch.optim.AdamW(
            self._groups(pretrained), weight_decay=recipe.weight_decay, fused=True
        )
        if teacher is not None:
            teacher = teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss, self.optimizer = self.accelerator.prepare(
            StepLoss(network, recipe, teacher), self.optimizer
        )
        self.average = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True
        )
        self.sampler = EpochSampler(
            train.labels, recipe, self.accelerator.process_index, self.accelerator.num_processes
        )
        self.loader = DataLoader(
            TrainingImages(train, recipe, preprocessing),
            sampler=self.sampler,
            batch_size=recipe.batch // self.accelerator.num_processes,
            num_workers=workers,
            drop_last=True,
            prefetch_factor=4 if workers else None,
        )
        self.steps = len(self.loader)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer.optimizer if hasattr(self.optimizer, "optimizer") else self.optimizer,
            [group["lr"] for group in self.optimizer.param_groups],
            total_steps=self.steps * recipe.epochs + 1,
        )
        self.epoch = 0
        self.history: list[dict] = []

    def _groups(self, pretrained: tuple[str, ...]) -> list[dict]:
        """Parameters with their peak learning rates: modules with starting weights learn slower."""
        rate = self.recipe.learning_rate
        groups: dict[float, list] = {}
        for name, module in self.network.named_children():
            factor = self.recipe.pretrained_rate if name in pretrained else 1.0
            kept = [p for p in module.parameters() if p.requires_grad]
            if kept:
                groups.setdefault(rate * factor, []).extend(kept)
        return [{"params": parameters, "lr": lr} for lr, parameters in groups.items()]

    def run(self) -> nn.Module:
        """Train the epochs that are left; the averaged network, in eval mode, on the CPU.

        A FloatingPointError, with a sentence, when the loss is not finite.
        """
        while self.epoch < self.recipe.epochs:
            self._train_epoch()
        return self.averaged.to("cpu").eval()

    def _train_epoch(self) -> None:
        started = time.perf_counter()
        self.network.train()
        self.sampler.epoch = self.epoch
        reports = []
        for batch in self.loader:
            batch = {name: value.to(self.accelerator.device) for name, value in batch.items()}
            batch["image"] = batch["image"].to(memory_format=torch.channels_last)
            loss, report = self.loss(batch)
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(self.network)
            reports.append(report.cpu().numpy())
            if not math.isfinite(reports[-1][0]):
                raise FloatingPointError(
                    f"The loss is not finite in epoch {self.epoch + 1}. Lower learning_rate."
                )
            done = self.epoch * self.steps + len(reports)
            self.progress(done, self.steps * self.recipe.epochs, float(reports[-1][0]))
        self._close_epoch(np.array(reports), time.perf_counter() - started)

    @property
    def averaged(self) -> Network:
        """The network with the averaged weights."""
        return self.average.module  # type: ignore[return-value]

    def _close_epoch(self, reports: np.ndarray, seconds: float) -> None:
        self.epoch += 1
        if not self.accelerator.is_main_process:
            self.accelerator.wait_for_everyone()
            return
        clean, degraded = self._validate()
        loss, _, outside, location = parts = np.nanmean(reports, 0).tolist()
        names = "loss", "cross_entropy", "outside_share", "location_loss"
        entry = {"epoch": self.epoch, **dict(zip(names, parts, strict=True))}
        entry |= {"validation_auc": clean, "validation_auc_degraded": degraded, "seconds": seconds}
        self.history.append(entry)
        self.log(
            f"epoch {self.epoch}/{self.recipe.epochs}: loss {loss:.4f}, "
            f"validation AUC {clean:.4f}, degraded {degraded:.4f}, "
            f"evidence outside the lungs {outside:.3f}, "
            f"location loss {location:.3f}, {seconds:.0f} s"
        )
        write_state(
            self.state,
            {
                "recipe": self.recipe.record(),
                "epoch": self.epoch,
                "history": self.history,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "random": torch.get_rng_state(),
            },
        )
        self.accelerator.wait_for_everyone()

    def _validate(self) -> tuple[float, float]:
        """AUC of the averaged weights on validation images as they are, and degraded."""
        network = self.averaged
        squares = np.stack([self.preprocessing.square(s) for s in self.validation.squares])
        copies = degraded_copies(squares, COPIES_SEED, 0.6)
        clean, degraded = (logits(network, s, self.preprocessing) for s in (squares, copies))
        y = self.validation.labels
        return float(roc_auc_score(y, clean)), float(roc_auc_score(y, degraded))

    def resume(self) -> None:
        """Go on after the last whole epoch of the state file; a StateError as `read_state`."""
        state = read_state(self.state, self.recipe.record())
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self.epoch, self.history = state["epoch"], state["history"]
