// The arithmetic of a lesson. Truth and answers of a round stay in the browser, so they are counted
// here: which radiographs make a round, what was right, and the files made of it.

const ANSWERS = ["NORMAL", "PNEUMONIA", "UNSURE"];
// What "how sure" stands for, in per cent.
const SURENESS = [50, 65, 80, 90, 99];
// A mark or a map's strongest point this many radii from the opacity's center still hits it.
const REACH = 1.2;

function shuffled(list) {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [mixed[i], mixed[other]] = [mixed[other], mixed[i]];
  }
  return mixed;
}

// Cases of a round in random order: more normals than pneumonias, as in practice, and among each
// up to a quarter on which a model is wrong.
function drawRound(cases, count) {
  const of = (truth) => shuffled(cases.filter((one) => one.truth === truth));
  const [normal, sick] = [of("NORMAL"), of("PNEUMONIA")];
  const wanted = Math.min(sick.length, Math.floor(0.4 * count));
  const well = Math.min(normal.length, count - wanted);
  const ill = Math.min(wanted, Math.max(0, well - 1));
  const some = (list, number) => {
    const hard = list.filter((one) => one.hard).slice(0, Math.ceil(number / 4));
    return [...hard, ...list.filter((one) => !hard.includes(one))].slice(0, number);
  };
  return shuffled([...some(normal, well), ...some(sick, ill)]);
}

// Whether a point hits a known place; null where none is known.
function hits(place, point) {
  if (!place) return null;
  return Boolean(point) &&
    Math.hypot(point[0] - place.x, point[1] - place.y) <= REACH * place.radius;
}

function shareOf(part, whole) {
  if (!whole.length) return "–";
  const percent = Math.round(100 * part.length / whole.length);
  return t("teach.share", { part: part.length, whole: whole.length, percent });
}

// Everybody whose answers stand beside each other at the end: said(case) is a label, hit(case)
// whether the place was found.
function readersOf(cases) {
  return [
    { title: t("teach.you.first"), said: (one) => one.answer, hit: (one) => one.hit },
    { title: t("teach.you.final"), said: (one) => one.final, hit: (one) => one.hit },
    ...cases[0].results.map(({ title }, number) => ({ title,
      said: (one) => one.results[number].label, hit: (one) => one.results[number].hit })),
  ];
}

// Tables of the end of a round: title, head and rows, all words.
function tablesOf(cases) {
  const readers = readersOf(cases);
  const right = (said) => (one) => said(one) === one.truth;
  const of = (truth) => cases.filter((one) => one.truth === truth);
  const row = (name, cell) => [t(`teach.row.${name}`), ...readers.map(cell)];
  const placed = cases.filter((one) => one.hit !== null);
  const scores = [
    row("accuracy", ({ said }) => shareOf(cases.filter(right(said)), cases)),
    row("sensitivity", ({ said }) =>
      shareOf(of("PNEUMONIA").filter(right(said)), of("PNEUMONIA"))),
    row("specificity", ({ said }) => shareOf(of("NORMAL").filter(right(said)), of("NORMAL"))),
    row("unsure", ({ said }) =>
      shareOf(cases.filter((one) => !["NORMAL", "PNEUMONIA"].includes(said(one))), cases)),
  ];
  if (placed.length) scores.push(row("place", ({ hit }) => shareOf(placed.filter(hit), placed)));
  const [first, final, ...models] = readers;
  const against = models.flatMap(({ title, said }) => [true, false].map((good) => {
    const some = cases.filter((one) => right(said)(one) === good);
    return [t(good ? "teach.model.right" : "teach.model.wrong", { model: title }),
      ...[first, final].map((me) => shareOf(some.filter(right(me.said)), some))];
  }));
  const changed = cases.filter((one) => one.final !== one.answer);
  const toward = changed.filter(right(final.said));
  const away = changed.filter(right(first.said));
  const decided = cases.filter((one) => one.sure);
  const sure = SURENESS.map((level) => decided.filter((one) => one.sure === level));
  return [
    { title: t("teach.table.scores"), head: ["", ...readers.map(({ title }) => title)],
      rows: scores },
    { title: t("teach.table.model"), head: ["", first.title, final.title], rows: against },
    { title: t("teach.table.changes"), head: null, rows: [
      [t("teach.change.toward"), toward.length], [t("teach.change.away"), away.length],
      [t("teach.change.other"), changed.length - toward.length - away.length]] },
    { title: t("teach.table.sure"), head: [t("teach.sure"), t("teach.row.right")],
      rows: sure.map((some, number) =>
        [t("teach.percent", { value: SURENESS[number] }), shareOf(some.filter(right(first.said)), some)]),
      note: decided.length && t("teach.sure.says", {
        sure: Math.round(decided.reduce((sum, one) => sum + one.sure, 0) / decided.length),
        right: Math.round(100 * decided.filter(right(first.said)).length / decided.length) }) },
  ];
}

// One or two sentences about a case, once its truth is known.
function pointsOf(one) {
  const { truth, place, results, final } = one;
  const first = place ? t("teach.point.place", { zone: t(`zone.${place.zone}`) })
    : t(truth === "NORMAL" ? "teach.point.normal" : "teach.point.noplace");
  const opposite = truth === "NORMAL" ? "PNEUMONIA" : "NORMAL";
  const wrong = results.find(({ label }) => label === opposite);
  const elsewhere = results.find(({ label, hit }) => label === truth && hit === false);
  if (wrong) return [first, t("teach.point.wrong", { model: wrong.title, percent: wrong.percent })];
  if (elsewhere) return [first, t("teach.point.elsewhere", { model: elsewhere.title })];
  if (final === opposite) {
    return [first, t(place ? `teach.point.${place.level}` : `teach.point.missed.${truth}`)];
  }
  const open = results.find(({ label }) => label === "INDETERMINATE");
  if (open) return [first, t("teach.point.open", { model: open.title })];
  return place ? [first, t(`teach.point.${place.level}`)] : [first];
}

function answerWords(answer) {
  return t(`teach.answer.${answer}`);
}

function lessonCsv(round, titleOfCase) {
  const models = round.cases[0].results.map(({ model }) => model);
  const head = ["number", "set", "case", "truth", "answer", "sure", "x", "y", "place_hit", "final",
    ...models.flatMap((model) => ["label", "probability", "place_hit"].map((what) =>
      `${model}_${what}`))];
  const yes = (hit) => (hit === null ? "" : hit ? "yes" : "no");
  const lines = round.cases.map((one, number) => [number + 1, round.set, titleOfCase(one), one.truth,
    one.answer, one.sure, ...(one.mark ?? ["", ""]), yes(one.hit), one.final,
    ...one.results.flatMap(({ label, probability, hit }) => [label, probability, yes(hit)])]);
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}
