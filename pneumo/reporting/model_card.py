"""MODEL_CARD.md with the Hub's metadata, and the README's results table, from the cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index

from pneumo.files import write_whole
from pneumo.models.card import Card, read_card
from pneumo.models.checkpoint import available_models, checkpoint_folder
from pneumo.reading.input_check import InputCheckFile, load_input_check
from pneumo.reporting.sections import SCORES, Bullets, Table, results, sections

TEMPLATE = Path(__file__).with_name("model_card.md.j2")
BEGIN, END = "<!-- results: rendered by pneumo release -->", "<!-- end of results -->"
# The Hub's names of the metrics that it knows.
HUB_METRICS = {"auc": "roc_auc", "accuracy": "accuracy", "sensitivity": "recall"}


def read_cards(folder: Path | None = None) -> list[Card]:
    """The cards of all networks in a folder; CheckpointError when one is damaged."""
    return [read_card(name, folder) for name in available_models(folder)]


def hub_metadata(cards: Sequence[Card]) -> ModelCardData:
    """What the Hub reads of a model card: licence, tags, and a `model-index` with every network."""
    data = ModelCardData(
        license="mit",
        library_name="pneumo",
        pipeline_tag="image-classification",
        tags=["chest-x-ray", "pneumonia", "pediatrics", "grad-cam", "pytorch"],
        datasets=["hf-vision/chest-xray-pneumonia"],
        metrics=list(HUB_METRICS.values()),
    )
    index = [entry for card in cards if card.metrics.test for entry in _model_index(card)]
    if index:
        data["model-index"] = index
    return data


def _model_index(card: Card) -> list[dict]:
    test = card.metrics.test
    assert test is not None
    found = [
        EvalResult(
            task_type="image-classification",
            dataset_type="hf-vision/chest-xray-pneumonia",
            dataset_name="Chest X-Ray Images (Pneumonia)",
            dataset_split="test",
            metric_type=HUB_METRICS.get(key, key),
            metric_name=name,
            metric_value=round(getattr(test.scores, key).value, 4),
        )
        for key, name in SCORES.items()
    ]
    return eval_results_to_model_index(card.title, found)


def model_card(cards: Sequence[Card], check: InputCheckFile | None = None) -> str:
    """The whole model card as Markdown with a metadata block."""
    card = ModelCard.from_template(
        hub_metadata(cards),
        template_path=str(TEMPLATE),
        sections=sections(cards, check),
        markdown=markdown,
    )
    return str(card).rstrip() + "\n"


def markdown(block: str | Table | Bullets) -> str:
    """A block of a section as Markdown."""
    if isinstance(block, Bullets):
        return "\n".join(f"- {item}" for item in block.items)
    if isinstance(block, Table):
        lines = (block.head, ("---",) * len(block.head), *block.rows)
        # Without spaces around the bars, which would count as words.
        return "\n".join("|" + "|".join(line) + "|" for line in lines)
    return block


def with_results(readme: str, cards: Sequence[Card]) -> str:
    """The README's text with a fresh results table between its two markers; ValueError without."""
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"README.md lacks the lines '{BEGIN}' and '{END}'.")
    head, tail = readme.split(BEGIN)[0], readme.split(END)[1]
    shown = "\n\n".join(markdown(block) for block in results(cards).blocks[:2])
    return f"{head}{BEGIN}\n{shown}\n{END}{tail}"


def write(folder: Path | None = None, readme: Path | None = None) -> list[Path]:
    """Write MODEL_CARD.md into a folder of checkpoints, and the table into a README if given.

    Returns:
        The files that changed.

    Raises:
        CheckpointError: when a card or the input check is damaged or missing.
    """
    folder = checkpoint_folder(folder)
    cards = read_cards(folder)
    texts = {folder / "MODEL_CARD.md": model_card(cards, load_input_check(folder).file)}
    if readme is not None:
        texts[readme] = with_results(readme.read_text(encoding="utf-8"), cards)
    changed = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in changed:
        write_whole(path, texts[path].encode())
    return changed
