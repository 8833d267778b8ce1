/**
 * A stand-in agent at which one job can be done: a device of one kind, a lease, documents, and a job whose
 * course each test tells.
 */
import { AgentClient } from "../../src/client.js";
import { AgentError } from "../../src/errors.js";
import type { ClientMessage, DeviceClass, InkSample, Job, JobRequest, JobResult, Task, WireScan } from "../../src/wire.js";
import { MockAgent, type Answer } from "./mock-agent.js";

/** Where the counter's only lease and job are. */
export const LEASE = "/v1/leases/lease-1";

/** Time for what must not happen; a slower machine makes such a test weaker, never wrong. */
const MOMENT_MS = 40;

/** The stand-in and a client that is connected to it. */
export class CounterAgent {
  readonly mock: MockAgent;
  readonly client: AgentClient;
  readonly tokenRequests: unknown[] = [];
  readonly job: Job;
  #documents = 0;

  private constructor(mock: MockAgent, address: string, device: string) {
    this.mock = mock;
    this.job = { id: "job-1", word: "さくら", device, state: "accepted", resultWaiting: false };
    this.client = new AgentClient({
      address,
      getToken: async (request) => {
        this.tokenRequests.push(request);
        return request.nonce === undefined ? "e30.eyJpYXQiOjAsImV4cCI6NjAwfQ.c2ln" : `with.${request.nonce}.c2ln`;
      },
    });
  }

  /** Starts with a device of one kind. */
  static async start(deviceClass: DeviceClass): Promise<CounterAgent> {
    const device = `${deviceClass}:1`;
    const mock = new MockAgent();
    const started = new CounterAgent(mock, await mock.start(), device);
    started.#script(deviceClass, device);
    await started.client.connect();
    return started;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.client.close();
    await this.mock.stop();
  }

  /** Says a change of the job to the client. */
  push(change: Partial<Job>): void {
    this.mock.push({ kind: "job", job: { ...this.job, state: "running", ...change } });
  }

  /** What happens once the job is started. */
  course(happens: () => void): void {
    this.mock.on("POST /v1/jobs", (): Answer => {
      setImmediate(happens);
      return { body: this.job };
    });
  }

  /** The job ends well at once, with this result. */
  succeeds(result: JobResult): void {
    this.gives(result);
    this.course(() => this.push({ state: "succeeded", resultWaiting: true }));
  }

  /** What the job's result is. */
  gives(result: JobResult): void {
    this.mock.on("POST /v1/jobs/job-1/result", () => ({ body: result }));
  }

  /** Gives a scan of this text as item `n`. */
  scan(n: number, text: string, job = "job-1"): void {
    const scan: WireScan = { bytes: Buffer.from(text).toString("base64"), text, rule: "ascii", certain: true, parts: 1 };
    this.mock.say({ type: "item", job, n, item: { kind: "scan", scan } });
  }

  /** Gives ink as item `n`. */
  ink(n: number, samples: readonly InkSample[]): void {
    this.mock.say({ type: "item", job: "job-1", n, item: { kind: "ink", samples: samples as never } });
  }

  /** What the client has acknowledged. */
  received(): number[] {
    return this.mock.greetings.flatMap((said) => (said.type === "received" ? [said.n] : []));
  }

  /** The tasks that were asked for. */
  tasks(): Task[] {
    return this.mock.to("POST /v1/jobs").map((request) => (request.body as JobRequest).task);
  }

  /** Cancelling ends the job in the way that is told. */
  whenCancelled(change: Partial<Job>): void {
    this.mock.on("DELETE /v1/jobs/job-1", () => {
      setImmediate(() => this.push(change));
      return { status: 204 };
    });
  }

  /** Hears each message of the client after its greeting. */
  hear(listener: (message: ClientMessage) => void): void {
    this.mock.hear = listener;
  }

  #script(deviceClass: DeviceClass, device: string): void {
    const lease = { id: "lease-1", device, state: "granted", fence: 7, expiresInMs: 30_000 };
    const make = { vendor: "", model: "", serial: "", firmware: "" };
    const capabilities = { pinPad: false };
    const shown = { id: device, class: deviceClass, name: "x", state: "ready", health: { usable: true }, capabilities, make };
    this.mock.on("GET /v1/devices", () => ({ body: { devices: [shown], cardService: "unused" } }));
    this.mock.on("POST /v1/leases", () => ({ body: lease }));
    this.mock.on(`DELETE ${LEASE}`, () => ({ status: 204 }));
    this.mock.on("POST /v1/nonces", () => ({ body: { nonce: "nonce-1", expiresInMs: 60_000 } }));
    this.mock.on("POST /v1/documents", ({ headers }) => {
      this.#documents += 1;
      const id = `document-${this.#documents}`;
      const mediaType = headers["content-type"];
      return { status: 201, body: { id, role: "document", mediaType, length: 1, sha256: "", expiresInMs: 60_000 } };
    });
    this.course(() => undefined);
    this.whenCancelled({ state: "succeeded", resultWaiting: true });
  }
}

/** Waits until something has come true; the runner's own limit ends what never does. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** For showing that something does not happen: long enough for everything under way on loopback to arrive. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
}

/** The error with which something fails. */
export async function failureOf(doing: Promise<unknown>): Promise<AgentError> {
  try {
    await doing;
  } catch (error) {
    if (error instanceof AgentError) {
      return error;
    }
    throw error;
  }
  throw new Error("it did not fail");
}
