/**
 * The browser's permission for a public page to reach this machine (Local Network Access).
 *
 * A denied request, a dead agent and a blocked one look the same to `fetch`, so the permission is asked
 * for first. Chromium names it `loopback-network` since version 145 and `local-network-access` before;
 * a browser without the concept refuses both names.
 */

/** What the browser says; `unknown` where it has no such permission. */
export type LoopbackPermission = "granted" | "denied" | "prompt" | "unknown";

const NAMES = ["loopback-network", "local-network-access"] as const;

/** Asks the browser; never fails and never shows a question to the user. */
export async function loopbackPermission(): Promise<LoopbackPermission> {
  for (const name of NAMES) {
    try {
      // The names are younger than the type library's list.
      const status = await navigator.permissions.query({ name: name as PermissionName });
      return status.state;
    } catch {
      // This browser does not know the name: the next one may do.
    }
  }
  return "unknown";
}
