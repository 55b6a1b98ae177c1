// The images: one window, one place and one zoom for all panes, drawn at screen resolution.

const RESTING_VIEW = { zoom: 1, x: 0.5, y: 0.5, low: 0, high: 255, invert: false };
const MOST_ZOOM = 16;
const LUNG_LINE = "#8ee0b3";

class Canvas {
  constructor(host) {
    this.host = host;
    this.panes = [];
    this.image = null;
    this.view = { ...RESTING_VIEW };
    // on: null leaves it to each result, true or false is the person's wish.
    this.map = { on: null, style: "wash", sign: "for", opacity: 0.6, lungs: false };
    this.layout = "auto"; // or one that the person chose
    this.swipe = h("input.pn-swipe", { type: "range", min: 0, max: 1, step: 0.005, value: 0.5,
      "aria-label": t("view.swipe"),
      oninput: () => host.style.setProperty("--pn-swipe", this.swipe.value) });
    this.tool = window.matchMedia("(pointer: coarse)").matches ? "move" : "window";
    this.base = document.createElement("canvas");
    this.outlines = []; // closed lines on every pane, as shares of the image
    this.marks = []; // crosses {x, y, colour}, or circles with a radius, as shares of the image
    this.drawn = ""; // what the grey values in this.grey were taken from
    this.onchange = () => {};
    new ResizeObserver(() => this.draw()).observe(host);
  }

  // Everything that must be decoded before an image can be shown, so that showing is one step.
  static async prepareImage(picture) {
    const levels = [await bitmapOf(picture.png)];
    // Halved copies: drawing a 3,000-pixel image small from its full size would stutter.
    for (let last = levels[0]; Math.min(last.width, last.height) > 1024; last = levels.at(-1)) {
      const size = { resizeWidth: last.width >> 1, resizeHeight: last.height >> 1 };
      levels.push(await createImageBitmap(last, { ...size, resizeQuality: "high" }));
    }
    return { ...picture, png: null, levels };
  }

  static async prepareMap(map) {
    const prepared = {};
    for (const [sign, { layer, contours }] of Object.entries(map)) {
      prepared[sign] = { contours, layer: layer ? await bitmapOf(layer) : null };
    }
    return prepared;
  }

  // image null empties the stage; results may be empty while an image is shown alone.
  show(image, results, maps, lungs, name) {
    if (image !== this.image) {
      this.view = { ...RESTING_VIEW };
      if (this.map.on) this.map.on = null;
    }
    Object.assign(this, { image, lungs, drawn: "" });
    const panes = image ? [this._pane(name, null, null)] : [];
    results.forEach((result, number) =>
      panes.push(this._pane(t("view.map", { model: result.title }), result, maps[number])));
    this.panes = panes;
    this.host.replaceChildren(...panes.map((pane) => pane.figure), ...(image ? [this.swipe] : []));
    if (image) this.host.style.setProperty("--pn-shape", image.width / image.height);
    this.draw();
  }

  // The results for what is shown have changed: policy or prevalence.
  update(results) {
    results.forEach((result, number) => { this.panes[number + 1].result = result; });
    this.draw();
  }

  _pane(title, result, map) {
    const canvas = h("canvas", { role: "img" });
    const note = h("div.pn-legend");
    const figure = h(`figure.pn-pane.${result ? "pn-map" : "pn-image"}`, {},
      h("figcaption", { title }, title), h("div.pn-canvas", {}, canvas), note);
    return { canvas, figure, note, result, map };
  }

  // Whether a pane's heatmap is drawn.
  mapOn(pane) {
    return Boolean(pane.result) && (this.map.on ?? pane.result.map_on);
  }

  anyMapOn() {
    return this.panes.some((pane) => this.mapOn(pane));
  }

  set(changes) {
    const view = { ...this.view, ...changes };
    view.zoom = clamp(view.zoom, 1, MOST_ZOOM);
    // The image's edge never comes further in than the edge of the resting image.
    const reach = 0.5 - 0.5 / view.zoom;
    view.x = clamp(view.x, 0.5 - reach, 0.5 + reach);
    view.y = clamp(view.y, 0.5 - reach, 0.5 + reach);
    this.view = view;
    this.draw();
  }

