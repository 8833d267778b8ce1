/**
 * Tokens for privileged calls: a nonce from the agent, signed into a token by the application's backend.
 *
 * Each is good for one call and kept nowhere.
 */
import type { Door } from "./door.js";
import type { TokenKeeper } from "./tokens.js";
import type { Nonce, Scope } from "./wire.js";

/** Obtains such tokens. */
export class PrivilegedTokens {
  readonly #door: Door;
  readonly #tokens: TokenKeeper;

  constructor(door: Door, tokens: TokenKeeper) {
    this.#door = door;
    this.#tokens = tokens;
  }

  /** A token that permits `scopes` once. */
  async obtain(scopes: readonly Scope[]): Promise<string> {
    const { nonce } = await this.#door.call<Nonce>({ method: "POST", path: "/v1/nonces" });
    return this.#tokens.privileged(nonce, scopes);
  }
}
