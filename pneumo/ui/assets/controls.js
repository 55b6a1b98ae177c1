// The choices beside the answer: model, operating point, own threshold, prevalence.

function segments(name, title, options, chosen, choose) {
  const labels = options.map(({ value, label, hint, disabled }) =>
    h("label", { title: hint ?? null },
      h("input", { type: "radio", name, value, checked: value === chosen, disabled,
        onchange: () => choose(value) }),
      h("span", {}, label)));
  return h("fieldset.pn-segments", {}, h("legend", {}, title), h("div", {}, labels));
}

function modelChoice(chosen, choose, name = "pn-model") {
  const options = FACTS.cards.map((card) => ({
    value: card.name,
    label: card.title,
    disabled: Boolean(card.broken),
    hint: card.broken ? t("model.broken", { title: card.title, reason: card.broken }) : null,
  }));
  const usable = usableCards();
  if (usable.length > 1) {
    const label = usable.length === 2 ? t("model.both") : t("model.all");
    options.push({ value: "all", label, hint: t("model.all.hint") });
  }
  return segments(name, t("model.title"), options, chosen, choose);
}

// change(changes) is called with what was chosen: point, threshold or prevalence.
function pointChoice(choice, change) {
  const options = [...POINTS, "own"].map((value) => ({
    value, label: t(`point.${value}.short`), hint: t(`point.${value}`),
  }));
  const shown = h("output", {}, choice.threshold.toFixed(2));
  const slider = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: choice.threshold,
    "aria-label": t("point.own"),
    oninput: () => {
      shown.textContent = Number(slider.value).toFixed(2);
      change({ threshold: Number(slider.value) });
    } });
  const own = h("label.pn-own", {}, h("span", {}, t("point.own")), slider, shown);
  own.hidden = choice.point !== "own";
  const choose = (point) => {
    own.hidden = point !== "own";
    change({ point });
  };
  return [segments("pn-point", t("point.title"), options, choice.point, choose), own];
}

function prevalenceChoice(choice, change) {
  const input = h("input", { type: "number", min: 1, max: 99, step: 1, inputmode: "numeric",
    value: Math.round(100 * choice.prevalence),
    oninput: () => {
      const value = Number(input.value);
      if (value >= 1 && value <= 99) change({ prevalence: value / 100 });
    } });
  return h("label.pn-prevalence", { title: t("prevalence.hint") },
    h("span", {}, t("prevalence.title")), input, h("span", {}, "%"));
}
