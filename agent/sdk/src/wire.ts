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
] as const;

/** One of them. */
export type Scope = (typeof SCOPES)[number];

/** The API versions that this package speaks. */
export const SPOKEN_VERSIONS: readonly number[] = [1];
