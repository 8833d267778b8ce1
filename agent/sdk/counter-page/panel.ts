/**
 * The card's panel: the connection, the reading, its problems and its outcome.
 *
 * ```text
 * ready -> reading -> outcome | problem -> reading ...
 * ```
 */
import { AgentError, type CardFacts, type DeviceList, type Job, type Reading } from "@madoguchi/agent";
import { element, setTone, writeOrHide } from "./elements";
import { plainDate, prefecture } from "./japan";
import { STEPS, describeJob } from "./progress";
import type { Settings } from "./settings";
import { describeVerdict } from "./verdicts";

const READER_STATES: Readonly<Record<string, string>> = {
  empty: "カードなし",
  cardPresent: "カードあり",
  cardMute: "カードが応答しません",
  inUse: "ほかのソフトが使用中",
  unresponsive: "応答しません",
  absent: "外れています",
};

/** The connection as the panel shows it. */
export type AgentState = "connecting" | "connected" | "reconnecting" | "unavailable";

const AGENT_STATES: Readonly<Record<AgentState, { text: string; tone: "ok" | "warn" | "bad" | undefined }>> = {
  connecting: { text: "確認しています", tone: undefined },
  connected: { text: "つながっています", tone: "ok" },
  reconnecting: { text: "つなぎ直しています", tone: "warn" },
  unavailable: { text: "使えません", tone: "bad" },
};

/** Kinds after which connecting again is the way forward. */
const CONNECTION_KINDS: readonly string[] = [
  "agent_absent",
  "permission_denied",
  "permission_prompt",
  "origin_refused",
  "version_mismatch",
  "connection_lost",
  "closed",
  "token_unavailable",
  "token_invalid",
];

/** Shows the agent's state. */
export function showAgent(state: AgentState): void {
  const { text, tone } = AGENT_STATES[state];
  element("agent-state").textContent = text;
  setTone(element("agent-state"), tone);
  element<HTMLButtonElement>("read").disabled = state !== "connected";
  if (state !== "connected") {
    element("reader-state").textContent = "－";
    setTone(element("reader-state"), undefined);
  }
}

/** Shows the readers. */
export function showDevices(list: DeviceList): void {
  const readers = list.devices.filter((device) => device.class === "cardReader");
  const usable = readers.find((device) => device.state === "cardPresent") ?? readers.find((device) => device.health.usable);
  const shown = usable ?? readers[0];
  const state = element("reader-state");
  if (list.cardService === "down") {
    state.textContent = "カードサービスが動いていません";
  } else if (list.cardService === "denied") {
    state.textContent = "使う権限がありません";
  } else if (shown === undefined) {
    state.textContent = list.cardService === "starting" ? "確認しています" : "見つかりません";
  } else {
    state.textContent = READER_STATES[shown.state] ?? shown.state;
  }
  setTone(state, shown?.health.usable ? "ok" : list.cardService === "starting" ? undefined : "bad");
}

/** Opens the panel for a new reading. */
export function showReading(): void {
  element("start").hidden = true;
  element("problem").hidden = true;
  element("verdict").hidden = true;
  element("card-facts").hidden = true;
  element("reading").hidden = false;
  element("word").textContent = "……";
  element("instruction").textContent = "読み取りの準備をしています。";
  element("tries").hidden = true;
  element("last-try").hidden = true;
  showSteps(0);
}

/** Shows how far the job has come. */
export function showJob(job: Job, settings: Settings): void {
  const progress = describeJob(job);
  element("word").textContent = job.word;
  const instruction = element("instruction");
  if (instruction.textContent !== progress.instruction) {
    // A live region speaks on each write, so it is written only when there is something new to say.
    instruction.textContent = progress.instruction;
  }
  const tries = progress.triesLeft;
  writeOrHide(element("tries"), tries === undefined || progress.lastTry ? undefined : `暗証番号の残り回数　${tries}回`);
  element("tries").classList.toggle("warn", tries !== undefined && tries <= 2);
  element("last-try").hidden = !progress.lastTry;
  showSteps(progress.now);
  if (job.card !== undefined) {
    showCard(job.card, settings);
  }
}

/** Shows what the card says of itself, before anything is asked of the citizen. */
function showCard(card: CardFacts, settings: Settings): void {
  element("card-municipality").textContent = issuer(card.municipalityCode, settings);
  element("card-expiry").textContent = plainDate(card.expiresOn);
  const expired = "有効期限が切れています。本人確認には使えません。更新の手続きを案内してください。";
  writeOrHide(element("card-warning"), card.expired ? expired : undefined);
  element("card-facts").hidden = false;
}

/** Names the municipality that issued the card: ours, or the prefecture of another one. */
function issuer(code: string, settings: Settings): string {
  const own = settings.municipality;
  if (own?.code.slice(0, 5) === code) {
    return `${own.name}（${code}）`;
  }
  const region = `${prefecture(code) ?? ""}（${code}）`;
  return own === undefined ? region : `ほかの市区町村 ${region}`;
}

/** Shows the verdict and moves the focus there, so that it is the next thing heard. */
export function showOutcome(reading: Reading): void {
  const { title, text, reason, tone } = describeVerdict(reading.authenticity);
  element("reading").hidden = true;
  element("start").hidden = false;
  nameStart("もう一度読み取る", true);
  element("verdict-title").textContent = title;
  element("verdict-text").textContent = text;
  element("verdict-reason").textContent = reason;
  setTone(element("verdict"), tone);
  element("verdict").hidden = false;
  element("verdict-title").focus();
}

/** Shows what went wrong and what to do. */
export function showProblem(error: unknown): void {
  const known = error instanceof AgentError ? error : undefined;
  element("reading").hidden = true;
  element("start").hidden = false;
  element("verdict").hidden = true;
  element("problem-message").textContent = known?.ja.message ?? "画面の内部で誤りが起きました。";
  element("problem-next").textContent = known?.ja.next ?? "画面を更新し、続く場合はシステム担当に連絡してください。";
  nameStart("マイナンバーカードを読み取る", false);
  const tries = known?.triesLeft;
  writeOrHide(element("problem-tries"), tries === undefined ? undefined : `暗証番号の残り回数　${tries}回`);
  const request = known?.requestId === undefined ? "" : `　要求番号 ${known.requestId}`;
  element("problem-code").textContent = known === undefined ? "" : `コード ${known.code}${request}`;
  element("reconnect").hidden = known === undefined || !CONNECTION_KINDS.includes(known.kind);
  element("problem").hidden = false;
}

/** Names the button that starts a reading; `quiet` where the form is filled and reading is done. */
function nameStart(name: string, quiet: boolean): void {
  element("read").textContent = name;
  element("read").classList.toggle("quiet", quiet);
}

/** Closes everything that belongs to the last citizen. */
export function showReady(): void {
  for (const id of ["reading", "problem", "verdict", "card-facts"]) {
    element(id).hidden = true;
  }
  element("start").hidden = false;
  nameStart("マイナンバーカードを読み取る", false);
}

function showSteps(now: number): void {
  const items = STEPS.map((name, index) => {
    const item = document.createElement("li");
    const state = document.createElement("span");
    state.className = "step-state";
    state.textContent = index < now ? "済み" : index === now ? "いま" : "";
    item.append(name, state);
    item.className = index < now ? "done" : index === now ? "now" : "";
    if (index === now) {
      item.setAttribute("aria-current", "step");
    }
    return item;
  });
  element("steps").replaceChildren(...items);
}
