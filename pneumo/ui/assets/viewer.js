// The pictures: one grey window, one place and one zoom for all panes, drawn at screen resolution.

const RESTING_VIEW = { zoom: 1, x: 0.5, y: 0.5, low: 0, high: 255, invert: false };
const MOST_ZOOM = 16;

class Viewer {
  constructor(host) {
    this.host = host;
    this.panes = [];
    this.film = null;
    this.view = { ...RESTING_VIEW };
    this.heat = { on: true, style: "wash", sign: "for", opacity: 0.6 };
    this.tool = window.matchMedia("(pointer: coarse)").matches ? "move" : "window";
    this.base = document.createElement("canvas");
    this.drawn = ""; // what the grey values in this.grey were taken from
    this.onchange = () => {};
    new ResizeObserver(() => this.draw()).observe(host);
  }

  // Everything that must be decoded before a film can be shown, so that showing is one step.
  static async prepareFilm(picture) {
    const levels = [await bitmapOf(picture.png)];
    // Halved copies: drawing a 3,000-pixel film small from its full size would stutter.
    for (let last = levels[0]; Math.min(last.width, last.height) > 1024; last = levels.at(-1)) {
      const size = { resizeWidth: last.width >> 1, resizeHeight: last.height >> 1 };
      levels.push(await createImageBitmap(last, { ...size, resizeQuality: "high" }));
    }
    return { ...picture, png: null, levels };
  }

  static async prepareHeat(reading) {
    const heat = {};
    for (const [sign, picture] of Object.entries(reading.heat)) {
      heat[sign] = { ...picture, layer: picture.layer ? await bitmapOf(picture.layer) : null };
    }
    return { record: reading.record, card: cardOf(reading.record.model), heat };
  }

  // film null empties the stage; readings may be empty while a film is shown alone.
  show(film, readings, name) {
    if (film !== this.film) this.view = { ...RESTING_VIEW };
    this.film = film;
    this.drawn = "";
    const titles = film ? [name, ...readings.map((r) => r.card.title)] : [];
    this.panes = titles.map((title, number) => this._pane(title, readings[number - 1] ?? null));
    this.host.replaceChildren(...this.panes.map((pane) => pane.figure));
    this.host.dataset.count = this.panes.length;
    if (film) this.host.style.setProperty("--pn-shape", film.width / film.height);
    this.draw();
  }

  _pane(title, reading) {
    const canvas = h("canvas", { role: "img" });
    const sideless = reading?.card.tells_side === false;
    const model = { model: title };
    const heat = sideless ? t("view.heat.no_side.short", model) : t("view.heat", model);
    const caption = reading ? heat : title;
    const hint = sideless ? t("view.heat.no_side", model) : caption;
    const note = h("div.pn-legend");
    const figure = h(`figure.pn-pane.${reading ? "pn-heat" : "pn-film"}`, {},
      h("figcaption", { title: hint }, caption), h("div.pn-canvas", {}, canvas), note);
    return { canvas, figure, note, reading };
  }

  set(changes) {
    const view = { ...this.view, ...changes };
    view.zoom = clamp(view.zoom, 1, MOST_ZOOM);
    // The film's edge never comes further in than the edge of the resting film.
    const reach = 0.5 - 0.5 / view.zoom;
    view.x = clamp(view.x, 0.5 - reach, 0.5 + reach);
    view.y = clamp(view.y, 0.5 - reach, 0.5 + reach);
    this.view = view;
    this.draw();
  }

  setHeat(changes) {
    Object.assign(this.heat, changes);
    this.draw();
  }

  setTool(tool) {
    this.tool = tool;
    this.draw();
  }

  reset() {
    this.set(RESTING_VIEW);
  }

  // Size of the whole film as it is shown, in page pixels.
  shownSize() {
    if (!this.film) return { width: 1, height: 1 };
    const box = this.panes[0].canvas.parentElement.getBoundingClientRect();
    return this._place(box.width, box.height);
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      // A finger scrolls the page past a picture at rest and moves one that is enlarged.
      const resting = this.tool === "move" && this.view.zoom === 1;
      this.host.style.touchAction = resting ? "pan-y" : "none";
      this._draw();
      this.onchange();
    });
  }

  // Place of the film on a canvas, in device pixels.
  _place(width, height) {
    const { levels } = this.film;
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
    if (!this.film || !this.panes.length) return;
    const box = this.panes[0].canvas.parentElement.getBoundingClientRect();
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
      if (pane.reading && this.heat.on) this._heat(context, pane.reading, place);
    }
  }

  // The film in its window on this.base. While only the window changes, the grey values drawn
  // before are looked up anew and nothing is scaled: that keeps dragging smooth on any film.
  _base(width, height, place) {
    const context = this.base.getContext("2d", { willReadFrequently: true });
    const key = [width, height, place.left, place.top, place.scale].join();
    if (key !== this.drawn) {
      this.drawn = key;
      this.base.width = width;
      this.base.height = height;
      const enough = (level) => level.width >= place.width;
      const level = this.film.levels.findLast(enough) ?? this.film.levels[0];
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

  _heat(context, reading, place) {
    const { layer, contours } = reading.heat[this.heat.sign];
    context.save();
    if (this.heat.style === "wash" && layer) {
      context.globalAlpha = this.heat.opacity;
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(layer, place.left, place.top, place.width, place.height);
    }
    if (this.heat.style === "contour") {
      context.lineJoin = "round";
      // A dark line under a light one is seen on any grey.
      const colours = reading.card.legend[this.heat.sign].colours;
      const widths = [[4, "rgba(0, 0, 0, 0.7)"], [2, colours[Math.floor(colours.length * 0.75)]]];
      for (const [thickness, colour] of widths) {
        context.lineWidth = thickness * Math.min(window.devicePixelRatio || 1, 2);
        context.strokeStyle = colour;
        for (const line of contours) {
          context.beginPath();
          for (const [x, y] of line) {
            context.lineTo(place.left + x * place.width, place.top + y * place.height);
          }
          context.closePath();
          context.stroke();
        }
      }
    }
    context.restore();
  }
}
