/**
 * One device's fold of the panel: its state, one sentence about it, and one piece of work at a time.
 *
 * What a piece of work says stays until the next one begins or the next citizen comes; what the device says
 * of itself is shown only where no piece of work has said anything.
 */
import { AgentError, type Device } from "@madoguchi/agent";
import { describeDevice } from "./device-words";
import { element, setTone } from "./elements";

/** The fold. */
export class Station {
  readonly #name: string;
  #said = false;
  #ofDevice: { readonly text: string; readonly tone: "warn" | "bad" } | undefined;
  #busy = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Shows a device, or hides the fold where there is none. */
  show(device: Device | undefined): void {
    element(this.#name).hidden = device === undefined;
    if (device === undefined) {
      return;
    }
    const { state, tone, note } = describeDevice(device);
    element(`${this.#name}-state`).textContent = state;
    setTone(element(`${this.#name}-state`), tone);
    this.#ofDevice = note === undefined ? undefined : { text: note, tone: tone === "bad" ? "bad" : "warn" };
    this.#showDevice();
  }

  /** Says one sentence. */
  say(text: string, tone?: "ok" | "warn" | "bad"): void {
    this.#said = true;
    this.#write(text, tone);
  }

  /** Forgets what was said, for the next citizen. */
  clear(): void {
    if (!this.#busy) {
      this.#said = false;
      this.#write("", undefined);
      this.#showDevice();
    }
  }

  /** Does one piece of work while `button` is off; says why where it fails. */
  async work(button: HTMLButtonElement, doing: () => Promise<void>): Promise<void> {
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    button.disabled = true;
    try {
      await doing();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#busy = false;
      button.disabled = false;
    }
  }

  /** Says what went wrong and what to do. */
  fail(error: unknown): void {
    if (error instanceof AgentError) {
      const tone = error.kind === "cancelled" ? "warn" : "bad";
      this.say(`${error.ja.message}${error.ja.next}（コード ${error.code}）`, tone);
    } else {
      this.say("画面の内部で誤りが起きました。画面を更新してください。", "bad");
    }
  }

  #showDevice(): void {
    if (!this.#said) {
      this.#write(this.#ofDevice?.text ?? "", this.#ofDevice?.tone);
    }
  }

  #write(text: string, tone: "ok" | "warn" | "bad" | undefined): void {
    const note = element(`${this.#name}-note`);
    if (note.textContent !== text) {
      note.textContent = text;
    }
    setTone(note, tone);
  }
}
