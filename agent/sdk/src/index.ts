/** `@madoguchi/agent`: reads cards at a municipal counter through the local agent. */
export { AgentClient, DEFAULT_ADDRESS, type AgentOptions } from "./client.js";
export { AgentError, type AgentErrorKind } from "./errors.js";
export type { Connection } from "./events.js";
export { loopbackPermission, type LoopbackPermission } from "./permission.js";
export type { ReadingOptions, Reply } from "./reading.js";
export type { TokenRequest, TokenSource } from "./tokens.js";
export type {
  Attributes,
  Authenticity,
  CardFacts,
  Credential,
  Device,
  DeviceList,
  Field,
  Job,
  PinScreen,
  PinScreenList,
  Proof,
  Question,
  Reading,
  Scope,
  Step,
  TextNotice,
  Verdict,
} from "./wire.js";
