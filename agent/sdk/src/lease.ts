/**
 * The exclusive use of a device for as long as one piece of work takes.
 *
 * The lease is bound to the event session, so that a page which disappears frees the device; it is
 * renewed well before it ends, and given back in every case.
 */
import type { Door } from "./door.js";
import { AgentError } from "./errors.js";
import type { EventStream } from "./events.js";
import type { DeviceClass, Lease, LeaseRequest } from "./wire.js";

/** How long a lease lives unless renewed; short, because a crashed browser may leave one behind. */
const LEASE_MS = 30_000;
const RENEW_EVERY_MS = 10_000;

/** A granted lease. */
export interface Held {
  readonly id: string;
  readonly fence: number;
  /** The event session to which it is bound; what comes of its jobs goes there and nowhere else. */
  readonly session: string | undefined;
}

/** What a lease is needed for. */
export interface Wish {
  readonly device: string;
  readonly deviceClass: DeviceClass;
  /** How long to stand in the queue where another page holds the device; 0 for not at all. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Takes a lease, does `work` under it, gives it back. */
export async function withLease<T>(
  door: Door,
  events: EventStream,
  wish: Wish,
  work: (lease: Held) => Promise<T>,
): Promise<T> {
  const request: LeaseRequest = { device: wish.device, ttlMs: LEASE_MS };
  const { session } = events;
  if (session !== undefined) {
    request.session = session;
  }
  const lease = await door.call<Lease>({ method: "POST", path: "/v1/leases", body: request });
  const path = `/v1/leases/${encodeURIComponent(lease.id)}`;
  // A renewal that fails says nothing new: where the lease is lost, the job's own end tells it.
  const renewal = setInterval(() => {
    void door.call({ method: "POST", path: `${path}/renewal`, body: { ttlMs: LEASE_MS } }).catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    return await work({ ...(await granted(lease, events, wish)), session });
  } finally {
    clearInterval(renewal);
    await door.call({ method: "DELETE", path }).catch(() => undefined);
  }
}

/** Waits until the lease is granted; fails with `device_busy` where that takes too long. */
async function granted(lease: Lease, events: EventStream, wish: Wish): Promise<Granted> {
  const now = held(lease);
  if (now !== undefined) {
    return now;
  }
  if (wish.waitMs <= 0) {
    throw AgentError.own("device_busy", undefined, wish.deviceClass);
  }
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      stop();
      wish.signal?.removeEventListener("abort", abort);
      end();
    };
    const abort = () => settle(() => reject(AgentError.own("cancelled")));
    const timer = setTimeout(() => settle(() => reject(AgentError.own("device_busy", undefined, wish.deviceClass))), wish.waitMs);
    const stop = events.listen({
      event: (event) => {
        if (event.kind === "leaseEnded" && event.id === lease.id) {
          settle(() => reject(AgentError.own("lease_lost", undefined, wish.deviceClass)));
        }
        const later = event.kind === "lease" && event.lease.id === lease.id ? held(event.lease) : undefined;
        if (later !== undefined) {
          settle(() => resolve(later));
        }
      },
    });
    wish.signal?.addEventListener("abort", abort);
  });
}

type Granted = Omit<Held, "session">;

function held(lease: Lease): Granted | undefined {
  return lease.state === "granted" && lease.fence !== undefined ? { id: lease.id, fence: lease.fence } : undefined;
}
