// The tools under the images, their keys, and the list of keys.

const LAYOUTS = ["auto", "overlay", "stacked", "swipe", "side"];
const WINDOWS = { default: [0, 255], lung: [0, 160], contrast: [64, 192] };

function nextOf(list, now) {
  return list[(list.indexOf(now) + 1) % list.length];
}

// The name of the window shown; "" for one that was dragged.
function windowNow({ view: { low, high } }) {
  return Object.keys(WINDOWS).find((name) => WINDOWS[name].join() === [low, high].join()) ?? "";
}

function setWindow(canvas, name) {
  const [low, high] = WINDOWS[name];
  canvas.set({ low, high });
}

// Every action of the stage with its key: the buttons, the keyboard and the help are this table.
function actionsOf(canvas, page) {
  const { map } = canvas;
  const flip = (name, one, other) => () =>
    canvas.setMap({ [name]: map[name] === one ? other : one });
  const fade = (step) => () =>
    canvas.setMap({ on: true, opacity: clamp(map.opacity + step, 0, 1) });
  return [
    { name: "open", key: "o", run: page.open },
    { name: "map", key: "h", run: () => canvas.setMap({ on: !canvas.anyMapOn() }) },
    { name: "style", key: "c", run: flip("style", "wash", "contour") },
    { name: "sign", key: "e", run: flip("sign", "for", "against") },
    { name: "lungs", key: "l", run: flip("lungs", true, false) },
    { name: "fainter", key: "[", run: fade(-0.1) },
    { name: "stronger", key: "]", run: fade(0.1) },
    { name: "invert", key: "i", run: () => canvas.set({ invert: !canvas.view.invert }) },
    { name: "window", key: "w", run: () =>
      setWindow(canvas, nextOf(Object.keys(WINDOWS), windowNow(canvas))) },
    { name: "darker", key: "d", run: () => windowBy(canvas, 0, 10) },
    { name: "brighter", key: "b", run: () => windowBy(canvas, 0, -10) },
    { name: "more", key: "x", run: () => windowBy(canvas, -16, 0) },
    { name: "less", key: "z", run: () => windowBy(canvas, 16, 0) },
    { name: "tool", key: "t", run: () => canvas.setTool(canvas.tool === "move" ? "window" : "move") },
    { name: "nearer", key: "+", run: () => zoomBy(canvas, 1.25) },
    { name: "farther", key: "-", run: () => zoomBy(canvas, 0.8) },
    { name: "left", key: "ArrowLeft", run: () => moveBy(canvas, 40, 0) },
    { name: "right", key: "ArrowRight", run: () => moveBy(canvas, -40, 0) },
    { name: "up", key: "ArrowUp", run: () => moveBy(canvas, 0, 40) },
    { name: "down", key: "ArrowDown", run: () => moveBy(canvas, 0, -40) },
    { name: "reset", key: "0", run: () => canvas.set(RESTING_VIEW) },
    { name: "layout", key: "s", run: () => canvas.setLayout(nextOf(LAYOUTS, canvas.layout)) },
    { name: "report", key: "p", run: page.report },
    { name: "full", key: "f", run: page.full },
    { name: "model", key: "m", run: page.nextModel },
    { name: "policy", key: "n", run: page.nextPolicy },
    { name: "previous", key: "PageUp", run: () => page.walk(-1) },
    { name: "next", key: "PageDown", run: () => page.walk(1) },
    { name: "help", key: "?", run: page.help },
  ];
}

function startToolbar(room, canvas, page) {
  page.help = () => dialog.showModal();
  page.full = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  };
  // Inside Gradio's container, which it puts in front of every rule of ours.
  const whole = room.closest("#tabs").parentElement;
  document.addEventListener("fullscreenchange", () =>
    whole.classList.toggle("pn-full", Boolean(document.fullscreenElement)));
  const actions = actionsOf(canvas, page);
  const byName = Object.fromEntries(actions.map((action) => [action.name, action]));
  const keys = h("input", { type: "checkbox", checked: true });
  const dialog = helpOf(actions, keys);
  room.append(dialog);
  startKeys(room, canvas, actions, keys);

  const button = (name, pressed) => h("button.pn-tool", {
    type: "button", "data-tool": name, title: `${t(`key.${name}`)} (${byName[name].key})`,
    "aria-pressed": pressed === undefined ? null : String(pressed),
    onclick: () => byName[name].run(),
  }, t(`tools.${name}`));
  const opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05,
    "aria-label": t("tools.opacity"),
    oninput: () => canvas.setMap({ on: true, opacity: Number(opacity.value) }) });
  const select = (name, options, words, choose) => h("select.pn-tool", {
    "data-tool": name, title: `${t(`key.${name}`)} (${byName[name].key})`,
    "aria-label": t(`tools.${name}`), onchange: (event) => choose(event.target.value),
  }, options.map((value) => h("option", { value, hidden: !value },
    value ? words(value) : t(`tools.${name}`))));
  const bar = room.querySelector(".pn-toolbar");
  bar.append(
    h("div.pn-tools", {}, button("open")),
    h("div.pn-tools", {}, button("tool", false),
      select("window", ["", ...Object.keys(WINDOWS)], (name) => t(`window.${name}`),
        (name) => setWindow(canvas, name)),
      button("invert", false), button("reset")),
    h("div.pn-tools", {}, button("map", true), button("style", false), button("sign", false),
      button("lungs", false), h("label.pn-opacity", { title: t("tools.opacity") }, opacity)),
    h("div.pn-tools.pn-end", {},
      select("layout", LAYOUTS, (name) => t(`layout.${name}`),
        (layout) => canvas.setLayout(layout)),
      button("full"), button("help")),
  );
  return function refresh() {
    const { map, view } = canvas;
    const pressed = {
      tool: canvas.tool === "move", invert: view.invert, map: canvas.anyMapOn(),
      style: map.style === "contour", sign: map.sign === "against", lungs: map.lungs,
    };
    for (const [name, on] of Object.entries(pressed)) {
      bar.querySelector(`[data-tool=${name}]`).setAttribute("aria-pressed", String(on));
    }
    bar.querySelector("[data-tool=lungs]").disabled = !canvas.lungs?.length;
    opacity.value = map.opacity;
    bar.querySelector("[data-tool=window]").value = windowNow(canvas);
    bar.querySelector("[data-tool=layout]").value = canvas.layout;
  };
}

function keyName(key) {
  return { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−",
    PageUp: "Page ↑", PageDown: "Page ↓" }[key] ?? key;
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

function startKeys(room, canvas, actions, keys) {
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
      if (target.closest?.(moving) || !free || canvas.view.zoom === 1) return;
    }
    if (key.startsWith("Page") && room.dataset.walk === "no") return;
    const wanted = key.length === 1 ? key.toLowerCase() : key;
    const action = actions.find((one) => one.key === wanted || (one.key === "+" && key === "="));
    if (!action) return;
    event.preventDefault();
    action.run();
  });
}
