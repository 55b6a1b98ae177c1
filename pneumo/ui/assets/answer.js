// The answer: label in words, probability on its bar, confidence, threshold, what to note.

function wordsOf(reading) {
  return t(`answer.${reading.record.label}.say`);
}

function barOf(record, card) {
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  const band = card.uncertain && record.operating_point === "balanced" ? card.uncertain : null;
  return h("div.pn-bar", { "aria-hidden": "true" },
    band && h("span.pn-band", {
      style: `left: ${at(band.low)}; width: ${at(band.high - band.low)}`,
    }),
    h("span.pn-fill", { style: `width: ${at(record.probability)}` }),
    h("span.pn-threshold", { style: `left: ${at(record.threshold)}` }));
}

function factsOf(pairs) {
  return h("dl.pn-facts", {}, pairs.map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function notesOf(record) {
  const notes = record.checks.filter((check) => check.outcome !== "passed");
  if (!notes.length) return null;
  const worst = notes.some((check) => check.outcome === "failed") ? "failed" : "warned";
  return h(`div.pn-notes.pn-${worst}`, {}, h("strong", {}, t("answer.checks")),
    h("ul", {}, notes.map((check) => h("li", {}, check.detail))));
}

function answerOf(reading) {
  const { record, card } = reading;
  return h("article.pn-result", { "data-label": record.label, "data-model": record.model },
    notesOf(record),
    h("p.pn-label", {}, t(`answer.${record.label}`)),
    h("div.pn-probability", {},
      h("span", {}, t("answer.probability")),
      h("strong", { "data-probability": record.probability }, percent(record.probability))),
    barOf(record, card),
    factsOf([
      [t("answer.confidence"), percent(record.confidence)],
      [t("answer.label"), record.label],
      [t("answer.threshold"), record.threshold.toFixed(3)],
      [t("answer.model"), card.title],
    ]));
}

function errorOf(reason) {
  return h("div.pn-error", { role: "alert" },
    h("strong", {}, t("answer.error")), h("p", {}, reason));
}
