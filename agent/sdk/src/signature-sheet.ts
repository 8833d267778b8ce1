/**
 * The elements of a signature view: the picture, the ink over it, what to do, and the buttons.
 *
 * The picture is drawn into a canvas, so that no image address is needed; the ink lies on a second canvas
 * of the same size above it.
 */
import { placeOn } from "./ink.js";
import type { SignatureWords } from "./signature-view.js";
import type { ToShow } from "./wire.js";

/** A button. */
export type Press = "previous" | "next" | "redo" | "decline" | "confirm";

const PRESSES: readonly Press[] = ["previous", "next", "redo", "decline", "confirm"];

/** Whether a page is a cross that is to be touched, and no document: the last page of one has a place to sign. */
export function isCross({ page, pages, area }: ToShow): boolean {
  return area === undefined && page >= pages;
}

/** The elements. */
export class SignatureSheet {
  /** Hears which button was pressed. */
  onPress: (press: Press) => void = () => undefined;
  readonly #words: SignatureWords;
  readonly #root = document.createElement("section");
  readonly #status = make("p", "signature-status");
  readonly #number = make("p", "signature-page");
  readonly #picture = make("canvas", "signature-picture");
  readonly #ink = make("canvas", "signature-ink");
  readonly #buttons = new Map<Press, HTMLButtonElement>();

  constructor(place: HTMLElement, words: SignatureWords) {
    this.#words = words;
    this.#root.className = "signature-view";
    this.#root.hidden = true;
    this.#root.setAttribute("aria-label", words.title);
    this.#status.setAttribute("role", "status");
    this.#picture.setAttribute("role", "img");
    this.#ink.setAttribute("aria-hidden", "true");
    const stack = make("div", "signature-stack");
    stack.append(this.#picture, this.#ink);
    // The page may bound the picture's height; both canvases keep lying one upon the other.
    Object.assign(stack.style, { position: "relative", width: "fit-content", marginInline: "auto" });
    Object.assign(this.#picture.style, { display: "block", width: "auto", height: "auto", maxWidth: "100%" });
    // The browser must not scroll or zoom where the citizen writes.
    Object.assign(this.#ink.style, { position: "absolute", inset: "0", width: "100%", height: "100%", touchAction: "none" });
    const row = make("div", "signature-buttons");
    row.append(...PRESSES.map((press) => this.#button(press)));
    this.#root.append(this.#status, this.#number, stack, row);
    place.append(this.#root);
  }

  /** Where the pen is felt. */
  get surface(): HTMLElement {
    return this.#ink;
  }

  /** Paints a page, without ink. */
  paint(picture: ImageBitmap, shown: ToShow): void {
    const { page, pages } = shown;
    const cross = isCross(shown);
    for (const canvas of [this.#picture, this.#ink]) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    this.#picture.getContext("2d")?.drawImage(picture, 0, 0);
    const number = this.#words.page(page, pages);
    this.#number.textContent = cross ? "" : number;
    this.#picture.setAttribute("aria-label", cross ? this.#words.cross : `${this.#words.title}　${number}`);
    this.#root.hidden = false;
  }

  /** Offers what can be done on a page. */
  enable(shown: ToShow): void {
    const { page, pages, area } = shown;
    const signing = area !== undefined;
    const offered: Readonly<Record<Press, boolean>> = {
      previous: page > 1,
      next: page < pages,
      redo: signing,
      // A button that lies upon a cross would be pressed with it.
      decline: !isCross(shown),
      confirm: signing,
    };
    for (const [press, button] of this.#buttons) {
      button.hidden = !offered[press];
      button.disabled = false;
    }
  }

  /** Offers nothing until the next page is on the screen. */
  disable(): void {
    for (const button of this.#buttons.values()) {
      button.disabled = true;
    }
  }

  /** Says what to do; a live region speaks on each write, so only what is new is written. */
  say(text: string): void {
    if (this.#status.textContent !== text) {
      this.#status.textContent = text;
    }
  }

  /** Draws a piece of ink, in the picture's pixels. */
  stroke(from: readonly [number, number], to: readonly [number, number]): void {
    const context = this.#ink.getContext("2d");
    if (context === null) {
      return;
    }
    context.lineWidth = Math.max(2, this.#ink.width / 500);
    context.lineCap = "round";
    context.strokeStyle = "#101060";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }

  /** The place on the picture, in its pixels, of a place in the window. */
  onPicture(clientX: number, clientY: number): readonly [number, number] {
    const box = this.#ink.getBoundingClientRect();
    return placeOn(this.#ink, box, [clientX, clientY]);
  }

  /** Shows nothing any more; picture and ink are erased. */
  close(): void {
    this.#root.hidden = true;
    this.#status.textContent = "";
    for (const canvas of [this.#picture, this.#ink]) {
      canvas.width = 0;
      canvas.height = 0;
    }
  }

  #button(press: Press): HTMLButtonElement {
    const button = make("button", `signature-button signature-${press}`);
    button.type = "button";
    button.textContent = this.#words[press];
    button.addEventListener("click", () => this.onPress(press));
    this.#buttons.set(press, button);
    return button;
  }
}

function make<K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  element.className = className;
  return element;
}