  setMap(changes) {
    Object.assign(this.map, changes);
    this.draw();
  }

  setLayout(layout) {
    this.layout = layout;
    this.draw();
  }

  // Beside each other or, where that makes larger images of a wide radiograph, below each other.
  _arrange() {
    const { width, height } = this.host.getBoundingClientRect();
    const [count, shape] = [this.panes.length, this.image.width / this.image.height];
    const words = 64; // what a pane's caption and legend take
    const side = Math.min(width / count, (height - words) * shape);
    const stacked = Math.min(width, (height / count - words) * shape);
    const layout = this.layout !== "auto" ? this.layout : stacked > side ? "stacked" : "side";
    this.host.parentElement.parentElement.dataset.layout = layout;
  }

  setTool(tool) {
    this.tool = tool;
    this.draw();
  }

  // The canvas that is seen first; with the layout "overlay only" the first pane is not.
  _box() {
    const seen = this.panes.map((pane) => pane.canvas.parentElement.getBoundingClientRect());
    return seen.find((box) => box.width > 1) ?? { width: 1, height: 1 };
  }

  // Where on the image a mouse event is: x and y from 0 to 1, beyond them beside it.
  pointAt({ clientX, clientY, target }) {
    const box = target.closest(".pn-canvas").getBoundingClientRect();
    const place = this._place(box.width, box.height);
    return [(clientX - box.x - place.left) / place.width,
      (clientY - box.y - place.top) / place.height];
  }

  // Size of the whole image as it is shown, in page pixels.
  shownSize() {
    if (!this.image) return { width: 1, height: 1 };
    const box = this._box();
    return this._place(box.width, box.height);
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      // A finger scrolls the page past an image at rest and moves one that is enlarged.
      const resting = this.tool === "move" && this.view.zoom === 1;
      this.host.style.touchAction = resting ? "pan-y" : "none";
      this._draw();
      this.onchange();
    });
  }

  // Place of the image on a canvas, in device pixels.
  _place(width, height) {
    const { levels } = this.image;
    const [w, h_] = [levels[0].width, levels[0].height];
    const scale = Math.min(width / w, height / h_) * this.view.zoom;
    return {
      scale,
      left: width / 2 - this.view.x * w * scale,
      top: height / 2 - this.view.y * h_ * scale,
      width: w * scale,
      height: h_ * scale,
    };
  }

  _draw() {
    if (!this.image || !this.panes.length) return;
    this._arrange();
    const box = this._box();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(box.width * ratio);
    const height = Math.round(box.height * ratio);
    if (width < 2 || height < 2) return;
    const place = this._place(width, height);
    this._base(width, height, place);
    for (const pane of this.panes) {
      if (pane.canvas.width !== width) pane.canvas.width = width;
      if (pane.canvas.height !== height) pane.canvas.height = height;
      const context = pane.canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      context.drawImage(this.base, 0, 0);
      if (this.mapOn(pane)) this._map(context, pane, place);
      if (this.map.lungs) this._lines(context, this.lungs, place, LUNG_LINE);
      this._lines(context, this.outlines, place, LUNG_LINE);
      for (const mark of this.marks) this._lines(context, strokesOf(mark), place, mark.colour);
    }
  }

  // The image in its window on this.base. While only the window changes, the grey values drawn
  // before are looked up anew and nothing is scaled: that keeps dragging smooth on any image.
  _base(width, height, place) {
    const context = this.base.getContext("2d", { willReadFrequently: true });
    const key = [width, height, place.left, place.top, place.scale].join();
    if (key !== this.drawn) {
      this.drawn = key;
      this.base.width = width;
      this.base.height = height;
      const enough = (level) => level.width >= place.width;
      const level = this.image.levels.findLast(enough) ?? this.image.levels[0];
      context.imageSmoothingEnabled = place.scale < 4;
      context.imageSmoothingQuality = "high";
      context.drawImage(level, place.left, place.top, place.width, place.height);
      this.grey = context.getImageData(0, 0, width, height);
      this.pixels = new Uint32Array(this.grey.data.buffer.slice(0));
      this.shown = new Uint32Array(this.grey.data.buffer);
    }
    const table = this._table();
    const { pixels, shown } = this;
    for (let i = 0; i < pixels.length; i++) {
      const pixel = pixels[i];
      shown[i] = pixel >>> 24 ? table[pixel & 255] : 0;
    }
    context.putImageData(this.grey, 0, 0);
  }

  _table() {
    const { low, high, invert } = this.view;
    return Uint32Array.from({ length: 256 }, (_, grey) => {
      const share = clamp((grey - low) / Math.max(1, high - low), 0, 1);
      const value = Math.round(255 * (invert ? 1 - share : share));
      return (0xff000000 | (value << 16) | (value << 8) | value) >>> 0;
    });
  }

  _map(context, pane, place) {
    const { layer, contours } = pane.map[this.map.sign];
    if (this.map.style === "contour") {
      this._lines(context, contours, place, legendOf(pane.result.model, this.map.sign).line);
    } else if (layer) {
      context.save();
      context.globalAlpha = this.map.opacity;
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(layer, place.left, place.top, place.width, place.height);
      context.restore();
    }
  }

  // Closed lines; a dark one under a light one is seen on any grey.
  _lines(context, lines, place, colour) {
    context.save();
    context.lineJoin = "round";
    for (const [thickness, stroke] of [[4, "rgba(0, 0, 0, 0.7)"], [2, colour]]) {
      context.lineWidth = thickness * Math.min(window.devicePixelRatio || 1, 2);
      context.strokeStyle = stroke;
      for (const line of lines) {
        context.beginPath();
        for (const [x, y] of line) {
          context.lineTo(place.left + x * place.width, place.top + y * place.height);
        }
        context.closePath();
        context.stroke();
      }
    }
    context.restore();
  }
}

