// How an image comes in: dropped anywhere on the page, chosen, pasted, or taken from the gallery.

const EXAMPLE_TYPE = "application/x-pneumo-example";

// take({image}) or take({example}) is called with what came in, refuse(sentence) with what did not.
function startIntake(room, take, refuse) {
  const input = room.querySelector(".pn-file");
  input.addEventListener("change", () => {
    takeFiles([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });
  function takeFiles(files) {
    // Several images, a folder or a zip belong to the tab beside this one.
    if (files.length > 1 || (files.length && isZip(files[0]))) sendToBatch(files);
    else if (!files.length) refuse(t("failure.nofile"));
    else take({ image: files[0] });
  }
  startDrop(room, takeFiles, (event) => {
    if (!event.dataTransfer?.types.includes(EXAMPLE_TYPE)) return false;
    if (event.type === "drop") take({ example: Number(event.dataTransfer.getData(EXAMPLE_TYPE)) });
    return true;
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (room.offsetParent === null || !files.length) return;
    event.preventDefault();
    takeFiles(files);
  });
}

// The other tab is drawn when it is first shown, so what it is to take waits for it.
function sendToBatch(files) {
  document.pneumoFiles = files;
  showTab(1);
  document.dispatchEvent(new CustomEvent("pneumo-batch"));
}

async function fillGallery(room, server, take) {
  const examples = await server.show_examples({});
  const gallery = room.querySelector(".pn-gallery");
  const note = room.querySelector(".pn-example-note");
  if (!examples.length) {
    note.textContent = t("examples.empty");
    return examples;
  }
  gallery.replaceChildren(...examples.map(({ id, title, kind, caption, png }) => {
    const button = h("button.pn-example", {
      type: "button",
      draggable: "true",
      title: caption || title,
      "aria-label": t("examples.choose", { title, kind: t(`examples.${kind}`) }),
      "data-example": id,
      onclick: () => take({ example: id }),
    }, h("img", { src: `data:image/png;base64,${png}`, alt: "", draggable: "false" }),
    h("span", {}, title));
    button.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData(EXAMPLE_TYPE, String(id));
      event.dataTransfer.effectAllowed = "copy";
    });
    return button;
  }));
  const kinds = [...new Set(examples.map(({ kind }) => t(`examples.${kind}`)))];
  const sources = [...new Set(examples.map(({ attribution }) => attribution).filter(Boolean))];
  note.textContent = [kinds.join(" · "),
    ...sources.map((attribution) => t("examples.source", { attribution }))].join(". ");
  return examples;
}
