/**
 * The paper form: filled from a reading, editable by the clerk, erased for the next citizen.
 *
 * What stands here stands nowhere else: not in the address, not in the browser's storage, not in the
 * console.
 */
import type { Attributes, TextNotice, Verdict } from "@madoguchi/agent";
import { element, setTone } from "./elements";
import { eraDate, today } from "./japan";
import { describeNotices } from "./notices";
import type { Settings } from "./settings";

type FilledField = "name" | "address" | "birth-date";

const FILLED_FIELDS: readonly FilledField[] = ["name", "address", "birth-date"];
const FROM_CARD = "カードから転記";
const EDITED = "カードから転記し、手で直しました";

const IDENTITY: Readonly<Record<Verdict, { text: string; tone: "ok" | "warn" | "bad" }>> = {
  genuine: { text: "マイナンバーカード（本物と確認）", tone: "ok" },
  notVerified: { text: "マイナンバーカード（本物か確認できていません。券面を目で確かめてください）", tone: "warn" },
  forged: { text: "確認できません（偽造の疑い。転記していません）", tone: "bad" },
};

/** The paper form. */
export class Paper {
  readonly #form = element<HTMLFormElement>("form");
  #feeYen: number | undefined;

  constructor() {
    for (const field of FILLED_FIELDS) {
      input(field).addEventListener("input", () => this.#edited(field));
    }
    this.#form.addEventListener("change", () => this.#recount());
    this.#form.addEventListener("input", () => this.#recount());
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    element("print").addEventListener("click", () => window.print());
    this.clear();
  }

  /** Takes over the municipality's name and fee. */
  apply(settings: Settings): void {
    const name = settings.municipality?.name;
    element("paper-to").textContent = name === undefined ? "" : `${name}長 あて`;
    this.#feeYen = settings.feeYen;
    this.#recount();
  }

  /** Writes what the card holds into the form, with a notice beside each notable character. */
  fill(attributes: Attributes, notices: readonly TextNotice[]): void {
    this.#write("name", attributes.name);
    this.#write("address", attributes.address);
    this.#write("birth-date", attributes.birthDate);
    for (const field of ["name", "address"] as const) {
      const own = notices.filter((notice) => notice.field === field);
      const items = describeNotices(attributes[field], own).map(({ glyph, text }) => noticeItem(glyph, text));
      element(`${field}-notices`).replaceChildren(...items);
    }
    this.#showEra();
  }

  /** Writes into the form whether the card was found genuine. */
  identify(verdict: Verdict): void {
    const { text, tone } = IDENTITY[verdict];
    element("identity").textContent = text;
    setTone(element("identity"), tone);
  }

  /** What stands in the fields that a card fills, for the other devices of the counter. */
  values(): Readonly<Record<"name" | "address" | "birthDate", string>> {
    return { name: input("name").value, address: input("address").value, birthDate: input("birth-date").value };
  }

  /** Erases what came from a card, before another card is read. */
  eraseCard(): void {
    for (const field of FILLED_FIELDS) {
      if (input(field).classList.contains("from-card")) {
        input(field).value = "";
      }
      input(field).classList.remove("from-card");
      element(`${field}-origin`).textContent = "";
    }
    element("name-notices").replaceChildren();
    element("address-notices").replaceChildren();
    element("identity").textContent = "未確認";
    setTone(element("identity"), undefined);
    this.#showEra();
  }

  /** Erases everything, for the next citizen. */
  clear(): void {
    this.eraseCard();
    this.#form.reset();
    element<HTMLInputElement>("request-date").value = today();
    this.#showEra();
    this.#recount();
  }

  #write(field: FilledField, value: string): void {
    input(field).value = value;
    input(field).classList.add("from-card");
    element(`${field}-origin`).textContent = FROM_CARD;
  }

  #edited(field: FilledField): void {
    if (input(field).classList.contains("from-card")) {
      element(`${field}-origin`).textContent = EDITED;
    }
    if (field === "birth-date") {
      this.#showEra();
    }
  }

  #showEra(): void {
    element("birth-date-era").textContent = eraDate(input("birth-date").value) ?? "";
  }

  #recount(): void {
    const fields = [...this.#form.querySelectorAll<HTMLInputElement>("[data-copies]")];
    const copies = fields.reduce((sum, field) => sum + Math.max(0, Math.trunc(field.valueAsNumber || 0)), 0);
    element("total-copies").textContent = `${copies}`;
    element("fee-part").hidden = this.#feeYen === undefined;
    element("fee").textContent = ((this.#feeYen ?? 0) * copies).toLocaleString("ja-JP");
    const relation = new FormData(this.#form).get("relation");
    element("subject-row").hidden = relation === "self";
  }
}

function input(field: FilledField): HTMLInputElement {
  return element<HTMLInputElement>(field);
}

function noticeItem(glyph: string, text: string): HTMLLIElement {
  const item = document.createElement("li");
  if (glyph !== "") {
    const shown = document.createElement("span");
    shown.className = "glyph";
    shown.textContent = `「${glyph}」`;
    item.append(shown);
  }
  item.append(text);
  return item;
}
