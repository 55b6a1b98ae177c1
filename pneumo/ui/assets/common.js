// Small tools for all scripts: sentences, elements, images out of base64, files out of a drop.

function t(key, values = {}) {
  const sentence = FACTS.texts[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A number as it is read; files keep the point.
function decimal(value, digits) {
  return value.toFixed(digits).replace(".", t("language.digits")[0]);
}

// The switch in the header. The browser keeps the choice and tells it with every request.
function startLanguage(element) {
  document.documentElement.lang = FACTS.language;
  const names = Object.entries(FACTS.languages);
  element.querySelector("header").append(h("select.pn-language", { "aria-label": t("language.title"),
    onchange: ({ target }) => {
      // On a Space the page stands inside another site's.
      const where = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
      document.cookie = `pneumo-language=${target.value}; path=/; max-age=31536000; ${where}`;
      location.reload();
    } }, names.map(([value, name]) =>
    h("option", { value, lang: value, selected: value === FACTS.language }, name))));
}

// h("button.pn-button", {type: "button", onclick: f}, "text", child ...) makes an element.
function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function bitmapOf(base64) {
  return createImageBitmap(new Blob([bytesOf(base64)], { type: "image/png" }), {
    colorSpaceConversion: "none",
  });
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

function saveAs(name, type, content) {
  const link = h("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function usableModels() {
  return FACTS.models.filter((model) => !model.broken);
}

// The tabs in their order: one radiograph, many radiographs, teach, the model card.
function showTab(number) {
  // On a narrow screen Gradio puts the last ones into a menu.
  document.querySelectorAll("#tabs [role=tab], #tabs .overflow-dropdown button")[number].click();
}

function tooLarge(size) {
  return size > FACTS.limit
    ? t("failure.large", { limit: Math.floor(FACTS.limit / 1048576) }) : "";
}

function isZip(file) {
  return /\.zip$/i.test(file.name) || /zip/.test(file.type);
}

// Files dropped anywhere on the page while `room` is seen; take(files) gets them, those of folders
// too. What `other(event)` takes first is none of ours.
function startDrop(room, take, other = () => false) {
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const seen = () => room.offsetParent !== null;
  const hint = (on) => room.classList.toggle("pn-dragging", on);
  document.addEventListener("dragover", (event) => {
    if (!seen() || !(holdsFiles(event) || other(event))) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    hint(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hint(false);
  });
  document.addEventListener("dragend", () => hint(false));
  document.addEventListener("drop", (event) => {
    hint(false);
    if (!seen()) return;
    if (other(event)) {
      event.preventDefault();
    } else if (holdsFiles(event)) {
      event.preventDefault();
      droppedFiles(event.dataTransfer).then(take, (error) => {
        console.error(error);
        take([]);
      });
    }
  });
  // Elsewhere the browser would leave the app and show the file itself.
  for (const type of ["dragover", "drop"]) {
    window.addEventListener(type, (event) => {
      if (event.defaultPrevented || !holdsFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

// The entries of a drop must be taken while its event lasts; what they hold may be read later.
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  const loose = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return loose;
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (!entry || found.length > FACTS.most) return;
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
    for (const inner of some) await walk(inner, found);
  }
}
