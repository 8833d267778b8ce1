/**
 * One reading of a My Number card, and the questions that come up in its course.
 */
import { work, type Order, type WorkOptions, type WorkParts } from "./working.js";
import type { Credential, Field, Job, JobAnswer, Question, Reading, Scope } from "./wire.js";

/** What to read, why, and who is told. Without a device: the reader on which a card lies. */
export interface ReadingOptions extends WorkOptions {
  /** What to read; nothing else is read. */
  readonly fields: readonly Field[];
  /** Which secret opens the card, and how it gets there. */
  readonly credential: Credential;
  /** Hears each question of the job, and again when the last try has been allowed. */
  readonly onQuestion?: (question: Question, reply: Reply) => void;
}

/** The ways to answer a question. */
export interface Reply {
  /** Hands in the secret that was asked for by API. */
  secret(value: string): Promise<void>;
  /** Allows the last try to be spent; privileged. */
  allowLastTry(): Promise<void>;
  /** The citizen declined. */
  decline(): Promise<void>;
}

const DEADLINE_MS = 180_000;

const FIELD_SCOPE: Readonly<Record<Field, Scope>> = {
  fourAttributes: "cardReader.readFourAttributes",
  individualNumber: "cardReader.readIndividualNumber",
};

/** Reads the card; fails with an `AgentError` in every other case. */
export async function readCard(parts: WorkParts, options: ReadingOptions): Promise<Reading> {
  const scopes = options.fields.map((field) => FIELD_SCOPE[field]);
  if (options.credential === "pinByApi") {
    scopes.push("cardReader.pinByApi");
  }
  const privileged = options.fields.includes("individualNumber") || options.credential === "pinByApi";
  const questions = new Questions(parts, options.onQuestion);
  const order: Order = {
    deviceClass: "cardReader",
    deadlineMs: DEADLINE_MS,
    task: () => ({ kind: "readMyNumberCard", fields: [...options.fields], credential: options.credential }),
    onJob: (job) => questions.hear(job),
    ...(privileged ? { privileged: scopes } : {}),
  };
  return work(parts, options, order, "reading");
}

/** Puts each question of a job once, and carries the answers. */
class Questions {
  readonly #parts: WorkParts;
  readonly #ask: ReadingOptions["onQuestion"];
  #asked = "";

  constructor(parts: WorkParts, ask: ReadingOptions["onQuestion"]) {
    this.#parts = parts;
    this.#ask = ask;
  }

  hear({ id, question }: Job): void {
    const name = question === undefined ? "" : `${question.ask}:${question.lastTryAllowed}`;
    if (question === undefined || name === this.#asked) {
      return;
    }
    this.#asked = name;
    this.#ask?.(question, this.#reply(id, question));
  }

  #reply(job: string, { ask, kind }: Question): Reply {
    const path = `/v1/jobs/${encodeURIComponent(job)}/answers`;
    const answer = (body: JobAnswer, token: { privilegedToken?: string } = {}) =>
      this.#parts.door.call<void>({ method: "POST", path, body, ...token });
    const permit = async (scope: Scope) => ({ privilegedToken: await this.#parts.privileged.obtain([scope]) });
    return {
      secret: async (value) => {
        await answer({ kind: "secret", ask, value }, kind === "pinByApi" ? await permit("cardReader.pinByApi") : {});
      },
      allowLastTry: async () => {
        await answer({ kind: "allowLastTry", ask }, await permit("cardReader.lastTry"));
      },
      decline: () => answer({ kind: "decline", ask }),
    };
  }
}
