import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";

import { partFor, tlsParts } from "../../src/domain/secret-objects/tls.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { writeDer } from "../../src/pki/der.ts";
import { decodePem, encodePem } from "../../src/pki/pem.ts";
import { decodePkcs12 } from "../../src/pki/pkcs12.ts";
import { pki } from "../../src/pki/pki.ts";
import { readPrivateKey } from "../../src/pki/private-key.ts";
import { encodePublicKey } from "../../src/pki/public-key.ts";
import { integer, objectId } from "../../tools/key-vault-emulator/pki/der.ts";

const MEBIBYTE = 1_048_576;
/** Not a measure of speed: much longer than the slowest case takes, and much shorter than quadratic work would take. */
const BOUND_MS = 20_000;

/** Text that mostly resembles PEM. */
const pemLike = fc
  .array(
    fc.constantFrom(
      "-----BEGIN ",
      "-----END ",
      "-----",
      "A",
      "CERTIFICATE",
      "RSA PRIVATE KEY",
      "\n",
      "\r\n",
      " ",
      "\t",
      ":",
      "=",
      "aGk=",
      "a: b\n",
      "-----BEGIN A-----\n",
      "\n-----END A-----\n",
      "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n",
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.join("")));

/** DER whose outer structure is correct: valid tags and lengths around any bytes. */
const derLike: fc.Arbitrary<Uint8Array> = fc.letrec<{ value: Uint8Array }>((tie) => {
  const tags = fc.constantFrom(0x02, 0x03, 0x04, 0x05, 0x06, 0x1e, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xa3);
  const small = fc.constantFrom(integer(0), integer(1), integer(3));
  const oids = ["1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6", "1.3.14.3.2.26", "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "2.5.29.14"];
  const leaf = fc.oneof(fc.uint8Array({ maxLength: 20 }), small, fc.constantFrom(...oids).map(objectId));
  return {
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.tuple(tags, fc.array(tie("value"), { maxLength: 4 })).map(([tag, parts]) => writeDer(tag, ...parts)),
    ),
  };
}).value;

describe("PEM", () => {
  test("is read without throwing, whatever it is, and what is read reads the same again", () => {
    fc.assert(
      fc.property(fc.oneof(pemLike, fc.uint8Array({ maxLength: 300 })), (text) => {
        const { blocks, rest } = decodePem(text);
        assert.ok(Buffer.from(text).toString("hex").endsWith(Buffer.from(rest).toString("hex")));
        // After trimming, a header can look like the line that ends a block. Go writes such a header the same way.
        const isAmbiguous = blocks.some(({ headers }) => [...headers.keys()].some((name) => name.startsWith("-----")));
        if (isAmbiguous) return;
        const again = decodePem(Buffer.concat(blocks.map(encodePem)));
        // A header cannot contain a line break in its name or value, because the parser splits the text at line breaks.
        assert.deepEqual(again.blocks.map(plain), blocks.map(plain));
      }),
      { numRuns: 2_000 },
    );
  });

  test("that was written is read as it was", () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z ]{0,10}[A-Za-z]$/);
    const block = fc.record({
      type: word,
      headers: fc.dictionary(word, word).map((all) => new Map(Object.entries(all))),
      der: fc.uint8Array(),
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        assert.deepEqual(decodePem(Buffer.concat(blocks.map(encodePem))).blocks.map(plain), blocks.map(plain));
      }),
    );
  });
});

function plain({ type, headers, der }: ReturnType<typeof decodePem>["blocks"][number]) {
  return { type, headers: Object.fromEntries(headers), der: Buffer.from(der).toString("hex") };
}

describe("DER", () => {
  test("is read as file, key or certificate without throwing, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(derLike, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        for (const password of [undefined, "canary"]) {
          const file = decodePkcs12(bytes, undefined, password);
          assert.ok(file.ok || file.error.message !== "");
        }
        const store = { certificates: [bytes], key: bytes, password: "canary", saltOf: () => bytes };
        for (const written of [pki.encodePkcs12(store), pki.encodePkcs12TrustStore(store), pki.encodeJksTrustStore(store)]) {
          assert.ok(!written.ok && written.error !== "");
        }
        readPrivateKey(bytes);
        const certificate = readCertificate(bytes);
        assert.ok(certificate.ok || certificate.error !== "");
        for (const key of ["tls.crt", "tls.key", "ca.crt"]) partFor(key, () => tlsParts(bytes, { pki }));
      }),
      { numRuns: 3_000 },
    );
  });

  test("of a public key is made without throwing, whatever the numbers are", () => {
    const number = fc.option(fc.uint8Array({ maxLength: 80 }), { nil: undefined });
    const kty = fc.constantFrom("RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "");
    const crv = fc.option(fc.constantFrom("P-256", "P-384", "P-521", "P-256K", ""), { nil: undefined });
    fc.assert(
      fc.property(fc.record({ kty, crv, n: number, e: number, x: number, y: number }), (jwk) => {
        const encoded = encodePublicKey(jwk);
        assert.ok(encoded.ok || encoded.error !== "");
      }),
    );
  });
});

describe("an input of 1 MiB", { timeout: BOUND_MS }, () => {
  const filled = (text: string) => Buffer.from(text.repeat(Math.ceil(MEBIBYTE / text.length)).slice(0, MEBIBYTE), "latin1");
  /** Returns as many nested sequences as fit. */
  function nested(): Buffer {
    const headers: Buffer[] = [];
    for (let length = 0; length < MEBIBYTE - 8; ) {
      const digits =
        length < 0x80
          ? [length]
          : length < 0x1_00_00
            ? [0x82, length >> 8, length & 0xff]
            : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
      if (length >= 0x80 && length < 0x1_00) digits.splice(0, 3, 0x81, length);
      headers.push(Buffer.from([0x30, ...digits]));
      length += digits.length + 1;
    }
    return Buffer.concat(headers.toReversed());
  }
  const inputs = {
    "of BEGIN lines": filled("-----BEGIN A-----\n"),
    "of END lines": filled("\n-----END A-----"),
    "of blocks that do not fit": filled("-----BEGIN A-----\nb: c\n\naGk=\n-----END B-----\n"),
    "of blocks without content": filled("-----BEGIN A-----\n-----END A-----\n"),
    "of headers": filled("-----BEGIN A-----\nb: c\n"),
    "of one block": encodePem({ type: "CERTIFICATE", headers: new Map(), der: Buffer.alloc(MEBIBYTE, 1) }),
    "of line breaks": filled("\n"),
    "of zeros": filled("\0"),
    "of sequences in a row": filled("0\0"),
    "of sequences in each other": nested(),
    "of base64": filled("MIIK"),
  };
  for (const [what, input] of Object.entries(inputs)) {
    test(`${what} is read in bounded time`, () => {
      decodePem(input);
      decodePkcs12(input);
      decodePkcs12(input, undefined, "canary");
      pki.encodePkcs12({ certificates: [input], key: input, password: "canary", saltOf: () => input });
      pki.encodeJksTrustStore({ certificates: [input], password: "canary" });
      readPrivateKey(input);
      readCertificate(input);
      partFor("tls.crt", () => tlsParts(input, { pki }));
      partFor("tls.key", () => tlsParts(input, { pki }));
    });
  }
});
