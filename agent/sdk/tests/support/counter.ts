/**
 * A whole virtual counter under test: the real agent with its driver host and PC/SC service, simulated
 * cards, and the counter application's backend.
 *
 * It is started through the harness, or it is one that already runs, where the command line names one.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { given } from "./arguments.js";

/** Where the parts answer. */
export interface Addresses {
  readonly agent: string;
  readonly pinPage: string;
  readonly counterPage: string;
  readonly control: string;
  /** The simulated devices beside the card readers; absent where the counter has none. */
  readonly devices?: readonly string[];
}

/** The simulated citizens of whom tests speak. */
export type Holder =
  | "hanako"
  | "extension-b"
  | "variation"
  | "private-use"
  | "expired"
  | "blocked"
  | "last-try"
  | "forged-data"
  | "unknown-authority";

const WORKSPACE = join(process.cwd(), "..", "..");

/** The counter. */
export class Counter {
  readonly addresses: Addresses;
  readonly #process: ChildProcess | undefined;

  private constructor(addresses: Addresses, started: ChildProcess | undefined) {
    this.addresses = withoutTrailingSlashes(addresses);
    this.#process = started;
  }

  /** Starts a counter, or takes the one of the command line. */
  static async start(): Promise<Counter> {
    if (given.counter !== undefined) {
      return new Counter(JSON.parse(given.counter) as Addresses, undefined);
    }
    const command = ["run", "--quiet", "-p", "harness", "--bin", "madoguchi-counter", "--", "--json"];
    const started = spawn("cargo", command, { cwd: WORKSPACE, stdio: ["pipe", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: started.stdout }).once("line", resolve);
      started.once("exit", (code) => reject(new Error(`the counter ended before it was ready, exit code ${code}`)));
    });
    return new Counter(JSON.parse(line) as Addresses, started);
  }

  /** Ends what was started: the counter ends everything when its standard input closes. */
  async stop(): Promise<void> {
    const started = this.#process;
    if (started !== undefined) {
      const ended = new Promise((resolve) => started.once("exit", resolve));
      started.stdin?.end();
      await ended;
    }
  }

  /** Puts a card down that has all its tries, as on its first day. */
  async insert(holder: Holder): Promise<void> {
    await this.lift();
    await this.#control("DELETE", `/cards/${holder}/tries`);
    await this.#control("POST", "/slots/0/insert", { holder });
  }

  /** Lifts the card, where one lies there. */
  async lift(): Promise<void> {
    await fetch(`${this.addresses.control}/slots/0/lift`, { method: "POST" });
  }

  /** Disturbs what the card receives from now on. */
  async plan(faults: readonly object[]): Promise<void> {
    await this.#control("POST", "/slots/0/faults", { faults });
  }

  /** How many PIN tries a card has left, as the card itself counts. */
  async pinTries(holder: Holder): Promise<number> {
    const tries = (await this.#control("GET", `/cards/${holder}/tries`)) as { pin: number };
    return tries.pin;
  }

  /** Does something to a simulated device, such as `codeScanner/scan`. */
  async device(path: string, body: unknown): Promise<void> {
    await this.#control("POST", `/devices/${path}`, body);
  }

  /** Ends what disturbs a simulated device. */
  async calm(device: string): Promise<void> {
    await this.#control("DELETE", `/devices/${device}/faults`);
  }

  /** The papers that came out of the simulated printer. */
  async papers(): Promise<unknown[]> {
    return (await this.#control("GET", "/devices/printer/papers")) as unknown[];
  }

  /** A call as the counter application's page makes it, from outside a browser. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.addresses.agent + path, {
      method,
      headers: {
        authorization: `Bearer ${await this.token()}`,
        "content-type": "application/json",
        origin: this.addresses.counterPage,
        "x-madoguchi": "1",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(answer, `${method} ${path}`);
  }

  /** A counter token of the application's backend. */
  async token(): Promise<string> {
    const answer = await fetch(`${this.addresses.counterPage}/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    return ((await read(answer, "POST /token")) as { token: string }).token;
  }

  async #control(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.addresses.control + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(answer, `${method} ${path}`);
  }
}

async function read(answer: Response, what: string): Promise<unknown> {
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`${what} was answered with ${answer.status}: ${text}`);
  }
  return text === "" ? undefined : JSON.parse(text);
}

function withoutTrailingSlashes(addresses: Addresses): Addresses {
  const bare = (value: unknown) => (typeof value === "string" ? value.replace(/\/$/, "") : value);
  const entries = Object.entries(addresses).map(([name, value]) => [name, bare(value)]);
  return Object.fromEntries(entries) as unknown as Addresses;
}
