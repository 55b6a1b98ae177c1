// Small tools for all scripts: sentences, elements, numbers, pictures out of base64.

function t(key, values = {}) {
  const sentence = FACTS.texts[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
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

// Probabilities never read as certainty: 0.9996 is "> 99.9 %", not "100 %".
function percent(value, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const least = 10 ** -digits;
  if (value > 0 && 100 * value < least) return `< ${least.toFixed(digits)} %`;
  if (value < 1 && 100 * value > 100 - least) return `> ${(100 - least).toFixed(digits)} %`;
  return `${(100 * value).toFixed(digits)} %`;
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

function cardOf(name) {
  return FACTS.cards.find((card) => card.name === name);
}

function usableCards() {
  return FACTS.cards.filter((card) => !card.broken);
}
