// Verifies the envelopes that the tests of `telemetry` left, with an implementation of COSE that shares no
// code with ours: each in `valid` must pass, each in `invalid` must not.
import { readFile, readdir } from "node:fs/promises";
import { createHash } from "node:crypto";
import { importJWK } from "jose";
import { Sign1 } from "@auth0/cose";

const folder = new URL("../../../target/tmp/telemetry/", import.meta.url);

/** Whether the envelope was signed by the key, for the topic. */
async function genuine({ topic, publicKey, envelope }) {
  const bytes = Buffer.from(envelope, "hex");
  // The library reads the form without a tag only (RFC 9052, section 2).
  if (bytes[0] !== 0xd2) return false;
  try {
    const message = Sign1.decode(bytes.subarray(1));
    const raw = Buffer.from(publicKey, "hex");
    const kid = createHash("sha256").update(raw).digest().subarray(0, 8);
    if (Buffer.compare(Buffer.from(message.protectedHeaders.get(4)), kid) !== 0) return false;
    const key = await importJWK({ kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, "EdDSA");
    await message.verify(key, { externalAAD: Buffer.from(topic) });
    return true;
  } catch {
    return false;
  }
}

let judged = 0;
for (const [kind, expected] of [["valid", true], ["invalid", false]]) {
  for (const name of await readdir(new URL(`${kind}/`, folder))) {
    const text = await readFile(new URL(`${kind}/${name}`, folder), "utf8");
    if ((await genuine(JSON.parse(text))) !== expected) {
      console.error(`${kind}/${name}: the other program says otherwise`);
      process.exitCode = 1;
    }
    judged += 1;
  }
}
if (judged === 0) {
  console.error("nothing to judge; run first: cargo test -p telemetry");
  process.exitCode = 1;
}
console.log(`${judged} envelopes judged`);
