// The table of many films, its order, and the files made of it.

const COLUMNS = ["picture", "name", "status", "probability", "label", "notes"];

function notesOfRow(row) {
  const notes = (row.record?.checks ?? []).filter((check) => check.outcome !== "passed");
  return row.record?.reason || notes.map((check) => check.detail).join(" ");
}

function valueOf(row, column) {
  const record = row.record;
  if (column === "name") return row.name;
  if (column === "probability") return record?.probability ?? -1;
  if (column === "notes") return notesOfRow(row);
  if (column === "label") return record?.label ?? "";
  return record?.status ?? "waiting";
}

function sortedRows(rows, { column, down }) {
  const compare = (a, b) => {
    const [one, two] = [valueOf(a, column), valueOf(b, column)];
    return typeof one === "number" ? one - two : one.localeCompare(two, undefined, { numeric: true });
  };
  return [...rows].sort((a, b) => (down ? -1 : 1) * compare(a, b));
}

function headOf(order, choose) {
  return h("tr", {}, COLUMNS.map((name) => {
    const title = t(`many.column.${name}`);
    if (name === "picture") return h("th.pn-at-picture", { scope: "col" }, title);
    const now = order.column === name;
    const sort = now ? (order.down ? "descending" : "ascending") : "none";
    return h(`th.pn-at-${name}`, { scope: "col", "aria-sort": sort },
      h("button", { type: "button", title: t("many.sort", { column: title }),
        onclick: () => choose(name) }, title, now ? (order.down ? " ↓" : " ↑") : ""));
  }));
}

function rowOf(row, open) {
  const { record } = row;
  const status = record?.status ?? "waiting";
  const { png } = row;
  const picture = png
    ? h("button.pn-thumb", { type: "button", "aria-label": t("many.open", { name: row.name }) },
      h("img", { src: `data:image/png;base64,${png}`, alt: "", decoding: "async" }))
    : null;
  // The whole row is the mouse's way to the film; the button in it is the keyboard's.
  return h("tr", { "data-status": status, "data-label": record?.label ?? null,
    class: png ? "pn-open" : null, onclick: png ? () => open(row) : null },
    h("td", {}, picture), h("td.pn-name", {}, row.name), h("td", {}, t(`many.status.${status}`)),
    h("td.pn-number", {}, record?.probability == null ? "–" : percent(record.probability)),
    h("td.pn-verdict", {}, record?.label ? t(`answer.${record.label}`) : "–"),
    h("td.pn-note", {}, notesOfRow(row)));
}

function countsOf(rows) {
  const counts = { PNEUMONIA: 0, UNCERTAIN: 0, NORMAL: 0, unread: 0 };
  for (const { record } of rows) {
    if (record) counts[record.status === "ok" ? record.label : "unread"] += 1;
  }
  return counts;
}

// One cell of a CSV; a text that a spreadsheet would run as a formula is made plain text.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const plain = /^[=+\-@\t\r]/.test(value.trimStart()) || /^[\t\r]/.test(value)
    ? `'${value}` : value;
  return /[",\n\r';]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function csvOf(rows) {
  const names = ["status", "reason", "model", "probability", "label", "confidence", "threshold",
    "operating_point", "weights_sha256"];
  const lines = rows.filter((row) => row.record).map((row) => [row.name,
    ...names.map((name) => row.record[name]), notesOfRow(row)].map(cell).join(","));
  return [["file", ...names, "notes"].join(","), ...lines].join("\r\n") + "\r\n";
}

function summaryOf(rows) {
  const table = h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map((name) =>
    h("th", {}, t(`many.column.${name}`))))));
  table.append(h("tbody", {}, rows.map((row) => rowOf(row, () => {}))));
  for (const button of table.querySelectorAll("button")) button.replaceWith(...button.children);
  const model = rows.find((row) => row.record?.model)?.record ?? {};
  const page = h("main", {}, h("h1", {}, `${t("app.name")}: ${t("many.title")}`),
    h("p", {}, h("strong", {}, t("app.caveat"))),
    h("p", {}, t("many.counts", countsOf(rows))),
    h("p", {}, `${cardOf(model.model)?.title ?? ""} ${model.weights_sha256 ?? ""}`),
    h("p", {}, new Date().toISOString()), table);
  const style = "body{font:14px system-ui;margin:2rem}table{border-collapse:collapse}" +
    "td,th{border:1px solid #ccd5dd;padding:4px 8px;text-align:left}img{height:56px}";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${t("app.name")}</title>` +
    `<style>${style}</style>${page.outerHTML}</html>`;
}

function saveAs(name, type, content) {
  const link = h("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
