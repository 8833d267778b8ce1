/**
 * A page of the public internet: another origin than the counter application's, which nobody enrolled.
 *
 * It serves the same built counter page, so that a refusal is told by the page itself, and a few hostile
 * pages that try to get hold of the PIN page.
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Counter } from "./counter.js";

const FILES: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/page.css": "page.css",
  "/page.js": "page.js",
};
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** The site. */
export class PublicSite {
  readonly #server: Server;
  readonly #counter: Counter;

  constructor(counter: Counter) {
    this.#counter = counter;
    this.#server = createServer((request, response) => {
      const path = request.url ?? "";
      void this.#answer(path).then(([type, body]) => {
        response.writeHead(type === "" ? 404 : 200, { "content-type": type });
        response.end(body);
      });
    });
  }

  /** Listens and returns the port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(path: string): Promise<[string, string]> {
    if (path === "/config.json") {
      return ["application/json", JSON.stringify({ agent: this.#counter.addresses.agent, counter: "1" })];
    }
    if (path === "/token") {
      return ["application/json", JSON.stringify({ token: await this.#counter.token() })];
    }
    if (path === "/blank") {
      return ["text/html; charset=utf-8", "<!doctype html><title>ほかのサイト</title><p>ほかのサイト</p>"];
    }
    const file = FILES[path];
    if (file === undefined) {
      return ["", ""];
    }
    const text = readFileSync(join(process.cwd(), "dist", "counter-page", file), "utf8");
    return [TYPES[file.split(".").at(-1) ?? ""] ?? "", text];
  }
}
