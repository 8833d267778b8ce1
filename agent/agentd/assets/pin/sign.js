/**
 * The part of the citizen's screen on which a document is shown and signed by hand (手書きの署名).
 *
 * ```text
 * open(show) -> picture on the screen -> act shown -> ink ... -> act turn | redo | confirm | decline
 * ```
 * The picture covers the whole window in its proportions, because under a pen display picture and pen are one
 * surface. Where `inkArea` is there, the tablet feels the pen and `ink` brings what it did, in the units of
 * `inkArea`; where it is absent, this page feels the pen by pointer events and says so in hundredths of a pixel.
 * What is drawn here is for looking at; how thick a line is follows the pressure and is recorded nowhere.
 *
 * A last page without a place to sign is no document but a cross, which is touched to calibrate a pen display: it
 * is shown bare, because a button that lies upon a cross would be pressed with it.
 *
 * Nothing of a document or of ink stays when it closes.
 */

/** Flags of a sample. */
const TIP = 1;
const IN_RANGE = 2;
const ERASER = 8;

const MAX_PRESSURE = 65_535;
const STEEPEST = 9_000;
/** Samples wait no longer than this before they are told: 25 messages in a second. */
const BATCH_MS = 40;
/** A message of so many samples stays well below what the agent reads at once. */
const MOST_IN_MESSAGE = 500;
/** Pressure is compared with the strongest so far, because not every tablet says what its strongest is. */
const LEAST_STRONGEST = 512;

const byId = (id) => document.getElementById(id);

/** Says an act of the citizen to the agent; set by `begin`. */
let tell = () => {};
/** What is shown, or undefined. */
let shown;
/** Counts openings, so that a picture that was decoded too late is not shown. */
let opening = 0;
/** Whether an act is on its way that ends or changes what is shown. */
let answered = false;
let inked = false;
let last;
/** Whether the stroke that is drawn began in the signing area; only then it is one. */
let counts = false;
let strongest = LEAST_STRONGEST;

/** The pointer that writes, or undefined. */
let writing;
/** Whether a pen was seen: from then on a hand that touches the screen does not write. */
let penSeen = false;
let samples = [];
let timer;
/** When the first page of this job was shown, and the time of the last sample since: one clock for all of a job. */
let origin = 0;
let latest = 0;
let originOf;
/** Whether the agent was told that the page is shown: from then on the pen counts. */
let told = false;

/** Shows a page; resolves to whether it is on the screen. */
export async function open(instruction) {
  opening += 1;
  const mine = opening;
  const page = instruction.page;
  const bitmap = await createImageBitmap(new Blob([bytesOf(page.picture)], { type: "image/png" }));
  if (mine !== opening) {
    bitmap.close();
    return false;
  }
  told = false;
  shown = { job: instruction.job, word: instruction.word, ...page, picture: undefined };
  for (const canvas of [byId("sign-picture"), byId("sign-ink")]) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  byId("sign-picture").getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  answered = false;
  forgetPen();
  place();
  return true;
}

/** Waits until what was opened is really on the screen, and tells it. */
export function tellShown() {
  const mine = opening;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (mine === opening && shown !== undefined) {
        if (originOf !== shown.job) {
          originOf = shown.job;
          origin = performance.now();
          latest = 0;
        }
        told = true;
        tell(shown.job, { kind: "shown", page: shown.page });
        forgetPen();
      }
    }),
  );
}

/** Shows nothing any more. */
export function close() {
  opening += 1;
  shown = undefined;
  originOf = undefined;
  forgetPen();
  for (const canvas of [byId("sign-picture"), byId("sign-ink")]) {
    canvas.width = 0;
    canvas.height = 0;
  }
}

/** Whether a document is open. */
export function isOpen() {
  return shown !== undefined;
}

/** Whether what is open is a cross that is to be touched, and no document. */
export function isCross() {
  return shown !== undefined && shown.area === undefined && shown.page >= shown.pages;
}

/** Draws what a tablet felt. */
export function ink(instruction) {
  if (shown?.job !== instruction.job || shown.area === undefined || shown.inkArea === undefined) {
    return;
  }
  const [left, top, width, height] = shown.area;
  const [inkLeft, inkTop, inkWidth, inkHeight] = shown.inkArea;
  for (const [, x, y, pressure, , , flags] of instruction.samples) {
    const across = left + ((x - inkLeft) / inkWidth) * width;
    const down = top + ((y - inkTop) / inkHeight) * height;
    draw(across, down, pressure, flags);
  }
}

