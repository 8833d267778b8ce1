/**
 * Codes as they are scanned, each handed to the page once.
 *
 * ```text
 * lease -> job scanCodes -> item -> handler -> received -> item ...    at the job's deadline: the next job
 * ```
 * Invariants: the agent hears `received` only after the handler has returned; a scan is not followed by the
 * next until then; a handler that fails acknowledges nothing and ends the subscription. Items go to the
 * session to which the lease is bound, so a broken connection ends the subscription with an error: what was
 * under way then is counted by the agent as undelivered, and is never given to another page or another job.
 */
import { fromBase64 } from "./bytes.js";
import { AgentError } from "./errors.js";
import type { Held } from "./lease.js";
import { LoopLeft, ScanIterator } from "./scan-iterator.js";
import { atDevice, failureOf, runJob, takeResult, type WorkOptions, type WorkParts } from "./working.js";
import type { Gs1Element, Item, Job, PreApplication, TextRule, WireScan } from "./wire.js";

/** A scanned code. */
export interface Scan {
  /** What the scanner sent, without framing. Empty where `fault` says why the code cannot be used. */
  readonly bytes: Uint8Array;
  /** The AIM symbology identifier, such as `]Q1`, where the scanner sent one. */
  readonly symbology: string | undefined;
  /** The bytes as text, where they are text. */
  readonly text: string | undefined;
  /** How it was decided which text they are. */
  readonly rule: TextRule;
  /** Whether that rule leaves no doubt. */
  readonly certain: boolean;
  /** The element strings of a GS1 code. */
  readonly gs1: readonly Gs1Element[];
  /** Of how many codes it was joined. */
  readonly parts: number;
  /** A pre-application (事前申請) whose signature the agent verified. */
  readonly preApplication: PreApplication | undefined;
  /** Why the code cannot be used, as a stable code such as `SCN-UNTRUSTED`. */
  readonly fault: string | undefined;
}

/** Takes a scan over; the agent hears of it when this has returned. */
export type ScanHandler = (scan: Scan) => void | Promise<void>;

/** How to listen. */
export interface ScanOptions extends Omit<WorkOptions, "deadlineMs"> {
  /** Ends after the first scan that was taken over. */
  readonly once?: boolean;
  /** Ends after so many milliseconds; without it the subscription lasts until it is cancelled. */
  readonly deadlineMs?: number;
}

/** How many codes there were. */
export interface ScanCount {
  /** Taken over by the handler. */
  readonly delivered: number;
  /** Scanned and taken over by nobody. */
  readonly undelivered: number;
}

/** The longest job that the agent takes; a longer subscription goes on with another under the same lease. */
const JOB_MS = 600_000;
/** The shortest that it takes. */
const SHORTEST_JOB_MS = 1_000;

/** The code scanner. */
export class CodeScanner {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /**
   * The scans, for `for await`. A scan counts as taken over when the loop asks for the next one; a loop that
   * is left by `break` or by an error acknowledges its last scan only where it called `received`.
   */
  scans(options: ScanOptions): ScanIterator {
    return new ScanIterator((handler, signal) => this.onScan(handler, { ...options, signal }), options.signal);
  }

  /** Gives each scan to `handler`. Resolves when cancelled, at the deadline, or with `once` after a scan. */
  async onScan(handler: ScanHandler, options: ScanOptions): Promise<ScanCount> {
    return atDevice(this.#parts, options, "codeScanner", async (lease) => {
      const end = options.deadlineMs === undefined ? Infinity : performance.now() + options.deadlineMs;
      let delivered = 0;
      let undelivered = 0;
      for (;;) {
        const begun = performance.now();
        const jobMs = Math.max(SHORTEST_JOB_MS, Math.round(Math.min(JOB_MS, end - begun)));
        const round = new Round(this.#parts, lease, handler, options);
        const count = await round.run(jobMs);
        delivered += count.delivered;
        undelivered += count.undelivered;
        // A job that ended well before its deadline was ended by another hand, and is not begun again.
        const early = performance.now() - begun < jobMs / 2;
        if (round.stopped || early || performance.now() >= end) {
          return { delivered, undelivered };
        }
      }
    });
  }
}

