// The answer: label in words, probability on its bar, confidence, what the numbers rest on.

function wordsOf(reading, choice) {
  return t(`answer.${judged(reading, choice).label}.say`);
}

function barOf(record, verdict) {
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  const { band, threshold } = verdict;
  return h("div.pn-bar", { "aria-hidden": "true" },
    h("span.pn-fill", { style: `width: ${at(record.probability)}` }),
    band && h("span.pn-band", { title: t("answer.band"),
      style: `left: ${at(band.low)}; width: ${at(band.high - band.low)}` }),
    h("span.pn-threshold", { title: t("answer.threshold"), style: `left: ${at(threshold)}` }));
}

function factsOf(pairs) {
  return h("dl.pn-facts", {}, pairs.filter(Boolean).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function notesOf(record) {
  const notes = record.checks.filter((check) => check.outcome !== "passed");
  if (!notes.length) return null;
  const worst = notes.some((check) => check.outcome === "failed") ? "failed" : "warned";
  return h(`div.pn-notes.pn-${worst}`, {}, h("strong", {}, t("answer.checks")),
    h("ul", {}, notes.map((check) => h("li", {}, check.detail))));
}

function rateOf(rate) {
  if (!rate) return "–";
  const value = rate.value.toFixed(2);
  if (rate.low === undefined) return value;
  return t("rate.interval", { value, low: rate.low.toFixed(2), high: rate.high.toFixed(2) });
}

function sentenceOf(reading, choice) {
  const like = likeThis(reading.card, reading.record.probability, choice.prevalence);
  if (!like) return null;
  const prevalence = Math.round(100 * choice.prevalence);
  const split = t(`split.${reading.card.curve_split}`);
  const says = t("answer.like", { count: Math.round(100 * like.share), prevalence, split });
  const [low, high] = [like.low.toFixed(2), like.high.toFixed(2)];
  return h("p.pn-sentence", {}, says,
    like.films ? ` ${t("answer.like.rests", { films: like.films, low, high })}` : null);
}

function answerOf(reading, choice, brief) {
  const { record, card } = reading;
  const verdict = judged(reading, choice);
  const { point } = verdict;
  const predictive = predictiveValues(point, choice.prevalence);
  const split = point.split ? t(`split.${point.split}`) : "";
  return h("article.pn-result", { "data-label": verdict.label, "data-model": record.model },
    brief && h("h3", {}, card.title),
    h("p.pn-label", {}, t(`answer.${verdict.label}`)),
    h("div.pn-probability", {},
      h("span", {}, t("answer.probability")),
      h("strong", { "data-probability": record.probability }, percent(record.probability))),
    barOf(record, verdict),
    factsOf([
      [t(verdict.label === "UNCERTAIN" ? "answer.confidence.likelier" : "answer.confidence"),
        percent(verdict.confidence)],
      [t("answer.threshold"), t("answer.threshold.at",
        { value: verdict.threshold.toFixed(3), point: t(`point.${point.name}.short`) })],
      verdict.band && [t("answer.band"), t("answer.band.at",
        { low: verdict.band.low.toFixed(3), high: verdict.band.high.toFixed(3) })],
      !brief && [t("answer.model"), card.title],
      [t("answer.sensitivity", { split }), rateOf(point.sensitivity)],
      [t("answer.specificity", { split }), rateOf(point.specificity)],
      predictive && [h("abbr", { title: t("answer.predictive.long") }, t("answer.predictive")),
        `${percent(predictive.ppv, 0)} · ${percent(predictive.npv, 0)}`],
    ]),
    brief ? null : sentenceOf(reading, choice));
}

function answersOf(readings, choice) {
  const brief = readings.length > 1;
  const notes = notesOf(readings[0].record);
  const results = readings.map((reading) => answerOf(reading, choice, brief));
  if (!brief) return [notes, ...results].filter(Boolean);
  const labels = new Set(readings.map((reading) => judged(reading, choice).label));
  const key = labels.size > 1 ? "disagree" : labels.has("UNCERTAIN") ? "unsure" : "agree";
  const verdict = h(`p.pn-agreement.pn-${key}`, {}, t(`answer.${key}`));
  return [notes, verdict, h("div.pn-versus", {}, results)].filter(Boolean);
}

function errorOf(reason, force) {
  return h("div.pn-error", { role: "alert" },
    h("strong", {}, t("answer.error")), h("p", {}, reason),
    force && h("button.pn-button", { type: "button", onclick: force }, t("answer.force")));
}
