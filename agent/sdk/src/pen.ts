/**
 * The pen, as the browser feels it on an element: every sample, also those between two frames.
 *
 * `pointerrawupdate` gives samples as they come where the browser has it (Pointer Events Level 3, secure
 * contexts only); elsewhere the coalesced events of `pointermove` carry them. Once a pen was felt, touches
 * are ignored: they are the palm of the hand that holds it.
 */

/** Feels one pointer at a time until `stop`. */
export class Pen {
  readonly #surface: HTMLElement;
  readonly #feel: (event: PointerEvent) => void;
  readonly #abort = new AbortController();
  #pointer: number | undefined;
  #hasPen = false;

  constructor(surface: HTMLElement, feel: (event: PointerEvent) => void) {
    this.#surface = surface;
    this.#feel = feel;
    const raw = "onpointerrawupdate" in surface;
    this.#on("pointerdown", (event) => this.#down(event));
    this.#on(raw ? "pointerrawupdate" : "pointermove", (event) => this.#move(event));
    this.#on("pointerup", (event) => this.#up(event));
    this.#on("pointercancel", (event) => this.#up(event));
  }

  /** Feels nothing any more. */
  stop(): void {
    this.#abort.abort();
  }

  #on(name: string, hear: (event: PointerEvent) => void): void {
    const { signal } = this.#abort;
    this.#surface.addEventListener(name, (event) => hear(event as PointerEvent), { signal });
  }

  #down(event: PointerEvent): void {
    this.#hasPen ||= event.pointerType === "pen";
    const isPalm = this.#hasPen && event.pointerType === "touch";
    if (event.button !== 0 || isPalm || this.#pointer !== undefined) {
      return;
    }
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#surface.setPointerCapture(event.pointerId);
    this.#feel(event);
  }

  #move(event: PointerEvent): void {
    const hovers = this.#pointer === undefined && event.pointerType === "pen";
    if (event.pointerId !== this.#pointer && !hovers) {
      return;
    }
    const coalesced = event.getCoalescedEvents?.() ?? [];
    (coalesced.length === 0 ? [event] : coalesced).forEach(this.#feel);
  }

  #up(event: PointerEvent): void {
    if (event.pointerId === this.#pointer) {
      this.#pointer = undefined;
      this.#feel(event);
    }
  }
}
