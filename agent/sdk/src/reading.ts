/**
 * One reading of a My Number card, from the lease to the result.
 *
 * ```text
 * device -> lease -> job -> (progress, questions: events only) -> result, once -> lease given back
 * ```
 * Nothing is polled. The job carries an idempotency key, so that a start whose answer was lost is
 * repeated without starting a second reading. The result is taken exactly once and kept nowhere.
 */
import type { Door } from "./door.js";
import { AgentError } from "./errors.js";
import type { EventStream } from "./events.js";
import { withLease, type Held } from "./lease.js";
import type { PrivilegedTokens } from "./privileged.js";
import type {
  Credential,
  DeviceList,
  Field,
  Job,
  JobAnswer,
  JobRequest,
  Question,
  Reading,
  Scope,
} from "./wire.js";

/** What to read, why, and who is told. */
export interface ReadingOptions {
  /** The reader; without it, the one on which a card lies, else the first usable one. */
  readonly device?: string;
  /** What to read; nothing else is read. */
  readonly fields: readonly Field[];
  /** Which secret opens the card, and how it gets there. */
  readonly credential: Credential;
  /** Why the data are needed, for the audit log. */
  readonly purpose: string;
  /** Milliseconds until the whole reading must have ended; three minutes unless given. */
  readonly deadlineMs?: number;
  /** How long to stand in the queue where another page holds the reader; not at all unless given. */
  readonly waitForDeviceMs?: number;
  /** Hears each change of the job. */
  readonly onProgress?: (job: Job) => void;
  /** Hears each question of the job, and again when the last try has been allowed. */
  readonly onQuestion?: (question: Question, reply: Reply) => void;
  /** Cancels the reading. */
  readonly signal?: AbortSignal;
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

/** The parts of the client that a reading uses. */
export interface ReadingParts {
  readonly door: Door;
  readonly events: EventStream;
  readonly privileged: PrivilegedTokens;
}

const DEADLINE_MS = 180_000;
/** How much later than the agent's own deadline the page gives up on an agent that has gone silent. */
const SILENCE_MS = 5_000;

const FIELD_SCOPE: Readonly<Record<Field, Scope>> = {
  fourAttributes: "cardReader.readFourAttributes",
  individualNumber: "cardReader.readIndividualNumber",
};

/** Reads the card; fails with an `AgentError` in every other case. */
export async function readCard(parts: ReadingParts, options: ReadingOptions): Promise<Reading> {
  stopIfCancelled(options.signal);
  const device = options.device ?? (await chooseReader(parts.door));
  const wish = { device, waitMs: options.waitForDeviceMs ?? 0, signal: options.signal };
  return withLease(parts.door, parts.events, wish, async (lease) => {
    stopIfCancelled(options.signal);
    const follower = new Follower(parts, options);
    try {
      const job = await follower.end(await startJob(parts, options, lease));
      if (job.state !== "succeeded") {
        throw job.error === undefined ? AgentError.own("cancelled") : AgentError.fromAgent(job.error);
      }
      const path = `/v1/jobs/${encodeURIComponent(job.id)}/result`;
      return await parts.door.call<Reading>({ method: "POST", path });
    } finally {
      follower.stop();
    }
  });
}

/** The reader on which a card lies, else the first usable one. */
async function chooseReader(door: Door): Promise<string> {
  const list = await door.call<DeviceList>({ method: "GET", path: "/v1/devices" });
  const usable = list.devices.filter((device) => device.class === "cardReader" && device.health.usable);
  const chosen = usable.find((device) => device.state === "cardPresent") ?? usable[0];
  if (chosen === undefined) {
    throw AgentError.own(list.cardService === "denied" ? "device_denied" : "device_absent");
  }
  return chosen.id;
}

/** Starts the job; a start whose answer was lost is repeated once under the same key. */
async function startJob(parts: ReadingParts, options: ReadingOptions, lease: Held): Promise<Job> {
  const body: JobRequest = {
    lease: lease.id,
    fence: lease.fence,
    purpose: options.purpose,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    task: { kind: "readMyNumberCard", fields: [...options.fields], credential: options.credential },
  };
  const scopes = options.fields.map((field) => FIELD_SCOPE[field]);
  if (options.credential === "pinByApi") {
    scopes.push("cardReader.pinByApi");
  }
  const privileged = options.fields.includes("individualNumber") || options.credential === "pinByApi";
  const token = privileged ? { privilegedToken: await parts.privileged.obtain(scopes) } : {};
  const call = { method: "POST", path: "/v1/jobs", body, idempotencyKey: crypto.randomUUID(), ...token } as const;
  try {
    return await parts.door.call<Job>(call);
  } catch (error) {
    if (error instanceof AgentError && error.kind === "connection_lost") {
      return parts.door.call<Job>(call);
    }
    throw error;
  }
}

function stopIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw AgentError.own("cancelled");
  }
}

