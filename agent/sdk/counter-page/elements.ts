/** Finding the page's own elements, with their types. */

/** The element with this id; its absence is a defect of `index.html`, which a test opens. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no element ${id}`);
  }
  return found as T;
}

/** Writes a text and shows the element, or hides it where there is none. */
export function writeOrHide(target: HTMLElement, text: string | undefined): void {
  target.hidden = text === undefined;
  target.textContent = text ?? "";
}

/** Gives an element one of the tones of `page.css`. */
export function setTone(target: HTMLElement, tone: "ok" | "warn" | "bad" | undefined): void {
  target.classList.remove("ok", "warn", "bad");
  if (tone !== undefined) {
    target.classList.add(tone);
  }
}
