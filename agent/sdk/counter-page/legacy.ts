/** Systems that cannot be changed: a button for each template and each form that is configured. */
import type { AgentClient, CharacterNotice } from "@madoguchi/agent";
import { element } from "./elements";
import type { Paper } from "./paper";
import type { Station } from "./station";

/** The ways out of the form. */
export class LegacySystems {
  readonly #agent: AgentClient;
  readonly #handover: Station;
  readonly #keyboard: Station;
  readonly #paper: Paper;

  constructor(agent: AgentClient, handover: Station, keyboard: Station, paper: Paper) {
    this.#agent = agent;
    this.#handover = handover;
    this.#keyboard = keyboard;
    this.#paper = paper;
  }

  /** Offers what is configured. */
  offer(way: "handover" | "keyboard", names: readonly string[]): void {
    const box = element(`${way}-choices`);
    const shown = [...box.children].map((button) => button.getAttribute("data-name") ?? "");
    if (shown.join("\n") !== names.join("\n")) {
      box.replaceChildren(...names.map((name) => this.#button(way, name)));
    }
  }

  #button(way: "handover" | "keyboard", name: string): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    button.dataset["name"] = name;
    button.textContent = way === "handover" ? `「${name}」へ渡す` : `「${name}」に入力する`;
    const station = way === "handover" ? this.#handover : this.#keyboard;
    const work = way === "handover" ? () => this.#write(name) : () => this.#type(name);
    button.addEventListener("click", () => void station.work(button, work));
    return button;
  }

  async #write(template: string): Promise<void> {
    this.#handover.say("書き出しています。");
    const file = await this.#agent.handover.write(template, this.#paper.values(), { purpose: "他システムへの連携" });
    const taken = file.taken === true ? "相手のシステムが受け取りました。" : "ファイルを書き出しました。";
    const replaced = file.notices.map(describe).join("");
    this.#handover.say(`${taken}${replaced}`, replaced === "" ? "ok" : "warn");
  }

  async #type(form: string): Promise<void> {
    this.#keyboard.say("入力先の画面を前に出してください。まもなく入力します。");
    await this.#agent.keyboard.type(form, this.#paper.values(), { purpose: "他システムへの入力" });
    this.#keyboard.say("入力しました。入力先の画面を確かめてください。", "ok");
  }
}

const FIELDS: Readonly<Record<string, string>> = { name: "氏名", address: "住所", birthDate: "生年月日" };

function describe({ field, position, codePoint }: CharacterNotice): string {
  return `${FIELDS[field] ?? field}の${position + 1}文字目（${codePoint}）は別の文字に置き換わりました。`;
}
