// The result card and the report's dialog; every word and number in them is the server's.

function barOf(result) {
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  const { probability, rule_out: low, rule_in: high } = result;
  return h("div.pn-bar", { "aria-hidden": "true" },
    h("span.pn-fill", { style: `width: ${at(probability)}` }),
    h("span.pn-band", { style: `left: ${at(low)}; width: ${at(high - low)}` }),
    [...new Set([low, high])].map((end) => h("span.pn-threshold", { style: `left: ${at(end)}` })));
}

function warningsOf(sentences) {
  if (!sentences.length) return null;
  return h("div.pn-warnings", {}, h("strong", {}, t("result.warnings")),
    h("ul", {}, sentences.map((sentence) => h("li", {}, sentence))));
}

function resultOf(result, open) {
  const rows = result.rows.map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)));
  return h("article.pn-result", { "data-label": result.label, "data-model": result.model },
    h("p.pn-label", {}, result.says),
    result.outside && h("p.pn-outside", {}, result.outside),
    h("div.pn-probability", {}, h("span", {}, t("result.probability")),
      h("strong", { "data-probability": result.probability }, result.percent)),
    barOf(result),
    h("p.pn-at", {}, result.at),
    result.where && h("p.pn-where", {}, result.where),
    h("p.pn-basis", {}, result.basis),
    h("details.pn-how", { open }, h("summary", {}, t("result.how")),
      h("table", {}, h("tbody", {}, rows))));
}

// open: whether "How sure?" is; report() opens the report's dialog.
function cardOf({ results, warnings, agreement }, open, report) {
  const cards = results.map((result) => resultOf(result, open));
  return [
    warningsOf(warnings),
    agreement.sentence && h(`p.pn-agreement.pn-${agreement.code}`, {}, agreement.sentence),
    cards.length > 1 ? h("div.pn-versus", {}, cards) : cards[0],
    h("button.pn-button.pn-report-open", { type: "button", title: `${t("key.report")} (p)`,
      onclick: report }, t("tools.report")),
  ].filter(Boolean);
}

function errorOf(reason, force) {
  return h("div.pn-error", { role: "alert" },
    h("strong", {}, t("result.error")), h("p", {}, reason),
    force && h("button.pn-button", { type: "button", onclick: force }, t("result.force")));
}

// what() gives the fields of the request, or nothing while there is no result.
function startReport(room, server, what) {
  const comment = h("textarea", { rows: 5, maxlength: 1500, id: "pn-comment" });
  const says = h("p.pn-report-says", { role: "status" });
  const save = (kind, type) => async () => {
    const wish = what();
    if (!wish) return;
    says.textContent = t("report.busy");
    try {
      const reply = await server.print_report({ ...wish, kind, comment: comment.value });
      says.textContent = reply.error ?? "";
      const ending = kind === "dicom" ? "dicom.zip" : kind;
      if (!reply.error) saveAs(`pneumo-report.${ending}`, type, bytesOf(reply[kind]));
    } catch (error) {
      console.error(error);
      says.textContent = t("failure.offline");
    }
  };
  const button = (kind, type) => h("button.pn-button", { type: "button", "data-report": kind,
    onclick: save(kind, type) }, t(`report.${kind}`));
  const dialog = h("dialog.pn-help.pn-report", { "aria-label": t("report.dialog") },
    h("h2", {}, t("report.dialog")),
    h("label", { for: "pn-comment" }, t("report.comment")), comment,
    h("p.pn-report-hint", {}, t("report.comment.hint")), says,
    h("div.pn-report-buttons", {}, button("pdf", "application/pdf"), button("png", "image/png"),
      FACTS.dicom && button("dicom", "application/zip"),
      h("button.pn-button", { type: "button", onclick: () => dialog.close() }, t("help.close"))));
  room.append(dialog);
  return () => {
    if (what()) dialog.showModal();
  };
}
