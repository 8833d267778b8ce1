/**
 * Scans for a `for await` loop, made of a subscription.
 *
 * The subscription begins when the loop asks for its first scan. The handler of each scan returns when the
 * loop asks for the next, so that a scan whose loop body never finished is never acknowledged.
 */
import type { Scan, ScanCount, ScanHandler } from "./scanner.js";

/** A scan in a loop. */
export interface LoopScan extends Scan {
  /** Says that it is taken over, before the loop asks for the next. */
  received(): void;
}

/** Begins a subscription that ends with its signal. */
type Subscribe = (handler: ScanHandler, signal: AbortSignal) => Promise<ScanCount>;

interface Waiter {
  readonly resolve: (result: IteratorResult<LoopScan, ScanCount>) => void;
  readonly reject: (error: unknown) => void;
}

/** The scans of one subscription; its return value is how many there were. */
export class ScanIterator implements AsyncIterableIterator<LoopScan, ScanCount> {
  readonly #subscribe: Subscribe;
  readonly #abort = new AbortController();
  #run: Promise<ScanCount> | undefined;
  #waiter: Waiter | undefined;
  #next: LoopScan | undefined;
  #settle: { readonly taken: () => void; readonly left: (reason: unknown) => void } | undefined;

  constructor(subscribe: Subscribe, signal: AbortSignal | undefined) {
    this.#subscribe = subscribe;
    signal?.addEventListener("abort", () => this.#abort.abort(), { once: true });
    if (signal?.aborted) {
      this.#abort.abort();
    }
    // A loop that is cancelled while its body runs never asks for the next scan: let the handler go.
    this.#abort.signal.addEventListener("abort", () => this.#settle?.left(new LoopLeft()));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Acknowledges the last scan and waits for the next. */
  async next(): Promise<IteratorResult<LoopScan, ScanCount>> {
    this.#settle?.taken();
    this.#settle = undefined;
    if (this.#next !== undefined) {
      const value = this.#next;
      this.#next = undefined;
      return { done: false, value };
    }
    const run = (this.#run ??= this.#subscribe((scan) => this.#offer(scan), this.#abort.signal));
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      run.then(
        (value) => resolve({ done: true, value }),
        (error: unknown) => reject(error),
      );
    });
  }

  /** The loop was left: ends the subscription; the last scan stays unacknowledged unless `received` was called. */
  async return(): Promise<IteratorResult<LoopScan, ScanCount>> {
    this.#abort.abort();
    const nothing: ScanCount = { delivered: 0, undelivered: 0 };
    const value = await (this.#run ?? Promise.resolve(nothing)).catch(() => nothing);
    return { done: true, value };
  }

  #offer(scan: Scan): Promise<void> {
    return new Promise((taken, left) => {
      this.#settle = { taken, left };
      const value: LoopScan = { ...scan, received: taken };
      if (this.#waiter === undefined) {
        this.#next = value;
      } else {
        const { resolve } = this.#waiter;
        this.#waiter = undefined;
        resolve({ done: false, value });
      }
    });
  }
}

/** The body of the loop did not finish, because the loop was left or cancelled. */
export class LoopLeft extends Error {
  constructor() {
    super("the loop was left before its scan was taken over");
    this.name = "LoopLeft";
  }
}