// A mark as lines to draw: a circle with its radius, a cross without.
function strokesOf({ x, y, radius }) {
  if (!radius) return [[[x - 0.025, y], [x + 0.025, y]], [[x, y - 0.025], [x, y + 0.025]]];
  return [Array.from({ length: 60 }, (_, step) => [x + radius * Math.cos(step * Math.PI / 30),
    y + radius * Math.sin(step * Math.PI / 30)])];
}

function legendOf(model, sign) {
  return FACTS.models.find(({ name }) => name === model).legend[sign];
}

// The line under a pane: legend of the map, or the window of the image.
function noteOf(canvas, pane) {
  if (!pane.result) return [h("span", {}, windowWords(canvas.view))];
  if (!canvas.mapOn(pane)) return [h("span", {}, pane.result.map_note)];
  const { sign, style } = canvas.map;
  const legend = legendOf(pane.result.model, sign);
  if (!pane.map[sign].layer) return [h("span", {}, legend.none)];
  if (style === "contour") return [h("span", {}, `${legend.title}: ${legend.contour}`)];
  return [
    h("span", { title: t("legend.unit") }, legend.title),
    h("span.pn-scale", { title: t("legend.unit") },
      h("span.pn-ramp", {
        style: `background-image: linear-gradient(90deg, ${legend.colours.join()})` }),
      h("span.pn-ticks", {}, legend.ticks.map((tick) => h("span", {}, tick)))),
  ];
}

function windowWords(view) {
  const [low, high] = [Math.round(view.low), Math.round(view.high)];
  const words = [t("view.window", { low, high }), t("view.zoom", { zoom: decimal(view.zoom, 1) })];
  if (view.invert) words.push(t("view.inverted"));
  return words.join(" · ");
}

// Legends, and what screen readers say of each pane.
function describePanes(canvas) {
  for (const pane of canvas.panes) {
    const { result } = pane;
    const says = result ? t("view.map.alt", {
      model: result.title, label: result.says,
      where: canvas.mapOn(pane) ? result.where : result.map_note }) : canvas.image.alt;
    const announced = [says, JSON.stringify(canvas.map), windowWords(canvas.view)].join();
    if (pane.announced === announced) continue;
    pane.announced = announced;
    pane.canvas.setAttribute("aria-label", says);
    pane.note.replaceChildren(...noteOf(canvas, pane));
  }
}
