/**
 * What the page asks of its own origin: its settings and counter tokens.
 *
 * The page itself holds no key. Which rights a token carries is the backend's decision, since only the
 * backend knows who is logged in.
 */
import type { TokenRequest } from "@madoguchi/agent";

/** The settings of this counter. */
export interface Settings {
  /** The agent's address. */
  readonly agent: string;
  /** The counter's name. */
  readonly counter: string;
  /** The municipality whose form this is, where the page should name it. */
  readonly municipality?: { readonly name: string; readonly code: string };
  /** The staff id, where the page should show it. */
  readonly staff?: string;
  /** The fee for one copy, where the page should show it. */
  readonly feeYen?: number;
}

/** Fetches the settings. */
export async function fetchSettings(): Promise<Settings> {
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) {
    throw new Error(`the settings could not be read: ${answer.status}`);
  }
  return (await answer.json()) as Settings;
}

/** Fetches a counter token from the backend. */
export async function fetchToken(request: TokenRequest): Promise<string> {
  const answer = await fetch("token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    cache: "no-store",
  });
  if (!answer.ok) {
    throw new Error(`the backend gave no token: ${answer.status}`);
  }
  const { token } = (await answer.json()) as { token: string };
  return token;
}
