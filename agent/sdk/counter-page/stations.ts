/** The other devices of the counter: a fold for each kind that is there, none for what is not. */
import { devicesOfClass, type AgentClient, type DeviceList } from "@madoguchi/agent";
import { element } from "./elements";
import { LegacySystems } from "./legacy";
import type { Paper } from "./paper";
import { Scanning } from "./scanning";
import { Scans } from "./scans";
import { Signing } from "./signing";
import { Station } from "./station";
import { Tickets } from "./tickets";

const CLASSES = ["codeScanner", "signatureTablet", "ticketPrinter", "documentScanner", "handover", "keyboard"] as const;

/** The folds. */
export class Stations {
  readonly #stations = new Map(CLASSES.map((name) => [name, new Station(name)]));
  readonly #scans: Scans;
  readonly #signing: Signing;
  readonly #tickets: Tickets;
  readonly #scanning: Scanning;
  readonly #legacy: LegacySystems;

  constructor(agent: AgentClient, paper: Paper) {
    this.#scans = new Scans(agent, this.#station("codeScanner"));
    this.#signing = new Signing(agent, this.#station("signatureTablet"), paper);
    this.#tickets = new Tickets(agent, this.#station("ticketPrinter"), paper);
    this.#scanning = new Scanning(agent, this.#station("documentScanner"));
    this.#legacy = new LegacySystems(agent, this.#station("handover"), this.#station("keyboard"), paper);
  }

  /** Shows what is there. */
  show(list: DeviceList): void {
    let any = false;
    for (const [name, station] of this.#stations) {
      const [device] = devicesOfClass(list, name);
      station.show(device);
      any ||= device !== undefined;
      if (name === "handover" || name === "keyboard") {
        this.#legacy.offer(name, device?.capabilities.templates ?? []);
      }
    }
    element("stations").hidden = !any;
  }

  /** Hides everything that needs a connection. */
  hide(): void {
    element("stations").hidden = true;
  }

  /** Erases what belongs to the last citizen. */
  clear(): void {
    this.#scans.clear();
    this.#signing.cancel();
    this.#tickets.clear();
    this.#scanning.clear();
    for (const station of this.#stations.values()) {
      station.clear();
    }
  }

  #station(name: (typeof CLASSES)[number]): Station {
    const station = this.#stations.get(name);
    if (station === undefined) {
      throw new Error(`there is no fold for ${name}`);
    }
    return station;
  }
}
