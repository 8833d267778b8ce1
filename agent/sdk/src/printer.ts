/**
 * Tickets and receipts: printed at most once without the mark 再発行, and settled by a person where nobody
 * knows whether the paper came out.
 *
 * The ticket's own name makes it the same ticket for every attempt. A print that ends with
 * `device_outcome_unknown` is not to be repeated: a person looks at the printer and says so by `settle`.
 */
import type { DocumentSource } from "./bytes.js";
import { handIn } from "./documents.js";
import { work, type WorkOptions, type WorkParts } from "./working.js";
import type { PrintedTicket, Task, TicketElement, UnknownTicket } from "./wire.js";

/** One thing on a ticket; a picture is given as it is, a PNG. */
export type TicketPart =
  | Exclude<TicketElement, { kind: "picture" }>
  | { readonly kind: "picture"; readonly picture: DocumentSource };

/** A ticket. */
export interface Ticket {
  /** Its own name, the same for every attempt: 1 to 64 letters, digits, dots, hyphens or underscores. */
  readonly ticket: string;
  /** What stands on it, from top to bottom. */
  readonly content: readonly TicketPart[];
}

const DEADLINE_MS = 60_000;

/** The ticket printer. */
export class TicketPrinter {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Prints a ticket on at most one paper that is not marked 再発行. */
  async print(ticket: Ticket, options: WorkOptions): Promise<PrintedTicket> {
    return this.#print(ticket, options, false);
  }

  /** Prints a further paper of a ticket, marked 再発行. Needs the right to settle. */
  async reissue(ticket: Ticket, options: WorkOptions): Promise<PrintedTicket> {
    return this.#print(ticket, options, true);
  }

  /** The tickets of which nobody knows whether they came out. */
  async unresolved(options: WorkOptions): Promise<UnknownTicket[]> {
    const result = await work(this.#parts, options, order(() => ({ kind: "listTickets" })), "tickets");
    return result.tickets;
  }

  /** Says of such a ticket, after a look at the printer, whether its paper came out. */
  async settle(ticket: string, cameOut: boolean, options: WorkOptions): Promise<PrintedTicket> {
    const settling = order(() => ({ kind: "settleTicket", ticket, cameOut }));
    return (await work(this.#parts, options, settling, "ticket")).ticket;
  }

  async #print({ ticket, content }: Ticket, options: WorkOptions, reissue: boolean): Promise<PrintedTicket> {
    const printing = order(async () => {
      const elements: TicketElement[] = [];
      for (const part of content) {
        elements.push(await this.#element(part));
      }
      return { kind: "printTicket", ticket, content: elements, reissue };
    });
    return (await work(this.#parts, options, printing, "ticket")).ticket;
  }

  async #element(part: TicketPart): Promise<TicketElement> {
    if (part.kind !== "picture") {
      return part;
    }
    return { kind: "picture", document: await handIn(this.#parts.door, part.picture) };
  }
}

function order(task: () => Task | Promise<Task>) {
  return { deviceClass: "ticketPrinter", deadlineMs: DEADLINE_MS, task } as const;
}
