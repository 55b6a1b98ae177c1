"""The change stories of docs/extending.md, with the code that the page prints."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pneumo.imaging import precheck
from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.worker import decode
from pneumo.models.card import write_card
from pneumo.models.checkpoint import available_models, default_model, save_weights
from pneumo.models.networks import NETWORKS, Network, bilateral, build, register
from pneumo.reading.decision import Policy
from pneumo.reading.explanation import METHODS, CamMethod, evidence
from pneumo.reading.reader import Reader
from tests.cards import whole_card
from tests.radiographs import synthetic
from tests.served import ROOT
from tests.unit.commands.shell import run
from tests.unit.imaging.files import picture

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
IMAGE = synthetic(1, size=128)
NAMES = {
    "CamMethod": CamMethod, "METHODS": METHODS, "Network": Network, "nn": nn,
    "bilateral": bilateral, "register": register, "torch": torch,
}  # fmt: skip


def story(title: str) -> str:
    """The code of a section of the page."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```python\n(.*?)```", section, re.S))


@pytest.fixture
def own(stand_ins, tmp_path, monkeypatch) -> Path:
    """A folder of stand-in checkpoints to add to; registries are put back afterwards."""
    folder = shutil.copytree(stand_ins, tmp_path / "checkpoints")
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(folder))
    kept = dict(NETWORKS), dict(METHODS)
    yield folder
    for registry, before in zip((NETWORKS, METHODS), kept, strict=True):
        registry.clear()
        registry.update(before)


def test_a_third_network(own, capsys):
    default = default_model()
    exec(story("A third network"), dict(NAMES))
    network = build("densenet121").eval()
    write_card(whole_card("densenet121", network.title, save_weights(network, own)), own)
    assert available_models() == ("cnn", "densenet121", "resnet18")
    assert default_model() == default
    reading = Reader("densenet121", input_check=False).predict(IMAGE)
    assert reading.ok and reading.evidence.ndim == 2 and min(reading.evidence.shape) > 1
    # Global average pooling and a linear layer: the map's sum is the logit less the bias.
    with torch.no_grad():
        x = torch.rand(1, 1, 128, 128)
        logit = network(x)
    found = evidence(network, x)[1]
    bias = network.body.classifier.bias
    assert found.sum().item() == pytest.approx((logit - bias).item(), abs=1e-4)
    for command in ("predict", "train", "benchmark"):
        assert run(command, "--help") == 0
        assert "densenet121" in capsys.readouterr().out


def test_an_evidence_map(own):
    exec(story("An evidence map"), dict(NAMES))
    plain, other = (Reader("cnn", input_check=False, cam=cam).predict(IMAGE) for cam in METHODS)
    assert other.probability == pytest.approx(plain.probability, abs=1e-5)
    assert other.evidence.shape == plain.evidence.shape
    assert not np.allclose(other.evidence, plain.evidence)


def test_a_policy(own):
    screening = Reader("cnn", policy=Policy("screening", 0.0, 1.0), input_check=False)
    record = screening.predict(IMAGE).record()
    assert (record["label"], record["operating_point"]) == ("INDETERMINATE", "screening")


def test_a_file_format(monkeypatch):
    pgm = picture(IMAGE, "PPM")
    with pytest.raises(UnreadableImage, match="are read"):
        precheck.kind_of(pgm)
    for registry in ("SIGNATURES", "CHECKS"):
        monkeypatch.setattr(precheck, registry, dict(getattr(precheck, registry)))
    exec(story("A file format"), dict(vars(precheck)))
    assert np.array_equal(decode(pgm, precheck.kind_of(pgm))[0], IMAGE)
    with pytest.raises(UnreadableImage, match="megapixels"):
        decode(b"P5 9999 9999 255 ", "PPM")
