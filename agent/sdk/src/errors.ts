/**
 * The one error class of the package, and how each failure gets its kind.
 *
 * A program decides by `kind`, a closed set; people read `ja` or `en`.
 * Where the agent answered, the sentences and the code are the agent's own (`docs/errors.md`).
 * Where nothing answered, they come from `sentences.ts`.
 * No error carries anything that was read from a card, scanned or signed.
 */
import { ownSentences } from "./sentences.js";
import type { Bilingual, DeviceClass, ErrorBody } from "./wire.js";

/** What went wrong, for the program. */
export type AgentErrorKind =
  | "agent_absent"
  | "permission_denied"
  | "permission_prompt"
  | "origin_refused"
  | "version_mismatch"
  | "connection_lost"
  | "closed"
  | "token_unavailable"
  | "token_invalid"
  | "not_granted"
  | "request_refused"
  | "too_many"
  | "service_unavailable"
  | "device_absent"
  | "device_denied"
  | "device_busy"
  | "device_unavailable"
  | "device_not_ready"
  | "device_unsupported"
  | "device_outcome_unknown"
  | "content_refused"
  | "content_duplicate"
  | "person_declined"
  | "person_timeout"
  | "person_stopped"
  | "card_timeout"
  | "card_removed"
  | "card_unknown"
  | "card_unreadable"
  | "pin_wrong"
  | "pin_blocked"
  | "pin_last_try"
  | "pin_declined"
  | "pin_timeout"
  | "pin_format"
  | "pin_unknown"
  | "pin_no_screen"
  | "pin_no_pad"
  | "cancelled"
  | "timed_out"
  | "lease_lost"
  | "handler_failed"
  | "agent_failed";

/** The kinds that arise without an answer of the agent, and so need sentences of our own. */
export type OwnKind =
  | "agent_absent"
  | "permission_denied"
  | "permission_prompt"
  | "origin_refused"
  | "version_mismatch"
  | "connection_lost"
  | "closed"
  | "token_unavailable"
  | "device_absent"
  | "device_denied"
  | "device_busy"
  | "cancelled"
  | "timed_out"
  | "lease_lost"
  | "handler_failed"
  | "agent_failed";

const KIND_BY_CODE: Readonly<Record<string, AgentErrorKind>> = {
  "SVC-ABSENT": "service_unavailable",
  "SVC-LOST": "service_unavailable",
  "RDR-GONE": "device_absent",
  "RDR-BUSY": "device_busy",
  "RDR-DENIED": "device_denied",
  "DEV-GONE": "device_absent",
  "DEV-BUSY": "device_busy",
  "DEV-DENIED": "device_denied",
  "DEV-UNSUPPORTED": "device_unsupported",
  "SIG-NO-SCREEN": "device_not_ready",
  "PRN-PAPER-OUT": "device_not_ready",
  "PRN-COVER-OPEN": "device_not_ready",
  "PRN-CUTTER": "device_not_ready",
  "PRN-HOT": "device_not_ready",
  "PRN-OFFLINE": "device_not_ready",
  "DOC-NO-PAPER": "device_not_ready",
  "DOC-JAM": "device_not_ready",
  "DOC-COVER-OPEN": "device_not_ready",
  "PRN-UNKNOWN": "device_outcome_unknown",
  "PRN-DUPLICATE": "content_duplicate",
  "SCN-REPLAYED": "content_duplicate",
  "HND-EXISTS": "content_duplicate",
  "SIG-DECLINED": "person_declined",
  "SIG-TIMEOUT": "person_timeout",
  "SCN-TIMEOUT": "person_timeout",
  "CRD-TIMEOUT": "card_timeout",
  "CRD-REMOVED": "card_removed",
  "CRD-UNKNOWN": "card_unknown",
  "PIN-WRONG": "pin_wrong",
  "PIN-BLOCKED": "pin_blocked",
  "PIN-LAST-TRY": "pin_last_try",
  "PIN-DECLINED": "pin_declined",
  "PIN-TIMEOUT": "pin_timeout",
  "PIN-FORMAT": "pin_format",
  "PIN-UNKNOWN": "pin_unknown",
  "PIN-NO-SCREEN": "pin_no_screen",
  "PIN-NO-PAD": "pin_no_pad",
  "JOB-CANCELLED": "cancelled",
  "JOB-DEADLINE": "timed_out",
  "JOB-ABANDONED": "lease_lost",
  "LSE-LOST": "lease_lost",
  "DOR-ORIGIN": "origin_refused",
  "DOR-TOKEN": "token_invalid",
  "DOR-TOKEN-EXPIRED": "token_invalid",
  "DOR-NONCE": "not_granted",
  "DOR-GRANT": "not_granted",
  "DOR-TOO-MANY": "too_many",
};

