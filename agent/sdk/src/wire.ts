/**
 * The wire types by their short names.
 *
 * They are generated from the agent's OpenAPI document; this file only names them, so that a change of
 * the wire shows up as a type error here or where it is used.
 */
import type { components } from "./generated/api.js";

type Schemas = components["schemas"];

export type Hello = Schemas["Hello"];
export type Proof = Schemas["Proof"];
export type ErrorBody = Schemas["ErrorBody"];
export type Bilingual = Schemas["Bilingual"];
export type DeviceList = Schemas["DeviceList"];
export type Device = Schemas["Device"];
export type DeviceState = Schemas["DeviceState"];
export type Lease = Schemas["Lease"];
export type LeaseRequest = Schemas["LeaseRequest"];
export type JobRequest = Schemas["JobRequest"];
export type Job = Schemas["Job"];
export type JobState = Schemas["JobState"];
export type JobAnswer = Schemas["JobAnswer"];
export type JobResult = Schemas["JobResult"];
export type Reading = Extract<JobResult, { kind: "reading" }>;
export type Step = Schemas["Step"];
export type Field = Schemas["Field"];
export type Credential = Schemas["Credential"];
export type CardFacts = Schemas["CardFacts"];
export type Question = Schemas["Question"];
export type Attributes = Schemas["Attributes"];
export type Authenticity = Schemas["Authenticity"];
export type Verdict = Schemas["Verdict"];
export type TextNotice = Schemas["TextNotice"];
export type Nonce = Schemas["Nonce"];
export type PinScreen = Schemas["PinScreen"];
export type PinScreenList = Schemas["PinScreenList"];
export type ClientMessage = Schemas["ClientMessage"];
export type ServerMessage = Schemas["ServerMessage"];
export type AgentEvent = Schemas["Event"];
export type Position = Schemas["Position"];
export type Task = Schemas["Task"];
export type Health = Schemas["Health"];
export type Capabilities = Schemas["Capabilities"];
export type WireScan = Schemas["Scan"];
export type TextRule = Schemas["TextRule"];
export type Gs1Element = Schemas["Gs1Element"];
export type PreApplication = Schemas["PreApplication"];
export type Surface = Schemas["Surface"];
export type Export = Schemas["Export"];
export type Place = Schemas["Place"];
export type SignedSummary = Schemas["SignedSummary"];
export type Calibration = Schemas["Calibration"];
export type ToShow = Schemas["ToShow"];
export type Item = Schemas["Item"];
export type KeptDocument = Schemas["KeptDocument"];
export type DocumentScan = Schemas["DocumentScan"];
export type PageFacts = Schemas["PageFacts"];
export type TicketElement = Schemas["TicketElement"];
export type PrintedTicket = Schemas["PrintedTicket"];
export type UnknownTicket = Schemas["UnknownTicket"];
export type HandedOver = Schemas["HandedOver"];
export type CharacterNotice = Schemas["CharacterNotice"];

/**
 * What the pen did at one moment: microseconds since the capture began, x, y, pressure, tilt x and tilt y
 * in hundredths of a degree, and flags: 1 the tip touches, 2 in range, 4 samples were lost before this one.
 * The generator cannot say that it is a tuple, so it stands here.
 */
export type InkSample = readonly [number, number, number, number, number, number, number];

/** What the citizen did on a page that shows a document; by hand because of its samples. */
export type Act =
  | Exclude<Schemas["Act"], { kind: "ink" }>
  | { readonly kind: "ink"; readonly samples: readonly InkSample[] };

/** The kinds of devices, which travel as mere text. */
export const DEVICE_CLASSES = [
  "cardReader",
  "codeScanner",
  "signatureTablet",
  "ticketPrinter",
  "pagePrinter",
  "documentScanner",
  "keyboard",
  "handover",
] as const;

/** One of them. */
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

/**
 * What a token can permit. The names travel inside tokens, which the agent's routes see as mere text, so
 * no document lists them; a test holds them against the agent's source.
 */
export const SCOPES = [
  "cardReader.see",
  "cardReader.identify",
  "cardReader.readFourAttributes",
  "cardReader.readIndividualNumber",
  "cardReader.pinByApi",
  "cardReader.verificationNumberB",
  "cardReader.lastTry",
  "pinScreen.pair",
  "codeScanner.see",
  "codeScanner.scan",
  "signatureTablet.see",
  "signatureTablet.capture",
  "signatureTablet.calibrate",
  "ticketPrinter.see",
  "ticketPrinter.print",
  "ticketPrinter.settle",
  "pagePrinter.see",
  "pagePrinter.print",
  "documentScanner.see",
  "documentScanner.scan",
  "keyboard.see",
  "keyboard.type",
  "handover.see",
  "handover.write",
] as const;

/** One of them. */
export type Scope = (typeof SCOPES)[number];

/** The API versions that this package speaks. */
export const SPOKEN_VERSIONS: readonly number[] = [1];
