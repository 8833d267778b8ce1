/**
 * Signatures by hand (手書きの署名) on a document that the citizen sees.
 *
 * ```text
 * document handed in -> job -> show, ink, acts -> signed | declined | timedOut | empty
 * ```
 * What the citizen decides is an outcome, not an error. The sealed container and the exports are taken
 * once. With the surface `application` the document is shown by a page of the application, through a
 * `SigningSurface` such as `SignatureView`; its acts count only on the session of the lease, so a broken
 * connection ends the signing with an error. A pen display is calibrated in the same way, with crosses in the
 * place of the document.
 */
import type { DocumentSource } from "./bytes.js";
import { handIn, takeDocument } from "./documents.js";
import { AgentError } from "./errors.js";
import type { Held } from "./lease.js";
import { atDevice, runJob, takeResult, type WorkOptions, type WorkParts } from "./working.js";
import type { Act, Calibration, Export, InkSample, Item, Place, SignedSummary, Surface, Task, ToShow } from "./wire.js";

/** How a document is to be signed. */
export interface SigningOptions extends WorkOptions {
  /** Shows the document on this page; without it the citizen's paired screen, or the tablet, shows it. */
  readonly surface?: SigningSurface;
  /** Whether every page must have been on the screen before the signature can be given. */
  readonly everyPage?: boolean;
  /** The visit (来庁) to which it belongs. */
  readonly visit?: string;
  /** What else is to come out besides the sealed container. */
  readonly exports?: readonly Export[];
  /** For the export `pdf`: where the ink goes. */
  readonly place?: Place;
  /** Hears what the pen does, as it does it; for showing only. */
  readonly onInk?: (samples: readonly InkSample[]) => void;
  /** Hears which page is shown; each time the same page comes again the citizen has begun anew. */
  readonly onShow?: (page: ToShow) => void;
}

/** How a tablet is to be calibrated. */
export interface CalibrationOptions extends WorkOptions {
  /** Shows the crosses on this page, over the whole monitor under the pen; without it the citizen's paired screen,
   * or the tablet, shows them. */
  readonly surface?: SigningSurface;
}

/** Shows a document, or a cross, and reports what the citizen does with it. */
export interface SigningSurface {
  /** The job has begun; `say` carries what the citizen does, and is false once nobody hears it. */
  begin(say: (act: Act) => boolean): void;
  /** Shows a page, without ink. */
  show(page: ToShow): void;
  /** Draws what a tablet felt. */
  ink(samples: readonly InkSample[]): void;
  /** Nothing is shown any more. */
  end(): void;
}

/** What came of it. */
export type SigningOutcome =
  | {
      readonly kind: "signed";
      /** What was signed, how and when; `attempts` tells how often the citizen began. */
      readonly summary: SignedSummary;
      /** The sealed container. */
      readonly container: Blob;
      /** The exports in the order in which they were asked for. */
      readonly exports: readonly { readonly role: string; readonly content: Blob }[];
    }
  | {
      /** The citizen declined, nobody signed in time, or it was confirmed without a stroke. */
      readonly kind: "declined" | "timedOut" | "empty";
      /** The agent's sentences about it. */
      readonly reason: AgentError;
    };

const DEADLINE_MS = 600_000;

const OUTCOME_BY_CODE: Readonly<Record<string, "declined" | "timedOut" | "empty">> = {
  "SIG-DECLINED": "declined",
  "SIG-TIMEOUT": "timedOut",
  "SIG-EMPTY": "empty",
};

/** The signature tablet. */
export class SignatureTablet {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Shows a PDF or PNG and has it signed by hand. */
  async sign(document: DocumentSource, options: SigningOptions): Promise<SigningOutcome> {
    try {
      return await this.#sign(document, options);
    } catch (error) {
      const kind = error instanceof AgentError ? OUTCOME_BY_CODE[error.code] : undefined;
      if (kind === undefined) {
        throw error;
      }
      return { kind, reason: error as AgentError };
    } finally {
      options.surface?.end();
    }
  }

  /**
   * Shows five crosses one after the other, and has the middle of each touched with the pen. From then on
   * signatures are mapped by what came of it. Only for a tablet whose `capabilities.calibrates` is true; taps that
   * make no sense fail with the code `SIG-CALIBRATION` and change nothing.
   */
  async calibrate(options: CalibrationOptions): Promise<Calibration> {
    const { surface } = options;
    try {
      return await atDevice(this.#parts, options, "signatureTablet", async (lease) => {
        const begin = this.#beginner(lease, surface);
        const order = {
          deviceClass: "signatureTablet",
          deadlineMs: DEADLINE_MS,
          bound: surface !== undefined,
          task: (): Task => ({ kind: "calibrateTablet", surface: shownBy(surface) }),
          onItem: (job: string, _n: number, item: Item) => {
            begin(job);
            if (item.kind === "show") {
              surface?.show(item.page);
            }
          },
        } as const;
        const job = await runJob(this.#parts, options, order, lease);
        return (await takeResult(this.#parts.door, job, "calibration")).calibration;
      });
    } finally {
      surface?.end();
    }
  }

  /** Lets a surface begin with the first item of a job; what it says goes out on the session of the lease. */
  #beginner({ session }: Held, surface: SigningSurface | undefined): (job: string) => void {
    const { events } = this.#parts;
    let begun = false;
    return (job) => {
      if (!begun && surface !== undefined && session !== undefined) {
        begun = true;
        surface.begin((act) => events.tell(session, { type: "act", job, act }));
      }
    };
  }

  async #sign(document: DocumentSource, options: SigningOptions): Promise<SigningOutcome> {
    const { door } = this.#parts;
    return atDevice(this.#parts, options, "signatureTablet", async (lease) => {
      const { surface } = options;
      const begin = this.#beginner(lease, surface);
      const order = {
        deviceClass: "signatureTablet",
        deadlineMs: DEADLINE_MS,
        bound: surface !== undefined,
        task: async () => signingTask(await handIn(door, document), options),
        onItem: (job: string, _n: number, item: Item) => {
          begin(job);
          hand(item, options);
        },
      } as const;
      const job = await runJob(this.#parts, options, order, lease);
      const { summary, documents } = await takeResult(door, job, "signature");
      const taken: { role: string; content: Blob }[] = [];
      for (const kept of documents) {
        taken.push({ role: kept.role, content: await takeDocument(door, kept) });
      }
      const container = taken.find(({ role }) => role === "container")?.content;
      if (container === undefined) {
        throw AgentError.own("agent_failed");
      }
      return { kind: "signed", summary, container, exports: taken.filter(({ role }) => role !== "container") };
    });
  }
}

function shownBy(surface: SigningSurface | undefined): Surface {
  return surface === undefined ? "citizenScreen" : "application";
}

function signingTask(document: string, options: SigningOptions): Task {
  const { visit, place, everyPage = false, exports = [] } = options;
  return {
    kind: "captureSignature",
    order: {
      document,
      surface: shownBy(options.surface),
      everyPage,
      exports: [...exports],
      ...(visit === undefined ? {} : { visit }),
      ...(place === undefined ? {} : { place }),
    },
  };
}

function hand(item: Item, options: SigningOptions): void {
  if (item.kind === "show") {
    options.surface?.show(item.page);
    options.onShow?.(item.page);
  } else if (item.kind === "ink") {
    // The generated type knows samples only as lists of anything.
    const samples = item.samples as unknown as readonly InkSample[];
    options.surface?.ink(samples);
    options.onInk?.(samples);
  }
}