function hasEnded(job: Job): boolean {
  return job.state === "succeeded" || job.state === "failed" || job.state === "cancelled";
}

/** Follows one job by events, from before its start, so that nothing can fall between. */
class Follower {
  readonly #parts: ReadingParts;
  readonly #options: ReadingOptions;
  readonly #early = new Map<string, Job>();
  readonly #stopListening: () => void;
  #id: string | undefined;
  #asked = "";
  #settle: { resolve: (job: Job) => void; reject: (error: unknown) => void } | undefined;

  constructor(parts: ReadingParts, options: ReadingOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#stopListening = parts.events.listen({
      event: (event) => {
        if (event.kind === "job") {
          this.#hear(event.job);
        }
      },
      missed: () => void this.#askState(),
      connection: (connection) => {
        if (connection.state === "closed" || connection.state === "refused") {
          this.#settle?.reject(connection.state === "refused" ? connection.error : AgentError.own("closed"));
        }
      },
    });
  }

  /** Resolves with the job's last state. */
  async end(started: Job): Promise<Job> {
    this.#id = started.id;
    const deadline = (this.#options.deadlineMs ?? DEADLINE_MS) + SILENCE_MS;
    const cancel = () => void this.#cancel();
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Job>((resolve, reject) => {
        this.#settle = { resolve, reject };
        silence = setTimeout(() => reject(AgentError.own("timed_out")), deadline);
        this.#options.signal?.addEventListener("abort", cancel);
        if (this.#options.signal?.aborted) {
          cancel();
        }
        this.#hear(this.#early.get(started.id) ?? started);
      });
    } finally {
      clearTimeout(silence);
      this.#settle = undefined;
      this.#options.signal?.removeEventListener("abort", cancel);
    }
  }

  /** Stops listening. */
  stop(): void {
    this.#stopListening();
    this.#early.clear();
  }

  #hear(job: Job): void {
    if (this.#id === undefined) {
      this.#early.set(job.id, job);
      return;
    }
    if (job.id !== this.#id || this.#settle === undefined) {
      return;
    }
    this.#options.onProgress?.(job);
    if (job.question !== undefined) {
      this.#ask(job.id, job.question);
    }
    if (hasEnded(job)) {
      this.#settle?.resolve(job);
    }
  }

  #ask(job: string, question: Question): void {
    const name = `${question.ask}:${question.lastTryAllowed}`;
    if (name === this.#asked) {
      return;
    }
    this.#asked = name;
    const { ask } = question;
    const answer = (body: JobAnswer, token: { privilegedToken?: string } = {}) =>
      this.#parts.door.call<void>({
        method: "POST",
        path: `/v1/jobs/${encodeURIComponent(job)}/answers`,
        body,
        ...token,
      });
    this.#options.onQuestion?.(question, {
      secret: async (value) => {
        const byPin = question.kind === "pinByApi";
        const token = byPin ? { privilegedToken: await this.#parts.privileged.obtain(["cardReader.pinByApi"]) } : {};
        await answer({ kind: "secret", ask, value }, token);
      },
      allowLastTry: async () => {
        const privilegedToken = await this.#parts.privileged.obtain(["cardReader.lastTry"]);
        await answer({ kind: "allowLastTry", ask }, { privilegedToken });
      },
      decline: () => answer({ kind: "decline", ask }),
    });
  }

  async #askState(): Promise<void> {
    if (this.#id === undefined) {
      return;
    }
    try {
      const path = `/v1/jobs/${encodeURIComponent(this.#id)}`;
      this.#hear(await this.#parts.door.call<Job>({ method: "GET", path }));
    } catch (error) {
      this.#settle?.reject(error);
    }
  }

  async #cancel(): Promise<void> {
    if (this.#id === undefined) {
      return;
    }
    try {
      await this.#parts.door.call({ method: "DELETE", path: `/v1/jobs/${encodeURIComponent(this.#id)}` });
      // The agent now ends the job, and its last event settles this one.
    } catch {
      this.#settle?.reject(AgentError.own("cancelled"));
    }
  }
}
