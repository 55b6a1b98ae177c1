"""Evidence maps: where in a radiograph the logit comes from, by class activation methods.

A method is one small class in `METHODS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # serving does without PyTorch, see pneumo.models.runtime
    import torch

    from pneumo.models.networks import Network


class CamMethod(ABC):
    """From a feature map and the logit's gradient to a signed map of evidence.

    A subclass sets `name` and `combine`, and is entered into `METHODS`.
    """

    name: str

    @abstractmethod
    def combine(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The map, float32 (N, h, w), of features (N, C, h, w): positive speaks for pneumonia.

        `gradient` is the logit's by every cell's features, float32, (N, C, 1, 1): every head
        begins with global average pooling, so it is the same in all cells.
        """


class GradCam(CamMethod):
    """Grad-CAM before its ReLU (Selvaraju et al. 2017): the gradient's spatial mean weighs each
    channel. For a linear head its sum is the logit less the bias; HiResCAM and the class activation
    map are then the same map."""

    name = "grad-cam"

    def combine(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return (gradient * features).sum(1)


METHODS: dict[str, CamMethod] = {method.name: method for method in (GradCam(),)}


def evidence_map(
    network: Network,
    features: torch.Tensor,
    *,
    differentiable: bool = False,
    method: str = GradCam.name,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N,) and evidence maps (N, h, w), float32, in units of the logit, not rescaled.

    The gradient of the head is taken by way of the mean of the features, (N, C, h, w); nothing
    below them is differentiated. Both are detached unless `differentiable`, for a training loss
    on the map. A ValueError when `METHODS` has no such method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no CAM method '{method}'. Known: {', '.join(METHODS)}.")
    import torch

    with torch.enable_grad():
        f = features if differentiable else features.detach()
        cells = f.shape[2] * f.shape[3]
        mean = f.sum((2, 3), keepdim=True) / cells
        if not mean.requires_grad:
            mean = mean.requires_grad_()
        logits = network.head(mean)
        gradient = torch.autograd.grad(logits.sum(), mean, create_graph=differentiable)[0]
        found = METHODS[method].combine(f, gradient / cells)
    return (logits, found) if differentiable else (logits.detach(), found.detach())


def evidence(
    network: Network, x: torch.Tensor, method: str = GradCam.name
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N,) and maps (N, h, w) of a preprocessed batch, float32 (N, 1, S, S), detached."""
    import torch

    with torch.no_grad():
        features = network.features(x)
    return evidence_map(network, features, method=method)