/** A newer agent may send a code that this package does not know: its layer still tells the kind. */
const KIND_BY_LAYER: Readonly<Record<string, AgentErrorKind>> = {
  door: "request_refused",
  agent: "agent_failed",
  service: "service_unavailable",
  device: "device_unavailable",
  card: "card_unreadable",
  pin: "pin_unknown",
  content: "content_refused",
  person: "person_stopped",
};

/** What an error carries besides its kind. */
interface Facts {
  readonly code: string;
  readonly message: Bilingual;
  readonly next: Bilingual;
  readonly retry: string;
  readonly requestId?: string | undefined;
  readonly triesLeft?: number | undefined;
  readonly detail?: string | undefined;
}

/** Any failure of the agent, of the way to it, or of a job. */
export class AgentError extends Error {
  /** What went wrong, for the program. */
  readonly kind: AgentErrorKind;
  /** The agent's stable code; `SDK-…` where nothing answered. */
  readonly code: string;
  /** What happened, and what to do next, in Japanese. */
  readonly ja: { readonly message: string; readonly next: string };
  /** What happened, and what to do next, in English. */
  readonly en: { readonly message: string; readonly next: string };
  /** Whether doing the same again can help: `now`, `later` or `never`. */
  readonly retry: string;
  /** Finds the agent's own log of the request or job; absent where nothing answered. */
  readonly requestId: string | undefined;
  /** For faults of a PIN: how many tries the card has left. */
  readonly triesLeft: number | undefined;
  /** For refused input: which part is wrong, in words that repeat none of its content. */
  readonly detail: string | undefined;

  private constructor(kind: AgentErrorKind, facts: Facts, cause?: unknown) {
    super(`${facts.code}: ${facts.message.en}`, cause === undefined ? undefined : { cause });
    this.name = "AgentError";
    this.kind = kind;
    this.code = facts.code;
    this.ja = { message: facts.message.ja, next: facts.next.ja };
    this.en = { message: facts.message.en, next: facts.next.en };
    this.retry = facts.retry;
    this.requestId = facts.requestId;
    this.triesLeft = facts.triesLeft;
    this.detail = facts.detail;
  }

  /** A failure that the agent itself described. */
  static fromAgent(body: ErrorBody): AgentError {
    const kind = KIND_BY_CODE[body.code] ?? KIND_BY_LAYER[body.layer] ?? "agent_failed";
    return new AgentError(kind, body);
  }

  /** A failure that no agent described; the sentences name the device's kind where it is known. */
  static own(kind: OwnKind, cause?: unknown, device?: DeviceClass): AgentError {
    const code = `SDK-${kind.toUpperCase().replaceAll("_", "-")}`;
    return new AgentError(kind, { code, ...ownSentences(kind, device) }, cause);
  }
}

/** Whether an answer's body is the agent's error shape; anything else came from another program. */
export function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const body = value as Partial<ErrorBody>;
  return (
    typeof body.code === "string" &&
    typeof body.layer === "string" &&
    typeof body.message?.ja === "string" &&
    typeof body.next?.ja === "string"
  );
}
