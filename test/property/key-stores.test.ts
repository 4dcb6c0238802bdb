import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import type { KeyStoreInput } from "../../src/domain/ports/pki.ts";
import { pki } from "../../src/pki/pki.ts";
import { encodePkcs12, encodePkcs12TrustStore } from "../../src/pki/stores/pkcs12-stores.ts";
import { KEY_SPECS, type KeyName, makeStoreMaterial, type StoreMaterial, saltsFor } from "../support/fixtures/store-material.ts";

const NAMES = Object.keys(KEY_SPECS) as KeyName[];
/** Few, because the generation of an RSA key takes a tenth of a second. */
const CHAINS_PER_KIND = 6;

let materials: readonly StoreMaterial[];

before(async () => {
  const made = NAMES.flatMap((name) => Array.from({ length: CHAINS_PER_KIND }, (_, count) => makeStoreMaterial(name, count % 4)));
  materials = await Promise.all(made);
});

const material = fc.nat().map((number) => materials[number % materials.length] ?? assert.fail());
const password = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
const input: fc.Arbitrary<KeyStoreInput> = fc
  .record({ material, password })
  .map(({ material, password }) => ({ ...material, password, saltOf: saltsFor({ ...material, password }) }));

/** Returns the certificates, then the keys as PKCS#8, in hex. */
function partsOf(store: Uint8Array, password: string): readonly string[] {
  const decoded = pki.decodePkcs12(store, undefined, password);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.value.map(({ type, der }) => {
    const key = type === "CERTIFICATE" ? undefined : pki.readPrivateKey(der);
    return Buffer.from(key === undefined || key.kind === "other" ? der : key.pkcs8).toString("hex");
  });
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("stores of random keys, chains and passwords", () => {
  test("are read back as what they were made from, and are the same bytes when they are made again", () => {
    fc.assert(
      fc.property(input, fc.constantFrom(encodePkcs12, encodePkcs12TrustStore), (input, encode) => {
        const store = encode(input);
        assert.ok(store.ok, JSON.stringify(store));
        const key = encode === encodePkcs12 ? [input.key] : [];
        assert.deepEqual(partsOf(store.value, input.password), [...input.certificates, ...key].map(hex));
        assert.deepEqual(encode(input), store);
      }),
      { numRuns: 200 },
    );
  });

  test("are made or refused without throwing where bytes of certificates or key were changed", () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }), cut: fc.boolean() });
    const changed = (bytes: Uint8Array, { at, to, cut }: { readonly at: number; readonly to: number; readonly cut: boolean }) => {
      const copy = Uint8Array.from(bytes);
      copy[at % copy.length] = to;
      return cut ? copy.subarray(0, at % copy.length) : copy;
    };
    fc.assert(
      fc.property(input, change, fc.boolean(), (drawn, change, ofKey) => {
        const input = { ...drawn, password: "canary" };
        const odd = ofKey
          ? { ...input, key: changed(input.key, change) }
          : { ...input, certificates: input.certificates.map((der) => changed(der, change)) };
        for (const store of [pki.encodePkcs12(odd), pki.encodeJksTrustStore(odd)]) {
          assert.ok(store.ok || (store.error !== "" && !store.error.includes("canary")));
        }
      }),
      { numRuns: 500 },
    );
  });
});
