"""Model card: how a network's weights came to be, what was tried, and which version they are."""

from __future__ import annotations

from pneumo.reporting.card_markdown import measured, number, section, table

LUNGS = {
    "heat_in_lungs": "heat in lungs", "peak_in_lung": "peak in a lung",
    "auc_only_lungs": "AUC, only lungs", "auc_without_lungs": "AUC, lungs painted over",
}
AREAS = {"auc": "AUC", "auc_degraded": "AUC, degraded films"}


def training_sections(card: dict) -> list[str]:
    """Training and how to do it again, seeds, and what was tried; as far as the card has it."""
    parts = [section("Training", _training(card), _reproduce(card)), _seeds(card), _tried(card)]
    return [part for part in parts if part]


def _training(card: dict) -> str:
    training, recipe = card["training"], card["training"]["recipe"]
    films, held = card["data"]["training"], card["data"]["validation"]
    text = (
        f"Trained on {films['films']:,} films of {films['patients']:,} patients of the official "
        f"train split; {held['films']} films of {held['patients']} other patients were held out "
        f"for validation (one of {recipe['folds']} patient-grouped folds, stratified by kind; the "
        "others were not used). "
        f"Starting weights ({training['init']['source']}): {training['init_sentence']} "
    )
    if recipe["frozen_epochs"]:
        text += (
            f"{recipe['frozen_epochs']} epoch(s) with the trunk frozen, then {recipe['epochs']} "
            f"with {'everything' if recipe['unfreeze'] == 'all' else recipe['unfreeze'] + ' on'} "
            "in training at a lower learning rate"
            f"{_trunk_share(recipe)}; "
        )
    else:
        text += f"{recipe['epochs']} epochs; "
    if init_sha := training["init"].get("sha256"):
        text += f"the starting file has sha256 `{init_sha}`; "
    if recipe["low_epochs"]:
        text += (
            f"the first {recipe['low_epochs']} epochs at {recipe['low_size']} pixels, the rest at "
            f"{recipe['size']}; "
        )
    else:
        side, detail = card["preprocessing"]["size"], recipe.get("detail", 0)  # new in recipes
        text += f"films of {side} pixels" + (
            f", crops cut from {detail}" if detail > side else "") + (
            ", so that what is finer, such as a small nodule or a thin line, is not seen; ")
    if lung_epochs := recipe.get("lung_epochs"):
        text += (
            f"then {lung_epochs} epochs that start from the averaged weights and teach it to judge "
            f"by the lungs alone (films with a lung field: lungs painted over and to be called "
            f"neither, with chance {recipe['hidden']}; surroundings replaced, with chance "
            f"{recipe['replaced']}{_halves(recipe)}){_kept(recipe)}; "
        )
    if grown := card["data"].get("adults"):
        text += (
            f"{_adult_share(recipe)} of the films are of adults "
            f"({grown['films']} films of {grown['patients']} patients, {grown['rule']}), views and "
            "labels drawn alike; "
        )
    if early := _early_painting(recipe):
        text += f"in the fine-tuning before them already, {early}; "
    if teachers := training.get("teachers"):
        text += f"{_taught_share(recipe)} of the target is {_answer_of(teachers)}; "
    text += f"{training['imbalance']}; label smoothing {recipe['label_smoothing']}; "
    found = training.get("lung_fields_found")
    if training["lung_masks"]:
        text += (
            "a second loss, the share of evidence outside the lungs"
            + (" or, in the lung epochs, denying the label" if _signs_count(recipe) else "")
            + f", on {training['lung_masks']} films that have drawn lung fields"
            + (f" and, {_where_found(recipe)}, on {found} more whose fields were found by a "
               "network that learned from the drawn ones" if found else "") + "; "
        )
    if recipe.get("before_lungs"):
        text += (
            f"{100 * recipe['before_lungs']:.0f} % of the final weights are those from before the "
            "lung epochs; "
        )
    coarse = training.get("precision") == "bf16"  # older cards name none
    return text + (
        f"{training['selection']}. {training['seconds'] / 60:.0f} minutes on {training['device']}"
        + (", convolutions in bfloat16." if coarse else ".")
    )


def _trunk_share(recipe: dict) -> str:
    """How much slower the trunk trains; older recipes know nothing of it."""
    share = recipe.get("trunk_rate", 1.0)
    return "" if share == 1 else f", the trunk at {share:g} of it"


def _adult_share(recipe: dict) -> str:
    """How many films are of adults, in the lung epochs and in those that train before them."""
    late = f"in those, {100 * recipe['adults']:.0f} %" if recipe["adults"] else ""
    early = recipe.get("early_adults")  # older recipes know none
    early = f"in the fine-tuning before them, {100 * early:.0f} %" if early else ""
    return ", and ".join(part for part in (late, early) if part)


def _halves(recipe: dict) -> str:
    if not recipe.get("halves"):
        return ""
    return (
        f"; one half replaced by one of a child's film of the other class, with chance "
        f"{recipe['halves']}, to be called pneumonia with some doubt, and to show more evidence in "
        "its ill half"
    )


