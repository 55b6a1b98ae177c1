// How a film comes in: dropped anywhere on the page, chosen, or taken from the gallery.

const EXAMPLE_TYPE = "application/x-pneumo-example";

// take({film}) or take({example}) is called with what came in, refuse(sentence) with what did not.
function startIntake(room, take, refuse) {
  const input = room.querySelector(".pn-file");
  input.addEventListener("change", () => {
    if (input.files.length) takeFile(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  function takeFiles(files) {
    // Several films, a folder or a zip belong to the tab beside this one.
    if (files.length > 1 || (files.length && isZip(files[0]))) sendToMany(files);
    else if (files.length) takeFile(files[0]);
    else refuse(t("error.nofile"));
  }
  function takeFile(file) {
    if (file.size > FACTS.limit) {
      refuse(t("error.large", { limit: Math.floor(FACTS.limit / 1048576) }));
    } else {
      take({ film: file });
    }
  }

  const visible = () => room.offsetParent !== null;
  const welcome = (event) => visible() &&
    (holdsFiles(event) || Boolean(event.dataTransfer?.types.includes(EXAMPLE_TYPE)));
  const hint = (on) => room.classList.toggle("pn-dragging", on);
  document.addEventListener("dragover", (event) => {
    if (!welcome(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    hint(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hint(false);
  });
  document.addEventListener("dragend", () => hint(false));
  document.addEventListener("drop", (event) => {
    if (!welcome(event)) return;
    event.preventDefault();
    hint(false);
    const example = event.dataTransfer.getData(EXAMPLE_TYPE);
    if (example) {
      take({ example: Number(example) });
      return;
    }
    droppedFiles(event.dataTransfer, FACTS.most).then(takeFiles, (error) => {
      console.error(error);
      refuse(t("error.nofile"));
    });
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

// The other tab is drawn when it is first shown, so what it is to take waits for it.
function sendToMany(files) {
  document.pneumoFilms = files;
  showTab(1);
  document.dispatchEvent(new CustomEvent("pneumo-many"));
}

async function fillGallery(room, server, take) {
  const examples = await server.show_examples({});
  const gallery = room.querySelector(".pn-gallery");
  const note = room.querySelector(".pn-example-note");
  if (!examples.length) {
    note.textContent = t("examples.empty");
    return examples;
  }
  gallery.replaceChildren(...examples.map((example) => {
    const { id, title, kind } = example;
    const truth = example.truth ? t(`examples.truth.${example.truth}`) : "";
    const button = h("button.pn-example", {
      type: "button",
      draggable: "true",
      title: example.caption || title,
      "aria-label": t("examples.choose", { title, kind }),
      "data-example": id,
      onclick: () => take({ example: id }),
    }, h("img", { src: `data:image/png;base64,${example.png}`, alt: "", draggable: "false" }),
    h("span", {}, truth || title));
    button.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData(EXAMPLE_TYPE, String(id));
      event.dataTransfer.effectAllowed = "copy";
    });
    return button;
  }));
  const kinds = [...new Set(examples.map((example) => example.kind))];
  const sources = [...new Set(examples.map((example) => example.attribution).filter(Boolean))];
  note.textContent = [kinds.join(" · "),
    ...sources.map((attribution) => t("examples.source", { attribution }))].join(". ");
  return examples;
}
