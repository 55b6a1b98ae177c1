// The table of many images, its order, and the files made of it.

const COLUMNS = ["picture", "name", "truth", "status", "probability", "label", "notes"];
const FIELDS = ["status", "reason", "model", "probability", "prevalence", "label", "confidence",
  "rule_out", "rule_in", "threshold", "operating_point", "strongest_zone", "weights_sha256"];

const FILTERS = {
  all: () => true,
  wrong: (results, truth) => truth && results.some(({ label }) =>
    TRUTHS.includes(label) && label !== truth),
  indeterminate: (results) => results.some(({ label }) => label === "INDETERMINATE"),
  differ: (results) => new Set(results.map(({ label }) => label)).size > 1,
};

function notesOf(results) {
  return results[0]?.reason || results[0]?.warnings || "";
}

function valueOf(row, column, results) {
  const [first] = results;
  if (column === "name" || column === "truth") return row[column];
  if (column === "probability") return first?.probability ?? -1;
  if (column === "notes") return notesOf(results);
  if (column === "label") return results.map(({ says }) => says ?? "").join();
  return first?.status ?? "waiting";
}

function sortedRows(rows, { column, down }, resultsOf) {
  const keyed = rows.map((row) => [valueOf(row, column, resultsOf(row)), row]);
  const compare = ([one], [two]) => (typeof one === "number" ? one - two
    : one.localeCompare(two, undefined, { numeric: true }));
  return keyed.sort((a, b) => (down ? -1 : 1) * compare(a, b)).map(([, row]) => row);
}

function headOf(order, choose) {
  return h("tr", {}, COLUMNS.map((name) => {
    const title = t(`batch.column.${name}`);
    if (name === "picture") return h("th.pn-at-picture", { scope: "col" }, title);
    const now = order.column === name;
    const sort = now ? (order.down ? "descending" : "ascending") : "none";
    return h(`th.pn-at-${name}`, { scope: "col", "aria-sort": sort },
      h("button", { type: "button", title: t("batch.sort", { column: title }),
        onclick: () => choose(name) }, title, now ? (order.down ? " ↓" : " ↑") : ""));
  }));
}

// One line for each model's result.
function rowOf(row, results, open) {
  const status = results[0]?.status ?? "waiting";
  const { png } = row;
  const opens = png && results.length;
  const picture = opens
    ? h("button.pn-thumb", { type: "button", "aria-label": t("batch.open", { name: row.name }) },
      h("img", { src: `data:image/png;base64,${png}`, alt: "", decoding: "async" }))
    : null;
  const analyzed = results.filter(({ label }) => label);
  const title = (result) => (results.length > 1 ? h("small", {}, `${titleOf(result.model)} `) : null);
  // The whole row is the mouse's way to the image; the button in it is the keyboard's.
  return h("tr", { "data-status": status, class: opens ? "pn-open" : null,
    onclick: opens ? () => open(row) : null },
  h("td", {}, picture), h("td.pn-name", {}, row.name),
  h("td.pn-at-truth", {}, row.truth && answerWords(row.truth)),
  h("td", {}, t(`batch.status.${status}`)),
  h("td.pn-number", {}, analyzed.map((result) => h("div", {}, title(result), result.percent))),
  h("td.pn-verdict", {}, analyzed.map((result) =>
    h("div", { "data-label": result.label }, title(result), result.says))),
  h("td.pn-note", {}, notesOf(results)));
}

function titleOf(model) {
  return FACTS.models.find(({ name }) => name === model)?.title ?? model;
}

function countWords(results, model) {
  const counts = { PNEUMONIA: 0, INDETERMINATE: 0, NORMAL: 0, unread: 0 };
  for (const result of results) {
    if (result) counts[result.label ?? "unread"] += 1;
  }
  return `${titleOf(model)}: ${t("batch.counts", counts)}. `;
}

// One cell of a CSV; a text that a spreadsheet would run as a formula is made plain text. Other
// writings of its signs have one of them as their compatibility form.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const blanks = /^[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+/u;
  const first = [...value.replace(blanks, "")][0]?.normalize("NFKC")[0] ?? "";
  const plain = "=+-@".includes(first || "x") || /^[\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r';]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function csvOf(rows) {
  const lines = rows.flatMap((row) => row.results.map((result) =>
    [row.name, ...FIELDS.map((name) => result[name]), notesOf([result]), row.truth]
      .map(cell).join(",")));
  return [["file", ...FIELDS, "notes", "truth"].join(","), ...lines].join("\r\n") + "\r\n";
}

function summaryOf(rows, counts, measured) {
  const table = h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map((name) =>
    h("th", {}, t(`batch.column.${name}`))))));
  table.append(h("tbody", {}, rows.map((row) => rowOf(row, row.results, () => {}))));
  for (const button of table.querySelectorAll("button")) button.replaceWith(...button.children);
  const results = rows.flatMap((row) => row.results);
  const used = [...new Map(results.filter(({ label }) => label).map((result) =>
    [result.model, result])).values()];
  const basis = used.map(({ model, operating_point, prevalence, weights_sha256 }) =>
    h("p", {}, [titleOf(model), t(`policy.${operating_point}`),
      `${t("prevalence.title")} ${decimal(100 * prevalence, 1)} %`, weights_sha256].join(" · ")));
  const page = h("main", {}, h("h1", {}, `Pneumo: ${t("batch.title")}`),
    h("p", {}, h("strong", {}, document.querySelector(".pn-disclaimer").textContent)),
    h("p", {}, counts), measured, basis, h("p", {}, new Date().toISOString()), table);
  const style = "body{font:14px system-ui;margin:2rem}table{border-collapse:collapse}" +
    "td,th{border:1px solid #ccd5dd;padding:4px 8px;text-align:left}img{height:56px}";
  return `<!doctype html><html lang="${FACTS.language}"><meta charset="utf-8"><title>Pneumo</title>` +
    `<style>${style}</style>${page.outerHTML}</html>`;
}
