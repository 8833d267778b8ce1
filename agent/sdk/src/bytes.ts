/** Bytes as they travel: base64 in messages, documents under their media type. */

/** The bytes of a base64 text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) {
    bytes[index] = binary.charCodeAt(index);
  }
  return bytes;
}

/** A document as a page has it. Plain bytes must begin as a PDF or a PNG does. */
export type DocumentSource = Blob | Uint8Array<ArrayBuffer>;

/** The document under its media type; a type that cannot be told is the agent's to refuse. */
export function asDocument(source: DocumentSource): Blob {
  return source instanceof Blob ? source : new Blob([source], { type: mediaType(source) });
}

/** PDF: ISO 32000-1, 7.5.2. PNG: W3C PNG, 5.2. */
function mediaType(bytes: Uint8Array): string {
  const begins = (...start: number[]) => start.every((byte, index) => bytes[index] === byte);
  if (begins(0x25, 0x50, 0x44, 0x46, 0x2d)) {
    return "application/pdf";
  }
  return begins(0x89, 0x50, 0x4e, 0x47) ? "image/png" : "application/octet-stream";
}
