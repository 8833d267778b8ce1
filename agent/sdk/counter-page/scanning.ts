/** One page of paper, scanned and shown. The picture is drawn, so that it has no address of its own. */
import type { AgentClient } from "@madoguchi/agent";
import { element } from "./elements";
import type { Station } from "./station";

/** The document scanner. */
export class Scanning {
  readonly #agent: AgentClient;
  readonly #station: Station;
  readonly #canvas = element<HTMLCanvasElement>("scanned");

  constructor(agent: AgentClient, station: Station) {
    this.#agent = agent;
    this.#station = station;
    const start = element<HTMLButtonElement>("document-scan");
    start.addEventListener("click", () => void station.work(start, () => this.#scan()));
  }

  /** Erases the picture. */
  clear(): void {
    this.#canvas.width = 0;
    this.#canvas.height = 0;
    this.#canvas.hidden = true;
  }

  async #scan(): Promise<void> {
    this.clear();
    this.#station.say("スキャンしています。");
    const [device] = await this.#agent.devicesOf("documentScanner");
    const sources = device?.capabilities.sources ?? [];
    const source = sources.includes("feeder") ? "feeder" : sources[0];
    const resolution = nearest(device?.capabilities.resolutions ?? [], 200);
    const scanned = await this.#agent.documentScanner.scan({
      ...(source === undefined ? {} : { source }),
      resolution,
      maxPages: 1,
      format: "png",
      purpose: "添付書類の受付",
      onPages: (pages) => this.#station.say(`${pages}ページ目を読み取りました。`),
    });
    const picture = await createImageBitmap(scanned.content);
    this.#canvas.width = picture.width;
    this.#canvas.height = picture.height;
    this.#canvas.getContext("2d")?.drawImage(picture, 0, 0);
    picture.close();
    this.#canvas.hidden = false;
    this.#station.say(scanned.pages[0]?.blank ? "白紙のようです。紙の向きを確かめてください。" : "スキャンしました。", scanned.pages[0]?.blank ? "warn" : "ok");
  }
}

/** The offered resolution that is nearest to the wanted one. */
function nearest(offered: readonly number[], wanted: number): number {
  return offered.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best), offered[0] ?? wanted);
}