def _kept(recipe: dict) -> str:
    if not recipe.get("keep"):
        return ""
    return f", where {recipe['keep']} of the target is the network's own answer from before them"


def _early_painting(recipe: dict) -> str:
    """With which chances films are painted before the lung epochs; older recipes know none."""
    chances = {"lungs painted over": recipe.get("early_hidden"),
               "surroundings replaced": recipe.get("early_replaced")}
    return ", ".join(f"{what} with chance {p}" for what, p in chances.items() if p)


def _where_found(recipe: dict) -> str:
    if _early_painting(recipe):
        return "in the fine-tuning and the lung epochs"
    return f"in the last {recipe['lung_epochs']} epochs"


def _taught_share(recipe: dict) -> str:
    """How much of the target a teacher answers, in the lung epochs and in those before them."""
    late = f"in the lung epochs, {recipe['distil']}" if recipe["distil"] else ""
    early = recipe.get("early_distil")  # older recipes know none
    early = f"in the fine-tuning before them, {early}" if early else ""
    return ", and ".join(part for part in (late, early) if part)


def _answer_of(teachers: list[dict]) -> str:
    named = [f"`{one['sha256'][:16]}`" + (
        f" (seed {one['seed']})" if one.get("seed") is not None else "") for one in teachers]
    if len(teachers) == 1:
        return f"the answer of the {teachers[0]['name']} with sha256 {named[0]}"
    names = " and ".join(dict.fromkeys(one["name"] for one in teachers))
    return (f"the mean answer of {len(teachers)} networks ({names}), whose weights have sha256 "
            f"{', '.join(named)}")


def _signs_count(recipe: dict) -> bool:
    """Whether evidence whose sign denies the label was penalised: in the lung epochs, or, in
    recipes that know none, throughout."""
    return bool(recipe.get("wrong_sign") and recipe.get("lung_epochs", 1))


def _reproduce(card: dict) -> str:
    training = card["training"]
    versions = ", ".join(f"{name} {version}" for name, version in training["versions"].items())
    masks = card["data"].get("lung_masks")
    return (
        f"Reproduce: `{training['command']}` at commit {_commit(training)}, seed "
        f"{training['recipe']['seed']}; data fingerprint `{card['data']['fingerprint'][:16]}`; "
        + (f"lung masks `{masks[:16]}`; " if masks else "") + f"{versions}."
        + "".join(_sitting(one) for one in (training.get("sittings") or [{}])[:-1])
        + (f" Calibration, operating points and UNCERTAIN were fixed anew on {decided['date']} by "
           f"`python -m pneumo decide` at commit {_commit(decided)}."
           if (decided := card.get("decided")) else "")
    )


def _commit(origin: dict) -> str:
    """The code that ran, and whether it was changed."""
    commit = origin.get("commit", "unknown")
    return f"`{commit[:12]}`" + (" with changes" if commit.endswith("+") else "")


def _sitting(one: dict) -> str:
    """An earlier start of the same run, which was resumed."""
    command = f"by `{one['command']}` " if one.get("command") else ""
    return f" From epoch {one.get('after_epoch', 0) + 1} on it was first run {command}at commit " \
        f"{_commit(one)}."


def _seeds(card: dict) -> str:
    found = measured(card, "seeds")
    if not found:
        return ""
    rows = [
        [str(run["seed"]), "yes" if run.get("chosen") else "",
         *(number((run.get("validation") or {}).get(key), 4) for key in AREAS),
         *(number((run.get("lungs") or {}).get(key)) for key in LUNGS)]
        for run in found
    ]
    return section(
        "Seeds",
        "The same recipe from other seeds, on validation; the test films had no say in the choice.",
        table(["seed", "bundled", *AREAS.values(), *LUNGS.values()], rows),
    )


def _tried(card: dict) -> str:
    found = measured(card, "tried")
    if not found:
        return ""
    keys = {**AREAS, **LUNGS}
    known = " (a test score was known)"
    rows = [
        [one["idea"], *(number(one.get(key), 4 if key in AREAS else 3) for key in keys),
         str(one.get("verdict", "")) + (known if one.get("knew_test") else "")]
        for one in found
    ]
    how = (
        "Ideas were judged on validation films, the earliest on those as they are alone (a dash "
        "under degraded films); where a verdict rests on others, it says so."
    )
    return section("What was tried", how,
                   table(["idea", *keys.values(), "verdict"], rows))


def version_log(found: list[dict]) -> str:
    """What changed from version to version, network by network; "" when no card says so."""
    lines = []
    for card in found:
        for entry in card.get("versions_log") or []:
            if isinstance(entry, dict):
                words = [str(entry[key]) for key in ("version", "date", "change") if entry.get(key)]
                entry = ", ".join(words[:-1]) + f": {words[-1]}" if len(words) > 1 else words[0]
            lines.append(f"- {card['architecture']['title']}: {entry}")
        test = card["metrics"].get("test")
        if card.get("versions_log") and test and "official test AUC" not in lines[-1]:
            lines[-1] += f"; official test AUC {test['auc']['value']:.4f}"
    return "\n".join(["## Version log", "", *lines]) if lines else ""
