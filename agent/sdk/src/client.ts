/**
 * The client of the local agent, for a counter application's page.
 *
 * ```ts
 * const agent = new AgentClient({ getToken: (request) => backend.counterToken(request) });
 * await agent.connect();
 * const reading = await agent.readMyNumberCard({
 *   fields: ["fourAttributes"], credential: "pinOnScreen", purpose: "住民票の写しの交付",
 * });
 * ```
 * Every method fails with an `AgentError` and nothing else.
 */
import { Handover, LegacyKeyboard } from "./desk.js";
import { devicesOfClass } from "./devices.js";
import { Door } from "./door.js";
import { EventStream, type Connection } from "./events.js";
import { DocumentScanner, PagePrinter } from "./paperwork.js";
import { loopbackPermission, type LoopbackPermission } from "./permission.js";
import { TicketPrinter } from "./printer.js";
import { PrivilegedTokens } from "./privileged.js";
import { readCard, type ReadingOptions } from "./reading.js";
import { CodeScanner } from "./scanner.js";
import { SignatureTablet } from "./tablet.js";
import { TokenKeeper, type TokenSource } from "./tokens.js";
import type { Device, DeviceClass, DeviceList, PinScreenList, Proof, Reading } from "./wire.js";
import type { WorkParts } from "./working.js";

/** Where the agent listens unless configured otherwise. */
export const DEFAULT_ADDRESS = "http://127.0.0.1:21710";

/** How to reach the agent and prove who is asking. */
export interface AgentOptions {
  /** The agent's address; the usual one unless given. */
  readonly address?: string;
  /** Fetches a counter token from the application's backend. */
  readonly getToken: TokenSource;
  /** Hears the browser's permission before the first request, so that the page can explain the question. */
  readonly onPermission?: (permission: LoopbackPermission) => void;
}

/** The client. */
export class AgentClient {
  /** Codes as they are scanned. */
  readonly scanner: CodeScanner;
  /** Signatures by hand. */
  readonly tablet: SignatureTablet;
  /** Tickets and receipts. */
  readonly printer: TicketPrinter;
  /** PDFs on pages. */
  readonly pagePrinter: PagePrinter;
  /** Paper into documents. */
  readonly documentScanner: DocumentScanner;
  /** Typing into forms of other programs. */
  readonly keyboard: LegacyKeyboard;
  /** Files for other systems. */
  readonly handover: Handover;
  readonly #door: Door;
  readonly #events: EventStream;
  readonly #parts: WorkParts;
  readonly #onPermission: ((permission: LoopbackPermission) => void) | undefined;

  constructor(options: AgentOptions) {
    const address = (options.address ?? DEFAULT_ADDRESS).replace(/\/$/, "");
    const tokens = new TokenKeeper(options.getToken);
    this.#door = new Door(address, tokens);
    this.#events = new EventStream(address, tokens);
    this.#parts = { door: this.#door, events: this.#events, privileged: new PrivilegedTokens(this.#door, tokens) };
    this.#onPermission = options.onPermission;
    this.scanner = new CodeScanner(this.#parts);
    this.tablet = new SignatureTablet(this.#parts);
    this.printer = new TicketPrinter(this.#parts);
    this.pagePrinter = new PagePrinter(this.#parts);
    this.documentScanner = new DocumentScanner(this.#parts);
    this.keyboard = new LegacyKeyboard(this.#parts);
    this.handover = new Handover(this.#parts);
  }

  /**
   * Finds the agent, compares versions and opens the event stream.
   *
   * From then on a broken stream is taken up again by itself until `close`.
   */
  async connect(): Promise<void> {
    const permission = await loopbackPermission();
    this.#onPermission?.(permission);
    await this.#door.greet();
    await this.#events.open();
  }

  /** Ends the connection; leases and jobs of this page end with it. */
  close(): void {
    this.#events.close();
  }

  /** Where the connection stands. */
  get connection(): Connection {
    return this.#events.connection;
  }

  /** The devices that this page may see. */
  async devices(): Promise<DeviceList> {
    return this.#door.call({ method: "GET", path: "/v1/devices" });
  }

  /** The devices of one kind, usable ones first. */
  async devicesOf(deviceClass: DeviceClass): Promise<Device[]> {
    return devicesOfClass(await this.devices(), deviceClass);
  }

  /** Reads a My Number card and returns what was asked for, once. */
  async readMyNumberCard(options: ReadingOptions): Promise<Reading> {
    return readCard(this.#parts, options);
  }

  /** The PIN screens of this counter. */
  async pinScreens(): Promise<PinScreenList> {
    return this.#door.call({ method: "GET", path: "/v1/pin-screens" });
  }

  /** Pairs the screen that shows `code` with this counter; returns the screens, the new one included. */
  async pairPinScreen(code: string): Promise<PinScreenList> {
    return this.#door.call({ method: "POST", path: "/v1/pin-screens", body: { code } });
  }

  /** Takes a PIN screen away from this counter; returns the screens that are left. */
  async unpairPinScreen(id: string): Promise<PinScreenList> {
    return this.#door.call({ method: "DELETE", path: `/v1/pin-screens/${encodeURIComponent(id)}` });
  }

  /** The agent's signature over a challenge of the application's backend, which knows the agent's key. */
  async prove(challenge: string): Promise<Proof> {
    return this.#door.call({ method: "POST", path: "/v1/proofs", body: { challenge } });
  }

  /** Hears every change of the devices, until the returned function is called. */
  onDevices(listener: (devices: DeviceList) => void): () => void {
    return this.#events.listen({
      event: (event) => {
        if (event.kind === "devices") {
          listener(event.devices);
        }
      },
      missed: () => void this.devices().then(listener, () => undefined),
    });
  }

  /** Hears every change of the counter's PIN screens, until the returned function is called. */
  onPinScreens(listener: (screens: PinScreenList) => void): () => void {
    return this.#events.listen({
      event: (event) => {
        if (event.kind === "pinScreens") {
          listener(event.screens);
        }
      },
      missed: () => void this.pinScreens().then(listener, () => undefined),
    });
  }

  /** Hears every change of the connection, until the returned function is called. */
  onConnection(listener: (connection: Connection) => void): () => void {
    return this.#events.listen({ connection: listener });
  }
}
