/** Systems that cannot be changed: values typed into their forms, or written into files that they take over. */
import { work, type WorkOptions, type WorkParts } from "./working.js";
import type { HandedOver } from "./wire.js";

/** Values by name. */
export type Values = Readonly<Record<string, string>>;

/** Typing goes at a person's pace, and is announced first. */
const TYPING_MS = 180_000;
/** The other system may take its time to say that it took the file. */
const HANDOVER_MS = 120_000;

/** Typing into a form of another program. */
export class LegacyKeyboard {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Types values into a form, and returns how many of its steps were done. Privileged. */
  async type(form: string, values: Values, options: WorkOptions): Promise<number> {
    const order = {
      deviceClass: "keyboard",
      deadlineMs: TYPING_MS,
      task: () => ({ kind: "typeText", form, values: { ...values } }) as const,
      privileged: ["keyboard.see", "keyboard.type"],
    } as const;
    return (await work(this.#parts, options, order, "typed")).steps;
  }
}

/** Folders through which other systems take data over. */
export class Handover {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Writes values into a file; `notices` name each character that had to be replaced. */
  async write(template: string, values: Values, options: WorkOptions): Promise<HandedOver> {
    const order = {
      deviceClass: "handover",
      deadlineMs: HANDOVER_MS,
      task: () => ({ kind: "handOver", template, values: { ...values } }) as const,
    } as const;
    return (await work(this.#parts, options, order, "handedOver")).file;
  }
}
