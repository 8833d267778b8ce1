/**
 * The pen's samples on their way to the agent: what a pointer event says, and how samples are bundled.
 *
 * A page says at most 20 messages a second, each with what came in 50 ms; every act of the citizen is said
 * behind the ink that came before it, so that the agent sees both in the order in which they happened.
 */
import type { Act, InkSample } from "./wire.js";

/** The flags of a sample. */
export const TIP = 1;
const IN_RANGE = 2;

/** How long samples are collected. */
const BATCH_MS = 50;
/** Bounds a message; a pen that reports a thousand times a second fills a twentieth of it. */
const MAX_SAMPLES = 1000;
const MAX_PRESSURE = 65_535;

/** The part of a pointer event that makes a sample. */
export interface PenEvent {
  readonly timeStamp: number;
  readonly buttons: number;
  readonly pressure: number;
  readonly tiltX: number;
  readonly tiltY: number;
}

/** The sample of an event at a place on the picture, in its pixels; `origin` is when the capture began. */
export function sampleOf(event: PenEvent, [x, y]: readonly [number, number], origin: number): InkSample {
  const tip = (event.buttons & 1) !== 0;
  return [
    Math.max(0, Math.round((event.timeStamp - origin) * 1000)),
    Math.round(x * 100),
    Math.round(y * 100),
    Math.round(Math.min(1, Math.max(0, event.pressure)) * MAX_PRESSURE),
    Math.round(event.tiltX * 100),
    Math.round(event.tiltY * 100),
    tip ? TIP | IN_RANGE : IN_RANGE,
  ];
}

/** Where a picture lies in the window. */
export type Box = Pick<DOMRect, "left" | "top" | "width" | "height">;

/** The place on a picture, in its pixels, of a place in the window; what lies beyond the picture ends at its edge. */
export function placeOn(
  picture: { readonly width: number; readonly height: number },
  box: Box,
  [x, y]: readonly [number, number],
): readonly [number, number] {
  const along = (place: number, from: number, extent: number, pixels: number) =>
    extent === 0 ? 0 : Math.min(Math.max(((place - from) * pixels) / extent, 0), pixels);
  return [along(x, box.left, box.width, picture.width), along(y, box.top, box.height, picture.height)];
}

/** Bundles samples, and says acts behind them. */
export class InkBatches {
  readonly #say: (act: Act) => boolean;
  #samples: InkSample[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (act: Act) => boolean) {
    this.#say = say;
  }

  /** Takes a sample; it is said within 50 ms. */
  add(sample: InkSample): void {
    const last = this.#samples.at(-1);
    // Coalesced events of some browsers come out of order by a few microseconds; time never goes back here.
    const ordered: InkSample =
      last !== undefined && sample[0] < last[0]
        ? [last[0], sample[1], sample[2], sample[3], sample[4], sample[5], sample[6]]
        : sample;
    this.#samples.push(ordered);
    if (this.#samples.length >= MAX_SAMPLES) {
      this.#flush();
    } else {
      this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
    }
  }

  /** Says what the citizen did, behind the ink before it; false where nobody hears it any more. */
  act(act: Act): boolean {
    this.#flush();
    return this.#say(act);
  }

  /** Forgets what has not been said. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#samples = [];
  }

  #flush(): void {
    const samples = this.#samples;
    this.stop();
    if (samples.length > 0) {
      this.#say({ kind: "ink", samples });
    }
  }
}
