/** Codes as they are scanned, listed with how sure their text is and what the agent made of them. */
import type { AgentClient, Scan, TextRule } from "@madoguchi/agent";
import { sentenceFor } from "./device-words";
import { element } from "./elements";
import type { Station } from "./station";

const RULES: Readonly<Record<TextRule, string>> = {
  eci: "コード自身の指定",
  ascii: "英数字のみ",
  utf8: "UTF-8",
  shiftJis: "Shift_JIS と推定",
  binary: "文字ではありません",
};

/** As many as a clerk looks through; older ones leave the list. */
const MOST = 20;

/** The list. */
export class Scans {
  readonly #agent: AgentClient;
  readonly #station: Station;
  #listening: AbortController | undefined;

  constructor(agent: AgentClient, station: Station) {
    this.#agent = agent;
    this.#station = station;
    const start = element<HTMLButtonElement>("scan-start");
    start.addEventListener("click", () => void station.work(start, () => this.#listen()));
    element("scan-stop").addEventListener("click", () => this.#listening?.abort());
  }

  /** Erases the list. */
  clear(): void {
    this.#listening?.abort();
    element("scans").replaceChildren();
  }

  async #listen(): Promise<void> {
    const listening = new AbortController();
    this.#listening = listening;
    this.#station.say("スキャナーを準備しています。");
    showListening(true);
    try {
      const take = (scan: Scan) => {
        element("scans").prepend(describe(scan));
        element("scans").children[MOST]?.remove();
      };
      const count = await this.#agent.scanner.onScan(take, {
        purpose: "事前申請の受付",
        signal: listening.signal,
        onProgress: ({ step }) => {
          if (step === "waitingForCode") {
            this.#station.say("コードをスキャナーにかざしてください。");
          }
        },
      });
      const lost = count.undelivered > 0 ? `受け取れなかったコードが${count.undelivered}件あります。もう一度読ませてください。` : "";
      this.#station.say(`読み取りを終えました。${lost}`, lost === "" ? "ok" : "warn");
    } finally {
      showListening(false);
    }
  }
}

function showListening(listening: boolean): void {
  element("scan-start").hidden = listening;
  element("scan-stop").hidden = !listening;
}

function describe(scan: Scan): HTMLLIElement {
  const item = document.createElement("li");
  const text = document.createElement("p");
  text.className = "scan-text";
  text.textContent = scan.fault === undefined ? (scan.text ?? "（文字ではないデータ）") : sentenceFor(scan.fault);
  item.append(text);
  if (scan.fault === undefined) {
    item.append(facts(scan));
  }
  return item;
}

function facts(scan: Scan): HTMLDListElement {
  const list = document.createElement("dl");
  const add = (name: string, value: string) => {
    const term = document.createElement("dt");
    term.textContent = name;
    const description = document.createElement("dd");
    description.textContent = value;
    list.append(term, description);
  };
  add("文字の決め方", `${RULES[scan.rule]}${scan.certain ? "" : "（推定。表示を確かめてください）"}`);
  add("元のデータ", hexadecimal(scan.bytes));
  if (scan.parts > 1) {
    add("分割", `${scan.parts}個のコードを1つにしました`);
  }
  scan.gs1.forEach(({ ai, value }) => add(`GS1 (${ai})`, value));
  const form = scan.preApplication;
  if (form !== undefined) {
    add("事前申請", `${form.procedure}（署名を確認済み）`);
    Object.entries(form.fields).forEach(([name, value]) => add(name, value));
  }
  return list;
}

/** The first bytes, as many as fit a line. */
function hexadecimal(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${shown}${bytes.length > 16 ? " …" : ""}（${bytes.length}バイト）`;
}
