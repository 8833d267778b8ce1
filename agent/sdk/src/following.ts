/**
 * Following one job by events, from before its start, so that nothing can fall between.
 *
 * Nothing is polled. What arrives before the job's name is known waits until it is. Where the job is bound
 * to the event session, a broken connection ends the following at once: the agent ends such a job too, and
 * what it would still say goes to nobody.
 */
import type { Door } from "./door.js";
import { AgentError } from "./errors.js";
import type { EventStream } from "./events.js";
import type { Item, Job } from "./wire.js";

/** How much later than the agent's own deadline the page gives up on an agent that has gone silent. */
const SILENCE_MS = 5_000;

/** Who follows, and how long. */
export interface Hearing {
  /** The agent's own deadline for the job. */
  readonly deadlineMs: number;
  /** Whether the job cannot outlive this connection. */
  readonly bound: boolean;
  /** Cancels the job. */
  readonly signal: AbortSignal | undefined;
  /** Hears each change of the job. */
  onJob(job: Job): void;
  /** Hears what comes of the job before its end. */
  onItem(job: string, n: number, item: Item): void;
}

/** Follows a job. */
export class Follower {
  readonly #door: Door;
  readonly #hearing: Hearing;
  readonly #early = new Map<string, Job>();
  #earlyItems: { readonly job: string; readonly n: number; readonly item: Item }[] = [];
  readonly #stopListening: () => void;
  #id: string | undefined;
  #broken: AgentError | undefined;
  #settle: { resolve: (job: Job) => void; reject: (error: unknown) => void } | undefined;

  constructor(door: Door, events: EventStream, hearing: Hearing) {
    this.#door = door;
    this.#hearing = hearing;
    this.#stopListening = events.listen({
      event: (event) => {
        if (event.kind === "job") {
          this.#hear(event.job);
        }
      },
      item: (job, n, item) => this.#hearItem(job, n, item),
      missed: () => void this.#askState(),
      connection: (connection) => {
        if (connection.state === "refused") {
          this.#break(connection.error);
        } else if (connection.state === "closed") {
          this.#break(AgentError.own("closed"));
        } else if (hearing.bound && connection.state === "reconnecting") {
          this.#break(AgentError.own("connection_lost"));
        }
      },
    });
  }

  /** Resolves with the job's last state. */
  async end(started: Job): Promise<Job> {
    this.#id = started.id;
    const cancel = () => void this.#cancel();
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Job>((resolve, reject) => {
        this.#settle = { resolve, reject };
        if (this.#broken !== undefined) {
          reject(this.#broken);
          return;
        }
        silence = setTimeout(() => reject(AgentError.own("timed_out")), this.#hearing.deadlineMs + SILENCE_MS);
        this.#hearing.signal?.addEventListener("abort", cancel);
        if (this.#hearing.signal?.aborted) {
          cancel();
        }
        const items = this.#earlyItems;
        this.#earlyItems = [];
        items.forEach(({ job, n, item }) => this.#hearItem(job, n, item));
        this.#hear(this.#early.get(started.id) ?? started);
      });
    } finally {
      clearTimeout(silence);
      this.#settle = undefined;
      this.#hearing.signal?.removeEventListener("abort", cancel);
    }
  }

  /** Stops listening. */
  stop(): void {
    this.#stopListening();
    this.#early.clear();
    this.#earlyItems = [];
  }

  #hear(job: Job): void {
    if (this.#id === undefined) {
      this.#early.set(job.id, job);
      return;
    }
    if (job.id !== this.#id || this.#settle === undefined) {
      return;
    }
    this.#hearing.onJob(job);
    if (job.state === "succeeded" || job.state === "failed" || job.state === "cancelled") {
      this.#settle?.resolve(job);
    }
  }

  #hearItem(job: string, n: number, item: Item): void {
    if (this.#id === undefined) {
      this.#earlyItems.push({ job, n, item });
    } else if (job === this.#id && this.#settle !== undefined) {
      this.#hearing.onItem(job, n, item);
    }
  }

  #break(error: AgentError): void {
    this.#broken ??= error;
    this.#settle?.reject(error);
  }

  async #askState(): Promise<void> {
    if (this.#id === undefined) {
      return;
    }
    try {
      const path = `/v1/jobs/${encodeURIComponent(this.#id)}`;
      this.#hear(await this.#door.call<Job>({ method: "GET", path }));
    } catch (error) {
      this.#settle?.reject(error);
    }
  }

  async #cancel(): Promise<void> {
    if (this.#id === undefined) {
      return;
    }
    try {
      await this.#door.call({ method: "DELETE", path: `/v1/jobs/${encodeURIComponent(this.#id)}` });
      // The agent now ends the job, and its last event settles this one.
    } catch {
      this.#settle?.reject(AgentError.own("cancelled"));
    }
  }
}
