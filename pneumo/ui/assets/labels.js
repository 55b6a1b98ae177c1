// What comes in beside images: zips, lists of truths; and what the server measured with them.

// Images out of files, folders and zips as {name, content()}; CSV files among them as {name, text};
// and sentences about what cannot be opened.
async function gather(files) {
  const [found, lists, wrong] = [[], [], []];
  for (const file of files) {
    try {
      if (isZip(file)) found.push(...await unzip(file, FACTS.most + 1));
      else found.push({ name: file.pneumoPath ?? file.name, content: async () => file });
    } catch (error) {
      wrong.push(zipError(file.name, error));
    }
  }
  for (const { name, content } of found.filter(({ name: file }) => isList(file))) {
    try {
      lists.push({ name, text: (await (await content()).text()).replace(/^\ufeff/, "") });
    } catch (error) {
      wrong.push(zipError(name, error));
    }
  }
  return { images: found.filter(({ name }) => !isList(name)), lists, wrong };
}

function zipError(name, error) {
  const reason = t(typeof error === "string" ? error : "batch.zip.broken");
  return t("batch.zip", { name, reason });
}

// A network's confusion matrix and rates on radiographs with a truth, as the server measured them.
function measuredOf({ title, counts, rows }) {
  const labels = ["PNEUMONIA", "INDETERMINATE", "NORMAL"];
  return h("section", {}, h("h3", {}, title),
    h("table.pn-confusion", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("batch.column.truth")),
      labels.map((label) => h("th", { scope: "col" }, t(`result.${label}`))))),
    h("tbody", {}, TRUTHS.toReversed().map((truth) => h("tr", {},
      h("th", { scope: "row" }, answerWords(truth)),
      labels.map((label) => h("td", { "data-right": label === truth }, String(counts[truth][label]))))))),
    h("table", {}, h("tbody", {}, rows.map(([name, words]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, words))))));
}
