/**
 * One request to the agent: headers, token, and what a failure means.
 *
 * A request that the agent refused because its token had just expired is sent again once with a new one:
 * the refusal came from the door, so nothing had happened yet. Nothing else is ever sent twice here.
 */
import { AgentError, isErrorBody } from "./errors.js";
import { loopbackPermission } from "./permission.js";
import type { TokenKeeper } from "./tokens.js";
import { SPOKEN_VERSIONS, type Hello } from "./wire.js";

/** A request with an effect, or a question. */
export interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path below the agent's address, such as `/v1/devices`. */
  readonly path: string;
  /** What is sent as JSON. */
  readonly body?: unknown;
  /** A document that is sent as it is, under its type. */
  readonly document?: Blob;
  /** The attempt's name, for calls that the agent must not do twice. */
  readonly idempotencyKey?: string;
  /** A token with a nonce, for a privileged call. */
  readonly privilegedToken?: string;
}

/** The agent's HTTP side. */
export class Door {
  readonly #address: string;
  readonly #tokens: TokenKeeper;

  constructor(address: string, tokens: TokenKeeper) {
    this.#address = address;
    this.#tokens = tokens;
  }

  /**
   * Finds out whether an agent is here, may be reached, and speaks our version.
   *
   * Fails with the kind that tells these apart. May make the browser ask the user for permission.
   */
  async greet(): Promise<void> {
    let answer: Response;
    try {
      answer = await fetch(`${this.#address}/v1/hello`, { cache: "no-store", credentials: "omit" });
    } catch (cause) {
      throw await this.#whyUnreachable(cause);
    }
    const hello = (await readJson(answer)) as Partial<Hello> | undefined;
    if (!answer.ok && isErrorBody(hello)) {
      throw AgentError.fromAgent(hello);
    }
    if (hello?.protocol !== "madoguchi-agent" || !Array.isArray(hello.versions)) {
      // Another program sits on the agent's port.
      throw AgentError.own("agent_absent");
    }
    if (!hello.versions.some((version) => SPOKEN_VERSIONS.includes(version))) {
      throw AgentError.own("version_mismatch");
    }
  }

  /** Makes a call and returns the answer's JSON; `undefined` where the answer has no body. */
  async call<T>(call: Call): Promise<T> {
    return (await readJson(await this.#ask(call))) as T;
  }

  /** Makes a call and returns the answer's bytes. What was handed out once and then lost is lost. */
  async fetchDocument(call: Call): Promise<Blob> {
    const answer = await this.#ask(call);
    try {
      return await answer.blob();
    } catch (cause) {
      throw AgentError.own("connection_lost", cause);
    }
  }

  async #ask(call: Call): Promise<Response> {
    const token = call.privilegedToken ?? (await this.#tokens.current());
    try {
      return await this.#send(call, token);
    } catch (error) {
      const expired = error instanceof AgentError && error.code === "DOR-TOKEN-EXPIRED";
      if (!expired || call.privilegedToken !== undefined) {
        throw error;
      }
      this.#tokens.forget();
      return this.#send(call, await this.#tokens.current());
    }
  }

  async #send(call: Call, token: string): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, "x-madoguchi": "1" };
    const init: RequestInit = { method: call.method, headers, cache: "no-store", credentials: "omit" };
    if (call.method !== "GET") {
      headers["content-type"] = call.document?.type ?? "application/json";
    }
    if (call.document !== undefined) {
      init.body = call.document;
    } else if (call.body !== undefined) {
      init.body = JSON.stringify(call.body);
    }
    if (call.idempotencyKey !== undefined) {
      headers["idempotency-key"] = call.idempotencyKey;
    }
    let answer: Response;
    try {
      answer = await fetch(this.#address + call.path, init);
    } catch (cause) {
      throw AgentError.own("connection_lost", cause);
    }
    if (answer.ok) {
      return answer;
    }
    const body = await readJson(answer);
    throw isErrorBody(body) ? AgentError.fromAgent(body) : AgentError.own("agent_failed");
  }

  /**
   * Tells apart what `fetch` reports alike.
   *
   * The permission comes first, because a denied request never leaves the browser. An agent that refuses
   * this origin hides its answer, but an answer there is: an opaque request, which may not look at it,
   * succeeds exactly then.
   */
  async #whyUnreachable(cause: unknown): Promise<AgentError> {
    const permission = await loopbackPermission();
    if (permission === "denied") {
      return AgentError.own("permission_denied", cause);
    }
    try {
      await fetch(`${this.#address}/v1/hello`, { mode: "no-cors", cache: "no-store", credentials: "omit" });
      return AgentError.own("origin_refused", cause);
    } catch {
      // `prompt` means that the user has closed the browser's question without an answer, or that the
      // page sits on this machine and needs no permission; only the former can be public.
      const undecided = permission === "prompt" && !isLoopback(location.hostname);
      return AgentError.own(undecided ? "permission_prompt" : "agent_absent", cause);
    }
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    return undefined;
  }
}
