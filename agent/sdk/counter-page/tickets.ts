/**
 * A ticket, printed at most once, and the tickets of which nobody knows whether they came out.
 *
 * A ticket's name is made once for each press of the button and never used for another ticket.
 */
import { AgentError, type AgentClient, type TicketPart, type UnknownTicket } from "@madoguchi/agent";
import { element } from "./elements";
import type { Paper } from "./paper";
import type { Station } from "./station";

/** A ticket takes a second; a clerk waits no longer than this to learn that nobody knows. */
const PURPOSE = { purpose: "番号札の印刷", deadlineMs: 15_000 };

/** The printer. */
export class Tickets {
  readonly #agent: AgentClient;
  readonly #station: Station;
  readonly #paper: Paper;

  constructor(agent: AgentClient, station: Station, paper: Paper) {
    this.#agent = agent;
    this.#station = station;
    this.#paper = paper;
    const print = element<HTMLButtonElement>("ticket-print");
    print.addEventListener("click", () => void station.work(print, () => this.#print()));
    element("ticketPrinter").addEventListener("toggle", () => {
      if (element<HTMLDetailsElement>("ticketPrinter").open) {
        void station.work(print, () => this.#opened());
      }
    });
  }

  /** Erases the list; the printer itself remembers what is not settled. */
  clear(): void {
    element("unresolved").replaceChildren();
  }

  async #print(): Promise<void> {
    const ticket = `counter-${crypto.randomUUID()}`;
    this.#station.say("印刷しています。");
    try {
      const printed = await this.#agent.printer.print({ ticket, content: content(this.#paper.values().name) }, PURPOSE);
      const known = printed.state === "printed";
      this.#station.say(known ? "印刷しました。紙を渡してください。" : "紙が出たか分かりません。", known ? "ok" : "warn");
      if (!known) {
        await this.#list();
      }
    } catch (error) {
      this.#station.fail(error);
      if (error instanceof AgentError && error.kind === "device_outcome_unknown") {
        await this.#list();
      }
    }
  }

  /** What was left unsettled earlier is asked about as soon as the fold is open. */
  async #opened(): Promise<void> {
    // Who may not settle sees no list; any other trouble is told when something is printed.
    await this.#list().catch(() => undefined);
  }

  async #list(): Promise<void> {
    const unresolved = await this.#agent.printer.unresolved(PURPOSE);
    element("unresolved").replaceChildren(...unresolved.map((ticket) => this.#item(ticket)));
  }

  #item({ ticket, orderedAt }: UnknownTicket): HTMLLIElement {
    const item = document.createElement("li");
    const time = new Date(orderedAt).toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit" });
    const question = document.createElement("p");
    question.textContent = `${time} に頼んだ番号札の紙は出ましたか。プリンターを見て答えてください。`;
    item.append(question);
    for (const [text, cameOut] of [
      ["出た", true],
      ["出ていない", false],
    ] as const) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button quiet";
      button.textContent = text;
      button.setAttribute("aria-label", `${time} の番号札は${text}`);
      button.addEventListener("click", () => void this.#station.work(button, () => this.#settle(ticket, cameOut)));
      item.append(button);
    }
    return item;
  }

  async #settle(ticket: string, cameOut: boolean): Promise<void> {
    await this.#agent.printer.settle(ticket, cameOut, PURPOSE);
    await this.#list();
    this.#station.say(cameOut ? "印刷済みとして記録しました。" : "出ていないと記録しました。もう一度印刷できます。", "ok");
  }
}

/** What stands on the ticket; without a name on the form, one with two characters that printers lack. */
function content(name: string): TicketPart[] {
  const shown = name === "" ? "𠮷田　髙子" : name;
  return [
    { kind: "text", text: "住民票の写し", size: 40, bold: true, align: "centre" },
    { kind: "number", text: "15" },
    { kind: "text", text: `${shown} 様`, size: 40, bold: false, align: "centre" },
    { kind: "rule" },
    { kind: "qr", text: "https://example.jp/t/15", module: 5 },
    { kind: "space", height: 50 },
  ];
}
