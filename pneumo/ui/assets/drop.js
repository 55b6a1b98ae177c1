// What a drop holds: its files, and those of the folders in it.

function holdsFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

// The entries of a drop must be taken while its event lasts; what they hold may be read later.
async function droppedFiles(transfer, most) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  const loose = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return loose;
  const found = [];
  for (const entry of entries) await walk(entry, found, most);
  return found;
}

async function walk(entry, found, most) {
  if (!entry || found.length > most) return;
  if (entry.isFile) {
    // One that may not be opened counts as a file with nothing in it, and stops no other.
    const file = await new Promise((give) => {
      entry.file(give, () => give(new File([], entry.name)));
    });
    file.pneumoPath = entry.fullPath.replace(/^\//, "");
    if (!file.name.startsWith(".")) found.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (!some.length) return;
    for (const inner of some) await walk(inner, found, most);
  }
}

function isZip(file) {
  return /\.zip$/i.test(file.name) || /zip/.test(file.type);
}

// The tabs in their order: reading one film, many films, the model card.
function showTab(number) {
  document.querySelectorAll("#tabs [role=tab]")[number].click();
}
