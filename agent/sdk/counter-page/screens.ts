/**
 * The citizen's PIN screens: paired by the code that they show, listed, taken away.
 */
import { AgentError, type AgentClient, type PinScreenList } from "@madoguchi/agent";
import { element, setTone } from "./elements";

/** The part of the panel about PIN screens. */
export class Screens {
  readonly #agent: AgentClient;
  readonly #code = element<HTMLInputElement>("pairing-code");
  #another = false;

  constructor(agent: AgentClient) {
    this.#agent = agent;
    element("pairing-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#pair();
    });
    element("pair-another").addEventListener("click", () => {
      this.#another = true;
      element("pairing").hidden = false;
      this.#code.focus();
    });
  }

  /** Shows the present screens. */
  show(list: PinScreenList): void {
    const connected = list.screens.some((screen) => screen.connected);
    const paired = list.screens.length > 0;
    const state = element("screen-state");
    state.textContent = connected ? "つながっています" : paired ? "画面が閉じています" : "つながっていません";
    setTone(state, connected ? "ok" : "warn");
    element("pin-address").textContent = list.address;
    element("pairing").hidden = paired && !this.#another;
    element("screens-box").hidden = !paired;
    element("screens").replaceChildren(...list.screens.map((screen, index) => this.#item(screen, index)));
  }

  /** Hides everything that needs a connection. */
  hide(): void {
    element("pairing").hidden = true;
    element("screens-box").hidden = true;
    element("screen-state").textContent = "－";
    setTone(element("screen-state"), undefined);
  }

  #item(screen: PinScreenList["screens"][number], index: number): HTMLLIElement {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = `画面${index + 1}（${screen.connected ? "接続中" : "閉じています"}）`;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button quiet";
    remove.textContent = "はずす";
    remove.setAttribute("aria-label", `画面${index + 1}をはずす`);
    remove.addEventListener("click", () => void this.#remove(screen.id));
    item.append(name, remove);
    return item;
  }

  async #pair(): Promise<void> {
    const code = this.#code.value.normalize("NFKC").replace(/[^0-9]/g, "");
    if (code.length !== 6) {
      this.#complain("利用者の画面に出ている6桁の数字を入力してください。");
      return;
    }
    try {
      const screens = await this.#agent.pairPinScreen(code);
      this.#another = false;
      this.#code.value = "";
      this.#complain("");
      this.show(screens);
      element("read").focus();
    } catch (error) {
      const unknown = error instanceof AgentError && error.code === "DOR-NOT-FOUND";
      this.#complain(
        unknown ? "この番号の画面が見つかりません。番号を確かめてください。" : sentence(error),
      );
    }
  }

  async #remove(id: string): Promise<void> {
    try {
      this.show(await this.#agent.unpairPinScreen(id));
    } catch (error) {
      this.#complain(sentence(error));
    }
  }

  #complain(text: string): void {
    element("pairing-error").textContent = text;
    this.#code.setAttribute("aria-invalid", `${text !== ""}`);
  }
}

function sentence(error: unknown): string {
  return error instanceof AgentError ? `${error.ja.message}${error.ja.next}` : "つなげませんでした。";
}
