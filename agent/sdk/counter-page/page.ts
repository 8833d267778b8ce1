/**
 * The counter page: connects the paper form, the panel and the agent.
 *
 * A forged card fills nothing. What was read stays in the form alone, and the next citizen starts with
 * an empty one.
 */
import { AgentClient, AgentError, type Question, type Reading, type Reply } from "@madoguchi/agent";
import { element, writeOrHide } from "./elements";
import { showAgent, showDevices, showJob, showOutcome, showProblem, showReading, showReady } from "./panel";
import { Paper } from "./paper";
import { Screens } from "./screens";
import { Stations } from "./stations";
import { fetchSettings, fetchToken, type Settings } from "./settings";

const PURPOSE = "住民票の写し等の交付";

/** The page at work. */
class CounterPage {
  readonly #settings: Settings;
  readonly #agent: AgentClient;
  readonly #screens: Screens;
  readonly #paper = new Paper();
  readonly #stations: Stations;
  #reading: AbortController | undefined;
  #reply: Reply | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#agent = new AgentClient({ address: settings.agent, getToken: fetchToken });
    this.#screens = new Screens(this.#agent);
    this.#stations = new Stations(this.#agent, this.#paper);
    this.#paper.apply(settings);
    writeOrHide(element("city"), settings.municipality?.name);
    element("counter-number").textContent = settings.counter;
    element("staff").textContent = settings.staff ?? "";
    element("staff-box").hidden = settings.staff === undefined;
    this.#listen();
    this.#wireButtons();
  }

  /** Connects to the agent; what is there is shown as soon as the connection stands. */
  async connect(): Promise<void> {
    element("problem").hidden = true;
    showAgent("connecting");
    try {
      await this.#agent.connect();
    } catch (error) {
      this.#unavailable(error);
    }
  }

  #listen(): void {
    this.#agent.onDevices((devices) => {
      showDevices(devices);
      this.#stations.show(devices);
    });
    this.#agent.onPinScreens((list) => this.#screens.show(list));
    this.#agent.onConnection((connection) => {
      if (connection.state === "connected") {
        showAgent("connected");
        void this.#refresh().catch((error: unknown) => this.#unavailable(error));
      } else if (connection.state === "reconnecting") {
        showAgent("reconnecting");
      } else if (connection.state === "refused") {
        this.#unavailable(connection.error);
      }
    });
  }

  #wireButtons(): void {
    element("read").addEventListener("click", () => void this.#read());
    element("cancel").addEventListener("click", () => this.#reading?.abort());
    element("reconnect").addEventListener("click", () => void this.connect());
    element("next-citizen").addEventListener("click", () => {
      this.#reading?.abort();
      this.#paper.clear();
      this.#stations.clear();
      showReady();
      element("read").focus();
    });
    const dialog = element<HTMLDialogElement>("last-try-dialog");
    element("last-try-open").addEventListener("click", () => dialog.showModal());
    element("last-try-back").addEventListener("click", () => dialog.close());
    element("last-try-allow").addEventListener("click", () => {
      dialog.close();
      this.#answer((reply) => reply.allowLastTry());
    });
    element("last-try-decline").addEventListener("click", () => this.#answer((reply) => reply.decline()));
  }

  async #refresh(): Promise<void> {
    const [devices, screens] = await Promise.all([this.#agent.devices(), this.#agent.pinScreens()]);
    showDevices(devices);
    this.#stations.show(devices);
    this.#screens.show(screens);
  }

  #unavailable(error: unknown): void {
    showAgent("unavailable");
    this.#screens.hide();
    this.#stations.hide();
    showProblem(error);
  }

  async #read(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    this.#paper.eraseCard();
    showReading();
    element("cancel").focus();
    try {
      const shuffled = element<HTMLInputElement>("shuffled").checked;
      const result = await this.#agent.readMyNumberCard({
        fields: ["fourAttributes"],
        credential: shuffled ? "pinOnScreenShuffled" : "pinOnScreen",
        purpose: PURPOSE,
        onProgress: (job) => showJob(job, this.#settings),
        onQuestion: (_: Question, reply) => {
          this.#reply = reply;
        },
        signal: reading.signal,
      });
      if (!reading.signal.aborted) {
        this.#take(result);
      }
    } catch (error) {
      if (this.#reading === reading) {
        showProblem(error);
        element("read").focus();
      }
    } finally {
      this.#reply = undefined;
      element<HTMLDialogElement>("last-try-dialog").close();
    }
  }

  /** Fills the form, unless the card is forged. */
  #take(result: Reading): void {
    const { verdict } = result.authenticity;
    this.#paper.identify(verdict);
    if (verdict !== "forged" && result.attributes) {
      this.#paper.fill(result.attributes, result.notices);
    }
    showOutcome(result);
  }

  #answer(give: (reply: Reply) => Promise<void>): void {
    const reply = this.#reply;
    if (reply !== undefined) {
      give(reply).catch((error: unknown) => {
        // The job still runs and waits: say why, and leave the choice open.
        element("instruction").textContent =
          error instanceof AgentError ? `${error.ja.message}${error.ja.next}` : "もう一度選んでください。";
      });
    }
  }
}

try {
  const page = new CounterPage(await fetchSettings());
  await page.connect();
} catch (error) {
  showAgent("unavailable");
  showProblem(error);
}
