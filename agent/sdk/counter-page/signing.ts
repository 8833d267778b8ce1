/**
 * A signature by hand on the application form: drawn into a picture, shown in a dialog, signed there.
 *
 * The container is what an application hands to its archive; this example only says that it came.
 */
import { SignatureView, type AgentClient, type SigningOutcome } from "@madoguchi/agent";
import { element } from "./elements";
import { drawForm } from "./form-picture";
import type { Paper } from "./paper";
import type { Station } from "./station";

const ON_TABLET = "署名タブレットに書類を表示しています。利用者に内容を読んでもらってください。";
const ON_TABLET_SIGNING = "利用者が署名できます。署名タブレットの枠の中に署名してもらってください。";

/** The signature. */
export class Signing {
  readonly #agent: AgentClient;
  readonly #station: Station;
  readonly #paper: Paper;
  readonly #view = new SignatureView(element("signing"));
  readonly #dialog = element<HTMLDialogElement>("signing-dialog");
  #abort: AbortController | undefined;

  constructor(agent: AgentClient, station: Station, paper: Paper) {
    this.#agent = agent;
    this.#station = station;
    this.#paper = paper;
    const start = element<HTMLButtonElement>("sign-start");
    start.addEventListener("click", () => void station.work(start, () => this.#sign()));
    element("sign-cancel").addEventListener("click", () => this.cancel());
    this.#dialog.addEventListener("cancel", () => this.cancel());
  }

  /** Ends it without a signature. */
  cancel(): void {
    this.#abort?.abort();
  }

  async #sign(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#station.say("署名してもらっています。");
    const [tablet] = await this.#agent.devicesOf("signatureTablet");
    const onTablet = tablet?.capabilities.pen === "ownScreen";
    element("signing-wait").textContent = onTablet ? ON_TABLET : "書類を準備しています。";
    element("signing-wait").hidden = false;
    this.#dialog.showModal();
    try {
      const outcome = await this.#agent.tablet.sign(await drawForm(this.#paper.values()), {
        ...(onTablet ? {} : { surface: this.#view }),
        everyPage: true,
        exports: ["png"],
        purpose: "住民票の写し等の交付請求",
        onShow: () => {
          element("signing-wait").hidden = true;
        },
        onProgress: ({ step }) => {
          if (onTablet && step === "signing") {
            element("signing-wait").textContent = ON_TABLET_SIGNING;
          }
        },
        signal: abort.signal,
      });
      this.#tell(outcome);
    } finally {
      this.#dialog.close();
      element("sign-start").focus();
    }
  }

  #tell(outcome: SigningOutcome): void {
    if (outcome.kind === "signed") {
      const again = outcome.summary.attempts > 1 ? `書き直し${outcome.summary.attempts - 1}回。` : "";
      this.#station.say(`手書きの署名を受け取りました。${again}`, "ok");
    } else {
      this.#station.say(`${outcome.reason.ja.message}${outcome.reason.ja.next}`, "warn");
    }
  }
}
