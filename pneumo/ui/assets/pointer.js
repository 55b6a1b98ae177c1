// Mouse and fingers on the images: drag for brightness and contrast or to move, wheel and pinch to zoom.

// Grey levels by which one pixel of dragging moves the window.
const LEVEL_PER_PIXEL = 0.6;

function windowBy(canvas, width, level) {
  const { low, high } = canvas.view;
  const half = clamp((high - low) / 2 + width / 2, 1, 255);
  const centre = clamp((low + high) / 2 + level, 0, 255);
  canvas.set({ low: centre - half, high: centre + half });
}

function moveBy(canvas, dx, dy) {
  const size = canvas.shownSize();
  canvas.set({ x: canvas.view.x - dx / size.width, y: canvas.view.y - dy / size.height });
}

// Zooms so that what lies under the point (page pixels from the pane's centre) stays there.
function zoomBy(canvas, factor, dx = 0, dy = 0) {
  const before = canvas.shownSize();
  const zoom = clamp(canvas.view.zoom * factor, 1, MOST_ZOOM);
  const grown = zoom / canvas.view.zoom;
  canvas.set({
    zoom,
    x: canvas.view.x + (dx / before.width) * (1 - 1 / grown),
    y: canvas.view.y + (dy / before.height) * (1 - 1 / grown),
  });
}

// Where a finger is, in page pixels from the centre of the pane it is on.
function fromCentre(finger) {
  const box = finger.target.closest(".pn-canvas").getBoundingClientRect();
  return { x: finger.clientX - box.x - box.width / 2, y: finger.clientY - box.y - box.height / 2 };
}

function startPointer(host, canvas) {
  const fingers = new Map();
  let moving = false;
  const onPicture = (event) => canvas.image && event.target.closest(".pn-canvas");
  host.addEventListener("pointerdown", (event) => {
    if (!onPicture(event)) return;
    const other = event.button !== 0 || event.shiftKey;
    moving = (canvas.tool === "move") !== other;
    fingers.set(event.pointerId, event);
    event.target.setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") event.preventDefault();
  });
  host.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || !canvas.image) return;
    fingers.set(event.pointerId, event);
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      const far = (finger) =>
        Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      // What lay between the fingers stays between them.
      const [one, two] = [fromCentre(before), fromCentre(other)];
      const [x, y] = [(one.x + two.x) / 2, (one.y + two.y) / 2];
      zoomBy(canvas, far(event) / Math.max(1, far(before)), x, y);
      moveBy(canvas, dx / 2, dy / 2);
    } else if (moving) {
      moveBy(canvas, dx, dy);
    } else {
      windowBy(canvas, dx * LEVEL_PER_PIXEL, -dy * LEVEL_PER_PIXEL);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    host.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  host.addEventListener("contextmenu", (event) => {
    if (onPicture(event)) event.preventDefault();
  });
  host.addEventListener("dblclick", (event) => {
    if (onPicture(event)) canvas.set(RESTING_VIEW);
  });
  host.addEventListener("wheel", (event) => {
    if (!onPicture(event)) return;
    event.preventDefault();
    const { x, y } = fromCentre(event);
    zoomBy(canvas, Math.exp(-event.deltaY / 400), x, y);
  }, { passive: false });
}