/** One job's scans, given to the handler one after the other. */
class Round {
  readonly #parts: WorkParts;
  readonly #lease: Held;
  readonly #handler: ScanHandler;
  readonly #options: ScanOptions;
  readonly #stop = new AbortController();
  readonly #waiting: { readonly job: string; readonly n: number; readonly scan: Scan }[] = [];
  #last = 0;
  #taken = 0;
  #over = false;
  #failure: AgentError | undefined;
  #giving: Promise<void> | undefined;

  constructor(parts: WorkParts, lease: Held, handler: ScanHandler, options: ScanOptions) {
    this.#parts = parts;
    this.#lease = lease;
    this.#handler = handler;
    this.#options = options;
  }

  /** Whether the subscription has come to its end, rather than this job to its deadline. */
  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Runs the job to its end, and waits for a handler that is still at work. */
  async run(deadlineMs: number): Promise<ScanCount> {
    const stop = () => this.#stop.abort();
    this.#options.signal?.addEventListener("abort", stop);
    if (this.#options.signal?.aborted) {
      stop();
    }
    try {
      const job = await this.#job(deadlineMs);
      this.#over = true;
      await this.#giving;
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
      return await this.#count(job);
    } finally {
      // What came after the end, or behind a scan that was not taken over, is given to nobody.
      this.#over = true;
      this.#options.signal?.removeEventListener("abort", stop);
    }
  }

  async #job(deadlineMs: number): Promise<Job> {
    const order = {
      deviceClass: "codeScanner",
      deadlineMs,
      bound: true,
      task: () => ({ kind: "scanCodes" }) as const,
      onItem: (job: string, n: number, item: Item) => this.#came(job, n, item),
    } as const;
    return runJob(this.#parts, { ...this.#options, deadlineMs, signal: this.#stop.signal }, order, this.#lease);
  }

  /** Being cancelled and reaching the deadline are the ordinary ends, whichever side reports them. */
  async #count(job: Job): Promise<ScanCount> {
    if (job.state === "succeeded") {
      const { undelivered } = await takeResult(this.#parts.door, job, "scans");
      return { delivered: this.#taken, undelivered };
    }
    const error = failureOf(job);
    const ordinary = error.code === "JOB-DEADLINE" || (this.stopped && error.kind === "cancelled");
    if (!ordinary) {
      throw error;
    }
    return { delivered: this.#taken, undelivered: 0 };
  }

  #came(job: string, n: number, item: Item): void {
    if (item.kind === "scan" && n > this.#last && !this.#over && !this.stopped) {
      this.#last = n;
      this.#waiting.push({ job, n, scan: toScan(item.scan) });
      this.#giving ??= this.#give().finally(() => {
        this.#giving = undefined;
      });
    }
  }

  async #give(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#handler(next.scan);
      } catch (cause) {
        this.#fail(cause);
        return;
      }
      this.#taken += 1;
      const { job, n } = next;
      const { session } = this.#lease;
      const heard = session !== undefined && this.#parts.events.tell(session, { type: "received", job, n });
      if (!heard || this.#over) {
        return;
      }
      if (this.#options.once === true) {
        this.#waiting.length = 0;
        this.#stop.abort();
      }
    }
  }

  /** Only the loop that was left on purpose is no failure. */
  #fail(cause: unknown): void {
    if (!(cause instanceof LoopLeft)) {
      this.#failure = AgentError.own("handler_failed", cause);
    }
    this.#waiting.length = 0;
    this.#stop.abort();
  }
}

function toScan(scan: WireScan): Scan {
  return {
    bytes: fromBase64(scan.bytes),
    symbology: scan.symbology,
    text: scan.text,
    rule: scan.rule,
    certain: scan.certain,
    gs1: scan.gs1 ?? [],
    parts: scan.parts,
    preApplication: scan.preApplication,
    fault: scan.fault,
  };
}