/** Writes the words anew, in the present language. */
export function write(words) {
  byId("sign-confirm").textContent = words.signConfirm;
  byId("sign-redo").textContent = words.signRedo;
  byId("sign-decline").textContent = words.signDecline;
  byId("sign-next").textContent = words.signNext;
  byId("sign-previous").textContent = words.signPrevious;
  byId("sign-title").textContent = title(words) ?? words.signTitle;
  byId("sign-hint").textContent = isCross() ? words.crossHint : words.signHint;
  byId("sign-word-label").textContent = words.wordLabel;
  byId("sign-language").textContent = words.language;
  byId("sign-language").setAttribute("aria-label", words.languageLabel);
  if (shown === undefined) {
    return;
  }
  byId("sign-word").textContent = shown.word;
  const pages = words.signPages(shown.page, shown.pages);
  byId("sign-pages").textContent = pages;
  const picture = isCross() ? words.crossHint : words.signPicture(shown.page, shown.pages);
  byId("sign-picture").setAttribute("aria-label", picture);
  writeButtons();
}

/** The title of what is open; undefined where nothing is. */
export function title(words) {
  if (shown === undefined) {
    return undefined;
  }
  return isCross() ? words.crossTitle : words.signTitle;
}

/** What a screen reader is told when a page opens. */
export function announcement(words) {
  if (isCross()) {
    return words.crossHint;
  }
  return words.signAnnounce(shown.word, shown.page, shown.pages, shown.area !== undefined);
}

function writeButtons() {
  const signed = shown.area !== undefined;
  for (const side of document.querySelectorAll(".sign-side")) {
    side.hidden = isCross();
  }
  byId("sign-previous").hidden = shown.page <= 1;
  byId("sign-next").hidden = signed || shown.page >= shown.pages;
  byId("sign-redo").hidden = !signed;
  byId("sign-confirm").hidden = !signed;
  byId("sign-hint").hidden = !isCross() && (!signed || inked);
  for (const id of ["sign-previous", "sign-next", "sign-decline"]) {
    byId(id).disabled = answered;
  }
  byId("sign-redo").disabled = answered || !inked;
  byId("sign-confirm").disabled = answered || !inked;
}

/** Where the picture stands in the window: as large as it can be, in its proportions, in the middle. */
function box() {
  const frame = byId("sign-picture").getBoundingClientRect();
  const { width, height } = byId("sign-picture");
  const scale = Math.min(frame.width / width, frame.height / height);
  return {
    left: frame.left + (frame.width - width * scale) / 2,
    top: frame.top + (frame.height - height * scale) / 2,
    scale,
  };
}

/** Puts hint and buttons beside the signing area: the outer 15 percent of the lowest 35. */
export function place() {
  if (shown === undefined) {
    return;
  }
  const { left, top, scale } = box();
  const { width, height } = byId("sign-picture");
  const set = (name, value) => byId("sign").style.setProperty(name, `${value}px`);
  set("--picture-left", left);
  set("--picture-top", top);
  set("--picture-width", width * scale);
  set("--picture-height", height * scale);
  if (shown.area !== undefined) {
    const [x, y, areaWidth] = shown.area;
    set("--area-left", left + x * scale);
    set("--area-top", top + y * scale);
    set("--area-width", areaWidth * scale);
  } else if (isCross()) {
    // Between the crosses above and the one in the middle.
    set("--area-left", left + 0.15 * width * scale);
    set("--area-top", top + 0.25 * height * scale);
    set("--area-width", 0.7 * width * scale);
  }
}

// ---- Ink on the screen

function draw(x, y, pressure, flags) {
  const touches = (flags & TIP) !== 0;
  if (touches && last === undefined) {
    counts = inArea(x, y);
  }
  if (touches && counts) {
    strongest = Math.max(strongest, pressure);
    const context = byId("sign-ink").getContext("2d");
    const unit = byId("sign-ink").width / 1920;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = "#0b1f66";
    context.lineWidth = unit * (2 + 4 * (pressure / strongest));
    context.beginPath();
    context.moveTo(last?.x ?? x, last?.y ?? y);
    context.lineTo(x, y);
    context.stroke();
    if (!inked) {
      inked = true;
      writeButtons();
    }
  }
  last = touches ? { x, y } : undefined;
}

function forgetPen() {
  clearTimeout(timer);
  timer = undefined;
  samples = [];
  writing = undefined;
  last = undefined;
  inked = false;
  strongest = LEAST_STRONGEST;
  const canvas = byId("sign-ink");
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  if (shown !== undefined) {
    writeButtons();
  }
}

// ---- The pen, where this page feels it

