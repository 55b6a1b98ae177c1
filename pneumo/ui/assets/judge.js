// From a probability to a label at the chosen operating point; no network is asked again.

const POINTS = ["high_sensitivity", "balanced", "high_specificity"];

// Value of a stored curve between its thresholds.
function onCurve(card, name, threshold) {
  const { curve } = card;
  if (!curve?.threshold?.length) return null;
  const places = curve.threshold;
  const after = clamp(places.findIndex((place) => place >= threshold), 1, places.length - 1);
  const [left, right] = [places[after - 1], places[after]];
  const share = right > left ? clamp((threshold - left) / (right - left), 0, 1) : 1;
  return curve[name][after - 1] * (1 - share) + curve[name][after] * share;
}

function pointOf(card, choice) {
  const point = card.points.find(({ name }) => name === choice.point);
  if (point) return point;
  const value = (name) => {
    const at = onCurve(card, name, choice.threshold);
    return at === null ? null : { value: at };
  };
  return {
    name: "own", threshold: choice.threshold, split: card.curve_split,
    sensitivity: value("sensitivity"), specificity: value("specificity"),
  };
}

// The card's uncertain band, widened until it holds the threshold; null where the card has none.
function bandAround(card, threshold) {
  if (!card.uncertain) return null;
  const { low, high } = card.uncertain;
  return { low: Math.min(low, threshold), high: Math.max(high, threshold) };
}

// Label and confidence, as label_of in pneumo/models/calibration.py gives them.
function labelOf(probability, threshold, band) {
  if (band && band.low <= probability && probability < band.high) {
    return { label: "UNCERTAIN", confidence: Math.max(probability, 1 - probability) };
  }
  return probability >= threshold ? { label: "PNEUMONIA", confidence: probability }
    : { label: "NORMAL", confidence: 1 - probability };
}

// What the reading says at the operating point chosen.
function judged({ record, card }, choice) {
  const point = pointOf(card, choice);
  const { threshold } = point;
  const band = bandAround(card, threshold);
  return { point, threshold, band, ...labelOf(record.probability, threshold, band) };
}

// Of films whose score is near this one: the share with pneumonia at the ward's prevalence, how
// many were measured, and between which scores; null where the curve holds too few.
function likeThis(card, probability, prevalence) {
  for (let reach = 0.05; reach <= 0.5; reach += 0.05) {
    const [low, high] = [Math.max(0, probability - reach), Math.min(1, probability + reach)];
    const between = (name) => Math.abs(onCurve(card, name, high) - onCurve(card, name, low));
    if (onCurve(card, "sensitivity", low) === null) return null;
    // The curve's last threshold counts films that reach it; they belong to the window too.
    const ill = between("sensitivity") + (high === 1 ? onCurve(card, "sensitivity", 1) : 0);
    const well = between("specificity") + (high === 1 ? 1 - onCurve(card, "specificity", 1) : 0);
    // Fewer films than this would say more about chance than about the score.
    if (ill + well >= 0.1) {
      const share = (ill * prevalence) / (ill * prevalence + well * (1 - prevalence));
      const count = (name) => card.points[0]?.[name]?.n ?? NaN;
      const films = Math.round(ill * count("sensitivity") + well * count("specificity"));
      return { share, films, low, high };
    }
  }
  return null;
}

// As predictive_values in pneumo/models/calibration.py; null where no film is called so.
function predictiveValues(point, prevalence) {
  if (!point.sensitivity || !point.specificity) return null;
  const [ill, well] = [point.sensitivity.value, point.specificity.value];
  const positive = ill * prevalence + (1 - well) * (1 - prevalence);
  const negative = well * (1 - prevalence) + (1 - ill) * prevalence;
  return {
    ppv: positive ? (ill * prevalence) / positive : null,
    npv: negative ? (well * (1 - prevalence)) / negative : null,
  };
}
