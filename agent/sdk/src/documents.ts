/**
 * Documents: handed in for one job, taken out once.
 *
 * The agent keeps them in memory only; a job uses up what was handed in, and what it made is handed out
 * once, so that a second `take` of the same document fails.
 */
import { asDocument, type DocumentSource } from "./bytes.js";
import type { Door } from "./door.js";
import type { KeptDocument } from "./wire.js";

/** Hands a document in and returns its name. */
export async function handIn(door: Door, source: DocumentSource): Promise<string> {
  const kept = await door.call<KeptDocument>({ method: "POST", path: "/v1/documents", document: asDocument(source) });
  return kept.id;
}

/** Takes a document that a job made. */
export async function takeDocument(door: Door, kept: KeptDocument): Promise<Blob> {
  const path = `/v1/documents/${encodeURIComponent(kept.id)}/take`;
  const taken = await door.fetchDocument({ method: "POST", path });
  return new Blob([taken], { type: kept.mediaType });
}
