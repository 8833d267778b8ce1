/** Pages: PDFs that are printed, and paper that is scanned into one document. */
import type { DocumentSource } from "./bytes.js";
import { handIn, takeDocument } from "./documents.js";
import { atDevice, runJob, takeResult, work, type WorkOptions, type WorkParts } from "./working.js";
import type { DocumentScan, Item, PageFacts } from "./wire.js";

/** How a PDF is to be printed. */
export interface PagePrintOptions extends WorkOptions {
  /** How many copies, 1 to 20; one unless given. */
  readonly copies?: number;
  /** Whether on both sides; not unless given. */
  readonly duplex?: boolean;
}

const DEADLINE_MS = 300_000;

/** The page printer. */
export class PagePrinter {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Prints a PDF; returns how many sides the printer says it has printed, where it says so. */
  async print(pdf: DocumentSource, options: PagePrintOptions): Promise<number | undefined> {
    const { copies = 1, duplex = false } = options;
    const order = {
      deviceClass: "pagePrinter",
      deadlineMs: DEADLINE_MS,
      task: async () => {
        const document = await handIn(this.#parts.door, pdf);
        return { kind: "printDocument", document, copies, duplex } as const;
      },
    } as const;
    return (await work(this.#parts, options, order, "pages")).printed;
  }
}

/** How paper is to be scanned; whatever is not given is A4 from the feeder, grey, 300 dpi, as PDF/A. */
export interface DocumentScanOptions extends WorkOptions, Partial<DocumentScan> {
  /** Hears how many pages there are, after each. */
  readonly onPages?: (pages: number) => void;
}

/** A scanned document. */
export interface ScannedDocument {
  readonly content: Blob;
  readonly pages: readonly PageFacts[];
  /** How many blank pages were left out. */
  readonly blankDropped: number;
}

/** The document scanner. */
export class DocumentScanner {
  readonly #parts: WorkParts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Scans the paper and takes the document, once. */
  async scan(options: DocumentScanOptions): Promise<ScannedDocument> {
    const order = {
      deviceClass: "documentScanner",
      deadlineMs: DEADLINE_MS,
      task: () => ({ kind: "scanDocument", order: scanOrder(options) }) as const,
      onItem: (_job: string, _n: number, item: Item) => {
        if (item.kind === "page") {
          options.onPages?.(item.pages);
        }
      },
    } as const;
    return atDevice(this.#parts, options, "documentScanner", async (lease) => {
      const job = await runJob(this.#parts, options, order, lease);
      const { document, pages, blankDropped } = await takeResult(this.#parts.door, job, "document");
      return { content: await takeDocument(this.#parts.door, document), pages, blankDropped };
    });
  }
}

function scanOrder(options: DocumentScanOptions): DocumentScan {
  return {
    source: options.source ?? "feeder",
    resolution: options.resolution ?? 300,
    colour: options.colour ?? "grey",
    area: options.area ?? [2100, 2970],
    maxPages: options.maxPages ?? 50,
    straighten: options.straighten ?? true,
    dropBlank: options.dropBlank ?? false,
    format: options.format ?? "pdfA",
  };
}
