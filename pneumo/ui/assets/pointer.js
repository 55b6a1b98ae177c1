// Hands on the pictures: drag for brightness and contrast or to move, wheel and pinch to zoom.

// Grey levels by which one pixel of dragging moves the window.
const LEVEL_PER_PIXEL = 0.6;

function windowBy(viewer, width, level) {
  const { low, high } = viewer.view;
  const half = clamp((high - low) / 2 + width / 2, 1, 255);
  const centre = clamp((low + high) / 2 + level, 0, 255);
  viewer.set({ low: centre - half, high: centre + half });
}

function moveBy(viewer, dx, dy) {
  const size = viewer.shownSize();
  viewer.set({ x: viewer.view.x - dx / size.width, y: viewer.view.y - dy / size.height });
}

// Zooms so that what lies under the point (page pixels from the pane's centre) stays there.
function zoomBy(viewer, factor, dx = 0, dy = 0) {
  const before = viewer.shownSize();
  const zoom = clamp(viewer.view.zoom * factor, 1, MOST_ZOOM);
  const grown = zoom / viewer.view.zoom;
  viewer.set({
    zoom,
    x: viewer.view.x + (dx / before.width) * (1 - 1 / grown),
    y: viewer.view.y + (dy / before.height) * (1 - 1 / grown),
  });
}

function startPointer(host, viewer) {
  const fingers = new Map();
  let moving = false;
  const onPicture = (event) => viewer.film && event.target.closest(".pn-canvas");
  host.addEventListener("pointerdown", (event) => {
    if (!onPicture(event)) return;
    const other = event.button !== 0 || event.shiftKey;
    moving = (viewer.tool === "move") !== other;
    fingers.set(event.pointerId, event);
    event.target.setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") event.preventDefault();
  });
  host.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || !viewer.film) return;
    fingers.set(event.pointerId, event);
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      const far = (finger) =>
        Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      zoomBy(viewer, far(event) / Math.max(1, far(before)));
      moveBy(viewer, dx / 2, dy / 2);
    } else if (moving) {
      moveBy(viewer, dx, dy);
    } else {
      windowBy(viewer, dx * LEVEL_PER_PIXEL, -dy * LEVEL_PER_PIXEL);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    host.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  host.addEventListener("contextmenu", (event) => {
    if (onPicture(event)) event.preventDefault();
  });
  host.addEventListener("dblclick", (event) => {
    if (onPicture(event)) viewer.reset();
  });
  host.addEventListener("wheel", (event) => {
    const canvas = onPicture(event);
    if (!canvas) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const [dx, dy] = [event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2];
    zoomBy(viewer, Math.exp(-event.deltaY / 400), dx, dy);
  }, { passive: false });
}
