/**
 * The parts of a browser that the SDK stands on and Node lacks, for unit tests: WebSocket, permissions,
 * location, and, in Node 18, crypto. Import it before the SDK.
 */
import { webcrypto } from "node:crypto";
import { WebSocket } from "ws";

/** What the browser answers about its permission; a test changes it. */
export const browser: { permission: PermissionState | "unknown"; hostname: string; asked: string[] } = {
  permission: "granted",
  hostname: "madoguchi.city.example.jp",
  asked: [],
};

const permissions = {
  query: async ({ name }: { name: string }) => {
    browser.asked.push(name);
    if (browser.permission === "unknown") {
      throw new TypeError(`${name} is not a valid permission name`);
    }
    return { state: browser.permission };
  },
};

if (globalThis.crypto === undefined) {
  Object.defineProperty(globalThis, "crypto", { value: webcrypto, configurable: true });
}
Object.defineProperty(globalThis, "WebSocket", { value: WebSocket, configurable: true });
Object.defineProperty(globalThis, "navigator", { value: { permissions }, configurable: true });
Object.defineProperty(globalThis, "location", { value: browser, configurable: true });
