/** `@madoguchi/agent`: the devices of a municipal counter, through the local agent. */
export type { DocumentSource } from "./bytes.js";
export { AgentClient, DEFAULT_ADDRESS, type AgentOptions } from "./client.js";
export { Handover, LegacyKeyboard, type Values } from "./desk.js";
export { devicesOfClass } from "./devices.js";
export { AgentError, type AgentErrorKind } from "./errors.js";
export type { Connection } from "./events.js";
export {
  DocumentScanner,
  PagePrinter,
  type DocumentScanOptions,
  type PagePrintOptions,
  type ScannedDocument,
} from "./paperwork.js";
export { loopbackPermission, type LoopbackPermission } from "./permission.js";
export { TicketPrinter, type Ticket, type TicketPart } from "./printer.js";
export type { ReadingOptions, Reply } from "./reading.js";
export type { LoopScan, ScanIterator } from "./scan-iterator.js";
export { CodeScanner, type Scan, type ScanCount, type ScanHandler, type ScanOptions } from "./scanner.js";
export { SignatureView, type SignatureViewOptions } from "./signature-view.js";
export {
  SignatureTablet,
  type CalibrationOptions,
  type SigningOptions,
  type SigningOutcome,
  type SigningSurface,
} from "./tablet.js";
export type { TokenRequest, TokenSource } from "./tokens.js";
export type { WorkOptions } from "./working.js";
export type {
  Act,
  Attributes,
  Authenticity,
  Calibration,
  Capabilities,
  CardFacts,
  CharacterNotice,
  Credential,
  Device,
  DeviceClass,
  DeviceList,
  DocumentScan,
  Export,
  Field,
  Gs1Element,
  HandedOver,
  Health,
  InkSample,
  Job,
  PageFacts,
  PinScreen,
  PinScreenList,
  Place,
  PreApplication,
  PrintedTicket,
  Proof,
  Question,
  Reading,
  Scope,
  SignedSummary,
  Step,
  TextNotice,
  TextRule,
  TicketElement,
  ToShow,
  UnknownTicket,
  Verdict,
} from "./wire.js";
