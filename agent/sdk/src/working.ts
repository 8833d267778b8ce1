/**
 * One piece of work at a device, from the lease to the result.
 *
 * ```text
 * device -> lease -> job -> (progress, questions, items) -> result, once -> lease given back
 * ```
 * The job carries an idempotency key, so that a start whose answer was lost is repeated without starting a
 * second one. The result is taken exactly once and kept nowhere.
 */
import { chooseDevice } from "./devices.js";
import type { Door } from "./door.js";
import { AgentError } from "./errors.js";
import type { EventStream } from "./events.js";
import { Follower } from "./following.js";
import { withLease, type Held } from "./lease.js";
import type { PrivilegedTokens } from "./privileged.js";
import type { DeviceClass, Item, Job, JobRequest, JobResult, Scope, Task } from "./wire.js";

/** What every piece of work can be told. */
export interface WorkOptions {
  /** The device; without it the first usable one of its kind. */
  readonly device?: string;
  /** Why it is done, for the audit log. */
  readonly purpose: string;
  /** Milliseconds until it must have ended. */
  readonly deadlineMs?: number;
  /** How long to stand in the queue where another page holds the device; not at all unless given. */
  readonly waitForDeviceMs?: number;
  /** Hears each change of the job. */
  readonly onProgress?: (job: Job) => void;
  /** Cancels it. */
  readonly signal?: AbortSignal;
}

/** The parts of the client that a piece of work uses. */
export interface WorkParts {
  readonly door: Door;
  readonly events: EventStream;
  readonly privileged: PrivilegedTokens;
}

/** What is to be done. */
export interface Order {
  readonly deviceClass: DeviceClass;
  /** Made under the lease, so that no document is handed in for a device that another page holds. */
  readonly task: () => Task | Promise<Task>;
  /** Milliseconds where the options name none. */
  readonly deadlineMs: number;
  /** What the token of a privileged start must permit. */
  readonly privileged?: readonly Scope[];
  /** Whether what comes of it goes to this session alone, so that it cannot outlive the session. */
  readonly bound?: boolean;
  /** Hears each change of the job, after the options' own listener. */
  readonly onJob?: (job: Job) => void;
  /** Hears what comes of the job before its end. */
  readonly onItem?: (job: string, n: number, item: Item) => void;
}

/** A kind of result. */
export type ResultOf<K extends JobResult["kind"]> = Extract<JobResult, { kind: K }>;

/** Does the work and returns its result; fails with an `AgentError` in every other case. */
export async function work<K extends JobResult["kind"]>(
  parts: WorkParts,
  options: WorkOptions,
  order: Order,
  kind: K,
): Promise<ResultOf<K>> {
  return atDevice(parts, options, order.deviceClass, async (lease) => {
    const job = await runJob(parts, options, order, lease);
    return takeResult(parts.door, job, kind);
  });
}

/** Holds a device while `doing` runs. */
export async function atDevice<T>(
  parts: WorkParts,
  options: WorkOptions,
  deviceClass: DeviceClass,
  doing: (lease: Held) => Promise<T>,
): Promise<T> {
  stopIfCancelled(options.signal);
  const device = options.device ?? (await chooseDevice(parts.door, deviceClass));
  const wish = { device, deviceClass, waitMs: options.waitForDeviceMs ?? 0, signal: options.signal };
  return withLease(parts.door, parts.events, wish, (lease) => {
    stopIfCancelled(options.signal);
    return doing(lease);
  });
}

/** Runs one job under a lease and returns its last state, whatever that is. */
export async function runJob(parts: WorkParts, options: WorkOptions, order: Order, lease: Held): Promise<Job> {
  const bound = order.bound ?? false;
  if (bound && (lease.session === undefined || lease.session !== parts.events.session)) {
    throw AgentError.own("connection_lost");
  }
  const deadlineMs = options.deadlineMs ?? order.deadlineMs;
  const follower = new Follower(parts.door, parts.events, {
    deadlineMs,
    bound,
    signal: options.signal,
    onJob: (job) => {
      options.onProgress?.(job);
      order.onJob?.(job);
    },
    onItem: (job, n, item) => order.onItem?.(job, n, item),
  });
  try {
    const { purpose } = options;
    const body: JobRequest = { lease: lease.id, fence: lease.fence, purpose, deadlineMs, task: await order.task() };
    stopIfCancelled(options.signal);
    return await follower.end(await start(parts, body, order.privileged));
  } finally {
    follower.stop();
  }
}

/** Takes the result of a job that ended well; fails with the reason of one that did not. */
export async function takeResult<K extends JobResult["kind"]>(door: Door, job: Job, kind: K): Promise<ResultOf<K>> {
  if (job.state !== "succeeded") {
    throw failureOf(job);
  }
  const path = `/v1/jobs/${encodeURIComponent(job.id)}/result`;
  const result = await door.call<JobResult>({ method: "POST", path });
  if (result.kind !== kind) {
    throw AgentError.own("agent_failed");
  }
  return result as ResultOf<K>;
}

/** Why a job did not end well. */
export function failureOf(job: Job): AgentError {
  return job.error === undefined ? AgentError.own("cancelled") : AgentError.fromAgent(job.error);
}

/** Starts the job; a start whose answer was lost is repeated once under the same key. */
async function start(parts: WorkParts, body: JobRequest, scopes: readonly Scope[] | undefined): Promise<Job> {
  const token = scopes === undefined ? {} : { privilegedToken: await parts.privileged.obtain(scopes) };
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
