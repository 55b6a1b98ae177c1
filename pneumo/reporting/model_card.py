"""MODEL_CARD.md with the Hub's metadata, and the README's results table, from the cards."""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pneumo.files import write_whole
from pneumo.models.card import Card, Estimate, read_card
from pneumo.models.checkpoint import available_models, checkpoint_folder
from pneumo.reading.input_check import InputCheckFile, load_input_check
from pneumo.reporting import numbers
from pneumo.reporting.numbers import SCORES, number

# A corruption that costs less than this, in sensitivity or specificity, is not listed.
NOTABLE = 0.03
BEGIN, END = "<!-- results: rendered by pneumo release -->", "<!-- end of results -->"
SEEDS = {
    "validation_auc": "AUC",
    "degraded_auc": "AUC, degraded",
    "composites_share": "composites",
    "opacities_peak": "opacities",
    "boxes_side_share": "boxes, side",
}
# The Hub's names of the metrics that it knows.
HUB_METRICS = {"auc": "roc_auc", "accuracy": "accuracy", "sensitivity": "recall"}
ENGLISH: Mapping[str, str] = {}  # the templates themselves


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
    # Not through ModelCard, which makes one model of all entries of the model-index.
    return f"---\n{hub_metadata(cards).to_yaml()}\n---\n\n{body(cards, check)}"


def body(
    cards: Sequence[Card], check: InputCheckFile | None = None, texts: Mapping[str, str] = ENGLISH
) -> str:
    """The model card as Markdown without metadata; what was not measured is left out. `texts` as
    for `templates`."""
    return _render("model_card.md.j2", texts, cards=cards, check=check)


def _render(template: str, texts: Mapping[str, str] = ENGLISH, **values: object) -> str:
    lines = templates(texts).get_template(template).render(values)
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _costly(cards: Sequence[Card]) -> list[str]:
    """The clean radiographs, and the corruptions that cost some network `NOTABLE` or more."""
    names = []
    for rows in zip(*(card.metrics.corruptions for card in cards), strict=True):
        lost = [
            getattr(card.metrics.corruptions[0], rate) - getattr(row, rate)
            for card, row in zip(cards, rows, strict=True)
            for rate in ("sensitivity", "specificity")
        ]
        if rows[0].name == "none" or max(lost) >= NOTABLE:
            names.append(rows[0].name)
    return names


def _worst_warnings(
    check: InputCheckFile,
) -> Iterable[tuple[str, Estimate | None, Estimate | None]]:
    """Each warning's code, its false alarms and what it found, in the worst population."""
    codes = dict.fromkeys(row.code.rstrip("_0123456789") for row in check.warnings)
    for code in codes:
        rows = [row for row in check.warnings if row.code.rstrip("_0123456789") == code]
        alarms = [row.false_alarms for row in rows if row.false_alarms]
        found = [row.found for row in rows if row.found]
        value = attrgetter("value")
        yield code, max(alarms, key=value), min(found, key=value, default=None)


def with_results(readme: str, cards: Sequence[Card]) -> str:
    """The README's text with a fresh results table between its two markers; ValueError without."""
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"README.md lacks the lines '{BEGIN}' and '{END}'.")
    head, tail = readme.split(BEGIN)[0], readme.split(END)[1]
    return f"{head}{BEGIN}\n{_render('results.md.j2', cards=cards)}{END}{tail}"


def write(folder: Path | None = None, readme: Path | None = None) -> list[Path]:
    """Write MODEL_CARD.md into a folder of checkpoints, and the table into a README if given; gives
    the files that changed. A CheckpointError when a card or the input check is damaged or missing.
    """
    folder = checkpoint_folder(folder)
    cards = read_cards(folder)
    texts = {folder / "MODEL_CARD.md": model_card(cards, load_input_check(folder).file)}
    if readme is not None:
        texts[readme] = with_results(readme.read_text(encoding="utf-8"), cards)
    new = {path: text.encode() for path, text in texts.items()}
    changed = [path for path in new if not path.is_file() or path.read_bytes() != new[path]]
    for path in changed:
        write_whole(path, new[path])
    return changed


def _broken(card: Card) -> list[dict[str, Any]]:
    """Rates of which the whole test interval lies on the wrong side of validation's value."""
    found = []
    for result in card.policies.values():
        for name in ("sensitivity", "specificity") if result.test else ():
            before, after = getattr(result.validation, name), getattr(result.test, name)
            if after.high is not None and after.high < before.value:
                words = {"policy": result.policy.name, "name": name}
                found.append(words | {"before": before.value, "after": after.value})
    return found


def templates(texts: Mapping[str, str] = ENGLISH) -> Environment:
    """The templates of card and results. `texts` has a language's sentence for "card." and the
    English one, "%(name)s" for a value in it, and "language.digits", its decimal and thousands
    signs; what it lacks stays English."""
    signs = str.maketrans(".,", texts.get("language.digits", ".,"))

    def word(english: str) -> str:
        return texts.get(f"card.{english}", english)

    def sentence(english: str) -> str:
        # The templates break lines where they like.
        found = texts.get(f"card.{' '.join(english.split())}")
        return english if found is None else found + "\n" * english.endswith("\n")

    def row(*cells: object) -> str:
        # Without spaces around the bars, which would count as words.
        return f"|{'|'.join(map(str, cells))}|"

    made: Any = Environment(
        extensions=["jinja2.ext.i18n"],
        loader=FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.install_gettext_callables(sentence, ngettext=None, newstyle=True)
    made.filters |= {
        "word": word,
        "number": lambda *measure: number(*measure).translate(signs),
        "percent": lambda share: numbers.percent(share).translate(signs),
        "thousands": lambda count: f"{count:,}".translate(signs),
    }
    made.globals.update(
        NOTABLE=NOTABLE,
        SCORES=SCORES,
        SEEDS=SEEDS,
        LOCALIZATION=numbers.LOCALIZATION,
        POLICY=numbers.POLICY,
        policy_cells=lambda rates: [one.translate(signs) for one in numbers.policy_cells(rates)],
        row=row,
        head=lambda *names: row(*map(word, names)) + "\n" + row(*["---"] * len(names)),
        values=lambda measured, names: [getattr(measured, name) for name in names],
        costly=_costly,
        worst_warnings=_worst_warnings,
        broken=_broken,
    )
    return made
