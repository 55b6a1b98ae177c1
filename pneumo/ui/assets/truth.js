// The truth about radiographs of a folder: by subfolders named NORMAL and PNEUMONIA, or by a CSV
// with the columns file and label.

const TRUTHS = ["NORMAL", "PNEUMONIA"];

function isList(name) {
  return /\.csv$/i.test(name);
}

// Fields of a line of a CSV, between commas or semicolons, in double quotes where need be.
function fieldsOf(line) {
  const fields = line.matchAll(/(?:^|[,;])\s*(?:"((?:[^"]|"")*)"|([^,;]*))/g);
  return [...fields].map(([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain).trim());
}

// files: names with their folders. lists: name and text of CSV files. Gives the truth by name, and
// a sentence for each thing that is wrong.
function truthsOf(files, lists) {
  const truths = new Map();
  const problems = [];
  for (const file of files) {
    const folders = file.toUpperCase().split("/").slice(0, -1).reverse();
    const truth = folders.find((folder) => TRUTHS.includes(folder));
    if (truth) truths.set(file, truth);
  }
  for (const { name, text } of lists) {
    const [head, ...lines] = text.split(/\r?\n/).map(fieldsOf);
    const [file, label] = ["file", "label"].map((column) =>
      head.findIndex((title) => title.toLowerCase() === column));
    if (file < 0 || label < 0) {
      problems.push(t("truth.columns", { list: name }));
      continue;
    }
    lines.forEach((fields, number) => {
      if (fields.join("") === "") return;
      const wanted = (fields[file] ?? "").replaceAll("\\", "/");
      const found = files.includes(wanted) ? [wanted]
        : files.filter((one) => one.endsWith(`/${wanted}`));
      const truth = (fields[label] ?? "").toUpperCase();
      const where = { list: name, line: number + 2, file: wanted, label: fields[label] ?? "" };
      if (!TRUTHS.includes(truth)) problems.push(t("truth.label", where));
      else if (!wanted || !found.length) problems.push(t("truth.file", where));
      else if (found.length > 1) problems.push(t("truth.several", where));
      else truths.set(found[0], truth);
    });
  }
  const without = files.filter((file) => !truths.has(file));
  if (!truths.size) problems.push(t("truth.none"));
  else if (without.length) problems.push(t("truth.without", { count: without.length }));
  return { truths, problems };
}
