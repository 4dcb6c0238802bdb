import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pemOfPkcs12 } from "../../src/domain/content/certificate-pem.ts";
import { pki } from "../../src/pki/pki.ts";
import { type Outcome, rowAllows } from "../contract/judge/listed-rows.ts";
import { type OddCertificate, oddCertificates, oddKeys } from "../support/fixtures/odd-certificates.ts";
import { OPENSSL_MISSING, Workshop } from "../support/fixtures/openssl.ts";

function outcomeOf({ pfx }: OddCertificate): Outcome {
  const pem = pemOfPkcs12(Buffer.from(pfx.toString("base64")), { pki, constructPemChain: true });
  return pem.ok ? { kind: "done", parts: {} } : { kind: "refused", message: pem.error.message };
}

describe("a PKCS#12 file that Go refuses", { skip: OPENSSL_MISSING }, () => {
  let workshop: Workshop;
  before(() => {
    workshop = new Workshop();
  });
  after(() => workshop.remove());

  const allowed = (row: string, odd: OddCertificate): boolean => rowAllows(row, outcomeOf(odd), { kind: "refused", message: odd.words });

  test("SW-3: is read if only its certificates or its exponent are odd, as the page of differences says", () => {
    const files = oddCertificates(workshop);
    assert.deepEqual(
      files.filter((odd) => outcomeOf(odd).kind !== "done" || !allowed("modern-pfx", odd)).map(({ name }) => name),
      [],
    );
  });

  test("SW-3: is refused in other words if its key is of a kind that Go does not know, as the page of differences says", () => {
    const files = oddKeys(workshop);
    assert.deepEqual(
      files.filter((odd) => outcomeOf(odd).kind !== "refused" || !allowed("hex-error", odd)).map(({ name }) => name),
      [],
    );
  });
});
