"""bfloat16 in training: where it is taken, and that it computes the same step but for rounding."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch

from pneumo.training.precision import in_bf16, repeatable
from pneumo.training.processes import Processes
from pneumo.training.recipe import Recipe
from tests.train import several

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("flags", [{"avx512_bf16": True}, {"amx_bf16": True},
                                   {"avx512_bf16": False, "avx2": True}, {}, None])
def test_a_processor_takes_it_where_it_multiplies_it(flags, monkeypatch):
    if flags is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    native = bool(flags) and any(value for name, value in flags.items() if "bf16" in name)
    assert in_bf16("auto", CPU) is native and in_bf16("auto", CUDA)
    for device in (CPU, CUDA):
        assert in_bf16("bf16", device) and not in_bf16("fp32", device)


def test_another_precision_is_refused():
    with pytest.raises(ValueError, match="--precision takes auto, bf16, fp32, not 'fp16'"):
        replace(Recipe("cnn"), precision="fp16")


def test_a_step_in_bf16_is_the_step_in_fp32_but_for_rounding():
    # The answer's loss alone: evidence near nothing, as an untrained network's is, changes its sign
    # by rounding.
    exact, coarse = (several.one_step(Processes(), name, lung_evidence=0.0)
                     for name in ("fp32", "bf16"))
    assert exact.keys() == coarse.keys()
    for name, value in exact.items():
        found = coarse[name]
        assert found.dtype == torch.float32
        alike = torch.nn.functional.cosine_similarity(found.flatten(), value.flatten(), dim=0)
        assert alike > 0.9, (name, float(alike))
        if "running" in name or name == "report":
            torch.testing.assert_close(found, value, rtol=0.02, atol=0.01)
    weight = "gradient of block1.1.weight"
    assert not torch.equal(coarse[weight], exact[weight])  # else it was computed in float32


def test_a_cuda_device_is_asked_to_repeat_itself_and_a_processor_need_not_be(monkeypatch):
    kept = (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32,
            torch.utils.deterministic.fill_uninitialized_memory)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "mine")
    try:
        repeatable(CPU)
        assert not torch.are_deterministic_algorithms_enabled()
        repeatable(CUDA)
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == "mine"
    finally:
        torch.use_deterministic_algorithms(False)
        (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32,
         torch.utils.deterministic.fill_uninitialized_memory) = kept