/** Whether this page feels the pen now. */
function feels() {
  return shown !== undefined && shown.area !== undefined && shown.inkArea === undefined && !answered && told;
}

/** A sample of a pointer event; what lies beyond the picture ends at its edge, as a tablet's own surface does. */
function sampleOf(event, flags) {
  const { left, top, scale } = box();
  const { width, height } = byId("sign-picture");
  const along = (place, from, pixels) =>
    Math.round(Math.min(Math.max((place - from) / scale, 0), pixels) * 100);
  latest = Math.max(latest, Math.round((event.timeStamp - origin) * 1000));
  const tilt = (degrees) => Math.min(Math.max(Math.round((degrees ?? 0) * 100), -STEEPEST), STEEPEST);
  return [
    latest,
    along(event.clientX, left, width),
    along(event.clientY, top, height),
    Math.round(Math.min(Math.max(event.pressure, 0), 1) * MAX_PRESSURE),
    tilt(event.tiltX),
    tilt(event.tiltY),
    flags | ((event.buttons & 32) === 0 ? 0 : ERASER),
  ];
}

function inArea(x, y) {
  const [left, top, width, height] = shown.area;
  return x >= left && x < left + width && y >= top && y < top + height;
}

function keep(sample) {
  const [, x, y, pressure, , , flags] = sample;
  samples.push(sample);
  draw(x / 100, y / 100, pressure, flags);
  timer ??= setTimeout(tellInk, BATCH_MS);
}

function tellInk() {
  clearTimeout(timer);
  timer = undefined;
  const waiting = samples;
  samples = [];
  for (let from = 0; from < waiting.length; from += MOST_IN_MESSAGE) {
    tell(shown.job, { kind: "ink", samples: waiting.slice(from, from + MOST_IN_MESSAGE) });
  }
}

function onDown(event) {
  penSeen ||= event.pointerType === "pen";
  const hand = event.pointerType === "touch" && penSeen;
  if (!feels() || writing !== undefined || hand || !(event.button === 0 || event.button === 5)) {
    return;
  }
  const sample = sampleOf(event, TIP | IN_RANGE);
  if (!inArea(sample[1] / 100, sample[2] / 100)) {
    return;
  }
  event.preventDefault();
  writing = event.pointerId;
  byId("sign-ink").setPointerCapture(event.pointerId);
  keep(sample);
}

/** Several positions can come in one event; all are kept, and their times are their own. */
function onMove(event) {
  if (!feels()) {
    return;
  }
  const merged = event.getCoalescedEvents?.() ?? [];
  const events = merged.length > 0 ? merged : [event];
  if (event.pointerId === writing) {
    events.forEach((one) => keep(sampleOf(one, TIP | IN_RANGE)));
  } else if (writing === undefined && event.pointerType === "pen" && event.buttons === 0) {
    penSeen = true;
    const near = events.map((one) => sampleOf(one, IN_RANGE));
    near.filter(([, x, y]) => inArea(x / 100, y / 100)).forEach(keep);
  }
}

function onUp(event) {
  if (event.pointerId !== writing) {
    return;
  }
  writing = undefined;
  if (feels()) {
    // A finger that is lifted is out of reach; a pen is followed on.
    keep(sampleOf(event, event.pointerType === "touch" ? 0 : IN_RANGE));
  }
}

// ---- What the citizen presses

function answer(act) {
  if (shown === undefined || answered) {
    return;
  }
  if (samples.length > 0) {
    tellInk();
  }
  answered = true;
  writeButtons();
  tell(shown.job, act);
}

/** Begins to listen; `say(job, act)` tells the agent. */
export function begin(say) {
  tell = say;
  const surface = byId("sign-ink");
  // The finer of the two events, where the browser has it: it is not held back until the next picture.
  const move = "onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove";
  surface.addEventListener("pointerdown", onDown);
  surface.addEventListener(move, onMove);
  surface.addEventListener("pointerup", onUp);
  surface.addEventListener("pointercancel", onUp);
  surface.addEventListener("contextmenu", (event) => event.preventDefault());
  window.addEventListener("resize", place);
  byId("sign-confirm").addEventListener("click", () => answer({ kind: "confirm" }));
  byId("sign-redo").addEventListener("click", () => answer({ kind: "redo" }));
  byId("sign-decline").addEventListener("click", () => answer({ kind: "decline" }));
  byId("sign-next").addEventListener("click", () => answer({ kind: "turn", page: shown.page + 1 }));
  byId("sign-previous").addEventListener("click", () => answer({ kind: "turn", page: shown.page - 1 }));
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
