/**
 * The agent's event stream: one WebSocket, replayed after a reconnect.
 *
 * ```text
 * open -> connecting -> connected <-> reconnecting     close() or a refusal ends it
 * ```
 * A lost connection is taken up again with growing, jittered pauses and the last position seen, so that
 * no event is missed or seen twice. Where the agent cannot replay (too long ago, or another run of it)
 * the listeners are told, and ask for the present state.
 * An item of a job is no event: it is said once, to the session of the job's lease, and never replayed.
 */
import { AgentError } from "./errors.js";
import type { TokenKeeper } from "./tokens.js";
import type { Act, AgentEvent, ClientMessage, Item, Position, ServerMessage } from "./wire.js";

/** Where the connection stands. */
export type Connection =
  | { readonly state: "connecting" | "connected" | "reconnecting" | "closed" }
  | { readonly state: "refused"; readonly error: AgentError };

/** Who listens. */
export interface EventListener {
  /** Something happened. */
  event?(event: AgentEvent): void;
  /** Something came of a job before its end. */
  item?(job: string, n: number, item: Item): void;
  /** Events were lost: ask for the present state. */
  missed?(): void;
  /** The connection changed. */
  connection?(connection: Connection): void;
}

/** What a page says of a job that runs. */
export type Said =
  | { readonly type: "received"; readonly job: string; readonly n: number }
  | { readonly type: "act"; readonly job: string; readonly act: Act };

/** The first pause before a reconnect, doubled each time. */
const FIRST_PAUSE_MS = 250;
/** The longest pause. */
const LONGEST_PAUSE_MS = 10_000;
/** A token that cannot be renewed is asked for again after this pause. */
const TOKEN_RETRY_MS = 15_000;

/** The pause before attempt number `attempt` (from 0), for a random number of [0, 1). */
export function reconnectPause(attempt: number, random: number): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * random;
}

/** Keeps the connection and spreads what comes. */
export class EventStream {
  readonly #address: string;
  readonly #tokens: TokenKeeper;
  readonly #listeners = new Set<EventListener>();
  #socket: WebSocket | undefined;
  #session: string | undefined;
  #position: Position | undefined;
  #attempt = 0;
  #tokenRefusals = 0;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #tokenTimer: ReturnType<typeof setTimeout> | undefined;
  #connection: Connection = { state: "closed" };
  #opening: { resolve: () => void; reject: (error: AgentError) => void } | undefined;

  constructor(address: string, tokens: TokenKeeper) {
    this.#address = address.replace(/^http/, "ws");
    this.#tokens = tokens;
  }

  /** The session to which a lease can be bound, while connected. */
  get session(): string | undefined {
    return this.#session;
  }

