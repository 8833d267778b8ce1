/**
 * Shows a document that is to be signed by hand on a page of the application, and feels the pen there.
 *
 * ```ts
 * const view = new SignatureView(document.querySelector("#signature"));
 * const outcome = await agent.tablet.sign(pdf, { surface: view, purpose: "住民票の写しの交付" });
 * ```
 * What the citizen sees is the picture that the agent drew and whose hash it keeps; nothing is laid over it
 * but ink. A page counts as shown when it has been painted. Each `show` begins anew, without ink. Where a
 * tablet feels the pen (`inkArea`), this page only draws, and should fill the monitor under the pen.
 * It makes its own elements below the one that it is given, with class names that begin with `signature-`,
 * needs no style sheet and no inline style, and works under a strict content security policy.
 * It makes a 手書きの署名, never a 電子署名.
 */
import { fromBase64 } from "./bytes.js";
import { InkBatches, sampleOf, TIP } from "./ink.js";
import { Pen } from "./pen.js";
import { isCross, SignatureSheet } from "./signature-sheet.js";
import type { SigningSurface } from "./tablet.js";
import type { Act, InkSample, ToShow } from "./wire.js";

/** What the view says; Japanese unless given. */
export interface SignatureViewOptions {
  readonly words?: Partial<SignatureWords>;
}

/** Its words. */
export interface SignatureWords {
  readonly title: string;
  readonly read: string;
  readonly sign: string;
  readonly lost: string;
  readonly unreadable: string;
  readonly previous: string;
  readonly next: string;
  readonly redo: string;
  readonly decline: string;
  readonly confirm: string;
  /** What to do with a cross, by which a pen display is calibrated. */
  readonly cross: string;
  /** Of how many pages this is which. */
  readonly page: (page: number, pages: number) => string;
}

const WORDS: SignatureWords = {
  title: "手書きの署名",
  read: "内容をお読みください。",
  sign: "内容を確かめ、枠の中に署名してください。",
  lost: "接続が切れました。署名は送られていません。職員にお知らせください。",
  unreadable: "書類を表示できません。職員にお知らせください。",
  previous: "前のページ",
  next: "次のページ",
  redo: "書き直す",
  decline: "署名しない",
  confirm: "署名を確定する",
  cross: "十字の中心を、ペンで押してください。",
  page: (page, pages) => `${page}ページ目（全${pages}ページ）`,
};

/** The view. */
export class SignatureView implements SigningSurface {
  readonly #sheet: SignatureSheet;
  readonly #words: SignatureWords;
  #batches: InkBatches | undefined;
  #pen: Pen | undefined;
  #page: ToShow | undefined;
  #origin: number | undefined;
  #turn = 0;
  #last: readonly [number, number] | undefined;

  constructor(place: HTMLElement, options: SignatureViewOptions = {}) {
    this.#words = { ...WORDS, ...options.words };
    this.#sheet = new SignatureSheet(place, this.#words);
    this.#sheet.onPress = (press) => {
      const page = this.#page?.page ?? 1;
      if (press === "previous" || press === "next") {
        this.#act({ kind: "turn", page: press === "next" ? page + 1 : page - 1 });
      } else {
        this.#act({ kind: press });
      }
    };
  }

  begin(say: (act: Act) => boolean): void {
    this.#batches = new InkBatches(say);
    this.#origin = undefined;
  }

  show(page: ToShow): void {
    this.#turn += 1;
    this.#page = undefined;
    this.#pen?.stop();
    this.#sheet.disable();
    this.#paint(page, this.#turn).catch(() => {
      // Not shown, so it is not reported as shown, and nobody can sign it.
      this.#sheet.say(this.#words.unreadable);
    });
  }

  ink(samples: readonly InkSample[]): void {
    const { area, inkArea } = this.#page ?? {};
    const place = placing(area, inkArea);
    if (place !== undefined) {
      samples.forEach((sample) => this.#draw(place(sample[1], sample[2]), sample));
    }
  }

  end(): void {
    this.#turn += 1;
    this.#pen?.stop();
    this.#batches?.stop();
    this.#batches = undefined;
    this.#page = undefined;
    this.#sheet.close();
  }

  async #paint(page: ToShow, turn: number): Promise<void> {
    const picture = await createImageBitmap(new Blob([fromBase64(page.picture)], { type: "image/png" }));
    if (turn !== this.#turn) {
      picture.close();
      return;
    }
    this.#last = undefined;
    this.#sheet.paint(picture, page);
    picture.close();
    await painted();
    if (turn === this.#turn) {
      this.#ready(page);
    }
  }

  /** The page is on the screen: from now on what the citizen does with it counts. */
  #ready(page: ToShow): void {
    this.#page = page;
    this.#origin ??= performance.now();
    const read = isCross(page) ? this.#words.cross : this.#words.read;
    this.#sheet.say(page.area === undefined ? read : this.#words.sign);
    if (page.area !== undefined && page.inkArea === undefined) {
      this.#pen = new Pen(this.#sheet.surface, (event) => this.#feel(event));
    }
    this.#act({ kind: "shown", page: page.page });
    this.#sheet.enable(page);
  }

  #feel(event: PointerEvent): void {
    const place = this.#sheet.onPicture(event.clientX, event.clientY);
    const sample = sampleOf(event, place, this.#origin ?? event.timeStamp);
    this.#batches?.add(sample);
    this.#draw(place, sample);
  }

  #draw(place: readonly [number, number], sample: InkSample): void {
    const touches = (sample[6] & TIP) !== 0;
    if (touches) {
      this.#sheet.stroke(this.#last ?? place, place);
    }
    this.#last = touches ? place : undefined;
  }

  #act(act: Act): void {
    if (this.#batches?.act(act) === false) {
      this.#sheet.disable();
      this.#sheet.say(this.#words.lost);
    }
  }
}

/** From the pen's units to the picture's pixels; `undefined` where the page itself feels the pen. */
function placing(
  area: readonly number[] | undefined,
  inkArea: readonly number[] | undefined,
): ((x: number, y: number) => readonly [number, number]) | undefined {
  const [left, top, width, height] = area ?? [];
  const [inkLeft, inkTop, inkWidth, inkHeight] = inkArea ?? [];
  if (left === undefined || top === undefined || width === undefined || height === undefined) {
    return undefined;
  }
  if (inkLeft === undefined || inkTop === undefined || !inkWidth || !inkHeight) {
    return undefined;
  }
  return (x, y) => [left + ((x - inkLeft) / inkWidth) * width, top + ((y - inkTop) / inkHeight) * height];
}

/** Resolves after the browser has painted a frame; of a page in the background, which paints none, never. */
function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
