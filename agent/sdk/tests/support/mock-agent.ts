/**
 * A stand-in for the agent, for the unit tests of the SDK alone: real HTTP and a real WebSocket on
 * loopback, with answers that each test scripts. The browser tests run against the real agent.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { AgentEvent, ClientMessage, ErrorBody, ServerMessage } from "../../src/wire.js";

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** What a route answers. `cut` ends the connection without an answer. */
export type Answer = { readonly status?: number; readonly body?: unknown; readonly bytes?: Uint8Array } | "cut";

type Route = (request: Received) => Answer;

/** The stand-in. */
export class MockAgent {
  readonly requests: Received[] = [];
  /** What clients have said on the event stream. */
  readonly greetings: ClientMessage[] = [];
  /** Hears what a client says after its greeting. */
  hear: (message: ClientMessage) => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #routes = new Map<string, Route>();
  readonly #open = new Set<WebSocket>();
  #seq = 0;
  /** Answers a client's first message; the usual welcome unless a test changes it. */
  greet: (message: ClientMessage) => ServerMessage = () => this.welcome(false);

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#accept(client));
    });
    this.on("GET /v1/hello", () => ({ body: { protocol: "madoguchi-agent", versions: [1] } }));
  }

  /** Listens on a free port and returns the address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.dropClients();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Scripts a route, such as `POST /v1/jobs`. */
  on(route: string, answer: Route): void {
    this.#routes.set(route, answer);
  }

  /** Sends an event to every client. */
  push(event: AgentEvent): void {
    this.#seq += 1;
    this.say({ type: "event", seq: this.#seq, event });
  }

  /** Sends a message to every client. */
  say(message: ServerMessage): void {
    for (const client of this.#open) {
      client.send(JSON.stringify(message));
    }
  }

  /** Breaks every event connection. */
  dropClients(): void {
    for (const client of this.#open) {
      client.terminate();
    }
  }

  /** The usual welcome. */
  welcome(missed: boolean): ServerMessage {
    return { type: "welcome", session: "session-1", position: { run: "run-1", seq: this.#seq }, missed };
  }

  /** The requests to one path. */
  to(route: string): Received[] {
    return this.requests.filter((request) => `${request.method} ${request.path}` === route);
  }

  #accept(client: WebSocket): void {
    this.#open.add(client);
    client.on("close", () => this.#open.delete(client));
    client.on("message", (data) => {
      const message = JSON.parse(String(data)) as ClientMessage;
      this.greetings.push(message);
      if (message.type === "hello") {
        const answer = this.greet(message);
        client.send(JSON.stringify(answer));
        if (answer.type === "refused") {
          client.close();
        }
      } else {
        this.hear(message);
      }
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const bytes = Buffer.concat(chunks);
    const isJson = request.headers["content-type"] === "application/json" && bytes.length > 0;
    const received: Received = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: isJson ? JSON.parse(bytes.toString()) : bytes.length === 0 ? undefined : bytes,
    };
    this.requests.push(received);
    const route = this.#routes.get(`${received.method} ${received.path}`);
    const answer = route?.(received) ?? { status: 404, body: refusal("DOR-NOT-FOUND", "door") };
    if (answer === "cut") {
      request.socket.destroy();
      return;
    }
    const type = answer.bytes === undefined ? "application/json" : "application/octet-stream";
    response.writeHead(answer.status ?? 200, { "content-type": type });
    response.end(answer.bytes ?? (answer.body === undefined ? "" : JSON.stringify(answer.body)));
  }
}

/** An error as the agent sends it. */
export function refusal(code: string, layer: string, more: Partial<ErrorBody> = {}): ErrorBody {
  return {
    code,
    layer,
    message: { ja: `${code} が起きました。`, en: `${code} happened.` },
    next: { ja: "次にすること。", en: "What to do." },
    retry: "now",
    requestId: "request-1",
    ...more,
  };
}
