// The tools under the pictures, their keys, and the list of keys.

// Every action of the stage with its key: the buttons, the keyboard and the help are this table.
function actionsOf(viewer, page) {
  const heat = viewer.heat;
  const flip = (name, one, other) => () =>
    viewer.setHeat({ [name]: heat[name] === one ? other : one });
  const nearer = (step) => () =>
    viewer.setHeat({ on: true, opacity: clamp(heat.opacity + step, 0, 1) });
  return [
    { name: "open", key: "o", run: page.open },
    { name: "heat", key: "h", run: () => viewer.setHeat({ on: !heat.on }) },
    { name: "style", key: "c", run: flip("style", "wash", "contour") },
    { name: "sign", key: "e", run: flip("sign", "for", "against") },
    { name: "fainter", key: "[", run: nearer(-0.1) },
    { name: "stronger", key: "]", run: nearer(0.1) },
    { name: "invert", key: "i", run: () => viewer.set({ invert: !viewer.view.invert }) },
    { name: "darker", key: "d", run: () => windowBy(viewer, 0, 10) },
    { name: "brighter", key: "b", run: () => windowBy(viewer, 0, -10) },
    { name: "more", key: "x", run: () => windowBy(viewer, -16, 0) },
    { name: "less", key: "z", run: () => windowBy(viewer, 16, 0) },
    { name: "tool", key: "t", run: () => viewer.setTool(viewer.tool === "move" ? "window" : "move") },
    { name: "nearer", key: "+", run: () => zoomBy(viewer, 1.25) },
    { name: "farther", key: "-", run: () => zoomBy(viewer, 0.8) },
    { name: "left", key: "ArrowLeft", run: () => moveBy(viewer, 40, 0) },
    { name: "right", key: "ArrowRight", run: () => moveBy(viewer, -40, 0) },
    { name: "up", key: "ArrowUp", run: () => moveBy(viewer, 0, 40) },
    { name: "down", key: "ArrowDown", run: () => moveBy(viewer, 0, -40) },
    { name: "reset", key: "0", run: () => viewer.reset() },
    { name: "report", key: "p", run: page.report },
    { name: "full", key: "f", run: page.full },
    { name: "model", key: "m", run: page.nextModel },
    { name: "point", key: "n", run: page.nextPoint },
    { name: "help", key: "?", run: page.help },
  ];
}

function startToolbar(room, viewer, page) {
  page.help = () => dialog.showModal();
  page.full = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  };
  // Inside Gradio's container, which it puts in front of every rule of ours.
  const whole = room.closest("#tabs").parentElement;
  document.addEventListener("fullscreenchange", () =>
    whole.classList.toggle("pn-full", Boolean(document.fullscreenElement)));
  const actions = actionsOf(viewer, page);
  const byName = Object.fromEntries(actions.map((action) => [action.name, action]));
  const keys = h("input", { type: "checkbox", checked: true });
  const dialog = helpOf(actions, keys);
  room.append(dialog);
  startKeys(room, viewer, actions, keys);

  const button = (name, pressed) => h("button.pn-tool", {
    type: "button", "data-tool": name, title: `${t(`key.${name}`)} (${byName[name].key})`,
    "aria-pressed": pressed === undefined ? null : String(pressed),
    onclick: () => byName[name].run(),
  }, t(`tools.${name}`));
  const opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05,
    "aria-label": t("tools.opacity"),
    oninput: () => viewer.setHeat({ on: true, opacity: Number(opacity.value) }) });
  const bar = room.querySelector(".pn-toolbar");
  bar.append(
    h("div.pn-tools", {}, button("open")),
    h("div.pn-tools", {}, button("tool", false), button("invert", false), button("reset")),
    h("div.pn-tools", {}, button("heat", true), button("style", false), button("sign", false),
      h("label.pn-opacity", {}, h("span", {}, t("tools.opacity")), opacity)),
    h("div.pn-tools.pn-end", {}, button("report"), button("full"), button("help")),
  );
  return function refresh() {
    const pressed = {
      tool: viewer.tool === "move", invert: viewer.view.invert, heat: viewer.heat.on,
      style: viewer.heat.style === "contour", sign: viewer.heat.sign === "against",
    };
    for (const [name, on] of Object.entries(pressed)) {
      bar.querySelector(`[data-tool=${name}]`).setAttribute("aria-pressed", String(on));
    }
    opacity.value = viewer.heat.opacity;
  };
}

function keyName(key) {
  return { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−" }[key] ?? key;
}

function helpOf(actions, keys) {
  const rows = actions.map(({ name, key }) =>
    h("div", {}, h("dt", {}, h("kbd", {}, keyName(key))), h("dd", {}, t(`key.${name}`))));
  const mouse = ["drag", "shift", "wheel", "double", "finger", "pinch", "tab"].map((name) =>
    h("div", {}, h("dt", {}, t(`mouse.${name}`)), h("dd", {}, t(`mouse.${name}.does`))));
  const dialog = h("dialog.pn-help.pn-keys", { "aria-label": t("help.title") },
    h("h2", {}, t("help.title")), h("dl", {}, rows, mouse),
    h("label.pn-check", {}, keys, t("help.keys")),
    h("button.pn-button", { type: "button", onclick: () => dialog.close() }, t("help.close")));
  return dialog;
}

function startKeys(room, viewer, actions, keys) {
  const typing = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";
  const moving = "input[type=radio], input[type=range], [role=tab]";
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !keys.checked) return;
    if (room.offsetParent === null || room.querySelector("dialog[open]")) return;
    if (target.closest?.(typing)) return;
    // Arrows belong to the control that has the focus, or to the page while nothing is enlarged.
    if (key.startsWith("Arrow")) {
      const free = target === document.body || target.closest?.(".pn-stage");
      if (target.closest?.(moving) || !free || viewer.view.zoom === 1) return;
    }
    const wanted = key.length === 1 ? key.toLowerCase() : key;
    const action = actions.find((one) => one.key === wanted || (one.key === "+" && key === "="));
    if (!action) return;
    event.preventDefault();
    action.run();
  });
}