  /** Where the connection stands. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Connects; resolves with the agent's welcome. A first attempt that fails is not repeated. */
  open(): Promise<void> {
    this.close();
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#become({ state: "connecting" });
      void this.#connect();
    });
  }

  /** Ends the connection and all reconnecting. */
  close(): void {
    clearTimeout(this.#reconnectTimer);
    clearTimeout(this.#tokenTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#session = undefined;
    this.#attempt = 0;
    this.#tokenRefusals = 0;
    socket?.close();
    this.#finishOpening(AgentError.own("closed"));
    if (this.#connection.state !== "closed" && this.#connection.state !== "refused") {
      this.#become({ state: "closed" });
    }
  }

  /**
   * Says something of a job to the session to which its lease is bound; false where that session is lost,
   * because no other one may say it.
   */
  tell(session: string, said: Said): boolean {
    const reaches = session === this.#session && this.#socket?.readyState === WebSocket.OPEN;
    if (reaches) {
      // The generated type knows samples only as lists of anything.
      this.#say(said as ClientMessage);
    }
    return reaches;
  }

  /** Listens until the returned function is called. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async #connect(): Promise<void> {
    let token: string;
    try {
      token = await this.#tokens.current();
    } catch (cause) {
      this.#lost(cause instanceof AgentError ? cause : AgentError.own("token_unavailable", cause));
      return;
    }
    if (this.#connection.state !== "connecting" && this.#connection.state !== "reconnecting") {
      return;
    }
    const socket = new WebSocket(`${this.#address}/v1/events`);
    this.#socket = socket;
    socket.onopen = () => {
      const after = this.#position;
      this.#say(after === undefined ? { type: "hello", token } : { type: "hello", token, after });
    };
    socket.onmessage = (message) => {
      if (socket === this.#socket) {
        this.#hear(message.data);
      }
    };
    socket.onclose = () => {
      if (socket === this.#socket) {
        this.#lost(AgentError.own("connection_lost"));
      }
    };
  }

  #hear(data: unknown): void {
    let message: ServerMessage;
    try {
      message = JSON.parse(String(data)) as ServerMessage;
    } catch {
      this.#lost(AgentError.own("agent_failed"));
      return;
    }
    if (message.type === "welcome") {
      this.#welcomed(message);
    } else if (message.type === "event") {
      if (this.#position !== undefined) {
        this.#position = { run: this.#position.run, seq: message.seq };
      }
      this.#spread((listener) => listener.event?.(message.event));
    } else if (message.type === "item") {
      this.#spread((listener) => listener.item?.(message.job, message.n, message.item));
    } else if (message.type === "refused") {
      this.#refused(AgentError.fromAgent(message.error));
    }
  }

  #welcomed(welcome: Extract<ServerMessage, { type: "welcome" }>): void {
    this.#session = welcome.session;
    this.#attempt = 0;
    this.#tokenRefusals = 0;
    const first = this.#position === undefined;
    if (first || welcome.missed) {
      // Without a gap the position moves on with each replayed event instead, so that a connection which
      // breaks in the middle of the replay goes on there.
      this.#position = welcome.position;
    }
    this.#renewTokenLater(this.#tokens.renewIn());
    this.#become({ state: "connected" });
    this.#finishOpening(undefined);
    if (welcome.missed && !first) {
      this.#spread((listener) => listener.missed?.());
    }
  }

  #refused(error: AgentError): void {
    this.#tokenRefusals += 1;
    this.#tokens.forget();
    if (error.code === "DOR-TOKEN-EXPIRED" && this.#tokenRefusals === 1) {
      return; // The agent closes now, and the reconnect brings a new token.
    }
    this.#end(error);
  }

  /** A connection that broke: fatal for the first attempt, taken up again afterwards. */
  #lost(error: AgentError): void {
    if (this.#opening !== undefined && this.#tokenRefusals === 0) {
      this.#end(error);
      return;
    }
    clearTimeout(this.#tokenTimer);
    this.#socket?.close();
    this.#socket = undefined;
    this.#session = undefined;
    this.#become({ state: "reconnecting" });
    const pause = reconnectPause(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#reconnectTimer = setTimeout(() => void this.#connect(), pause);
  }

  #end(error: AgentError): void {
    clearTimeout(this.#tokenTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#session = undefined;
    socket?.close();
    this.#become({ state: "refused", error });
    this.#finishOpening(error);
  }

  #renewTokenLater(pause: number): void {
    clearTimeout(this.#tokenTimer);
    this.#tokenTimer = setTimeout(() => void this.#renewToken(), pause);
  }

  async #renewToken(): Promise<void> {
    try {
      const token = await this.#tokens.current();
      this.#say({ type: "token", token });
      this.#renewTokenLater(Math.max(1000, this.#tokens.renewIn()));
    } catch {
      // The backend may be back before the old token expires; afterwards the agent ends the connection,
      // and that is reported.
      this.#renewTokenLater(TOKEN_RETRY_MS);
    }
  }

  #say(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  #finishOpening(error: AgentError | undefined): void {
    const opening = this.#opening;
    this.#opening = undefined;
    if (error === undefined) {
      opening?.resolve();
    } else {
      opening?.reject(error);
    }
  }

  #become(connection: Connection): void {
    this.#connection = connection;
    this.#spread((listener) => listener.connection?.(connection));
  }

  #spread(tell: (listener: EventListener) => void): void {
    for (const listener of [...this.#listeners]) {
      tell(listener);
    }
  }
}
