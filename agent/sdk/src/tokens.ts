/**
 * Counter tokens: fetched from the application's backend, kept in memory, renewed before they expire.
 *
 * The lifetime is taken from the token's own `iat` and `exp`, and measured from its arrival, so that a
 * counter PC whose clock is wrong still renews in time. A token with a nonce is never kept.
 */
import { AgentError } from "./errors.js";
import type { Scope } from "./wire.js";

/** What a token is needed for. */
export interface TokenRequest {
  /** For a privileged call: the agent's nonce. */
  readonly nonce?: string;
  /** For a privileged call: what the token must permit. */
  readonly scopes?: readonly Scope[];
}

/** Asks the application's backend for a counter token. */
export type TokenSource = (request: TokenRequest) => Promise<string>;

/** The share of its lifetime after which a token is renewed. */
const RENEW_AFTER = 0.75;

/** Keeps the present token. */
export class TokenKeeper {
  readonly #source: TokenSource;
  readonly #now: () => number;
  #token: string | undefined;
  #renewAt = 0;
  #pending: Promise<string> | undefined;

  constructor(source: TokenSource, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#now = now;
  }

  /** The present token, or a new one where it is about to expire. Several callers share one fetch. */
  async current(): Promise<string> {
    if (this.#token !== undefined && this.#now() < this.#renewAt) {
      return this.#token;
    }
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** A token for one privileged call. */
  async privileged(nonce: string, scopes: readonly Scope[]): Promise<string> {
    return this.#ask({ nonce, scopes });
  }

  /** Forgets the present token, because the agent called it invalid or expired. */
  forget(): void {
    this.#token = undefined;
  }

  /** Milliseconds until the present token should be renewed. */
  renewIn(): number {
    return Math.max(0, this.#renewAt - this.#now());
  }

  async #fetch(): Promise<string> {
    const token = await this.#ask({});
    this.#token = token;
    this.#renewAt = this.#now() + lifetimeMs(token) * RENEW_AFTER;
    return token;
  }

  async #ask(request: TokenRequest): Promise<string> {
    try {
      return await this.#source(request);
    } catch (cause) {
      throw AgentError.own("token_unavailable", cause);
    }
  }
}

/** The lifetime that a compact JWS states. Of a text that is none: zero, so that it is never kept. */
export function lifetimeMs(token: string): number {
  const payload = token.split(".")[1];
  if (payload === undefined) {
    return 0;
  }
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const { iat, exp } = claims as { iat?: unknown; exp?: unknown };
    return typeof iat === "number" && typeof exp === "number" ? Math.max(0, exp - iat) * 1000 : 0;
  } catch {
    return 0;
  }
}
