import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuthorityCertificateFacts, type AuthorityFacts, authorityVerdict } from "../../src/domain/certificates/authority-policy.ts";
import { type LeafFacts, leafStep, leafVerdict, type WantedLeaf } from "../../src/domain/certificates/leaf-policy.ts";
import { AUTHORITY_LIFETIME, LEAF_LIFETIME, OVERLAP, SETTLING } from "../../src/domain/certificates/lifetimes.ts";
import { authorityFieldManager } from "../../src/domain/certificates/names.ts";
import { isOverlapLost, NO_PREVIOUS, retire, stillTrusted, trustedAuthorities } from "../../src/domain/certificates/overlap.ts";
import { publicationStep } from "../../src/domain/certificates/publication-policy.ts";
import type { AuthorityCertificate } from "../../src/domain/certificates/verdict.ts";

const DAY = 86_400_000;
const issued = Date.UTC(2026, 0, 1);
const names = ["hook", "hook.system.svc"];

/** A healthy seven-day leaf of CA `A`. A test passes only the differences. */
function aLeaf(changes: Partial<LeafFacts> = {}): LeafFacts {
  return { dnsNames: names, authority: "A", notBefore: issued, notAfter: issued + LEAF_LIFETIME, ...changes };
}

function wanted(changes: Partial<WantedLeaf> = {}): WantedLeaf {
  return { dnsNames: names, authority: "A", now: issued + DAY, ...changes };
}

function aCertificate(fingerprint: string, changes: Partial<AuthorityCertificateFacts> = {}): AuthorityCertificateFacts {
  return {
    pem: `pem of ${fingerprint}`,
    fingerprint,
    canCertify: true,
    notBefore: issued,
    notAfter: issued + AUTHORITY_LIFETIME,
    ...changes,
  };
}

/** A valid CA Secret. */
function anAuthority(changes: Partial<AuthorityFacts> = {}): AuthorityFacts {
  return { certificate: aCertificate("A"), key: { type: "rsa", bits: 3072, isCertified: true }, ...changes };
}

function fingerprints(certificates: readonly AuthorityCertificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint).join(" ");
}

describe("a serving certificate", () => {
  test("is kept through the first two thirds of its life", () => {
    assert.equal(leafVerdict(aLeaf(), wanted({ now: issued + (LEAF_LIFETIME * 2) / 3 - 1 })).kind, "valid");
  });

  test("is renewed from two thirds of its life on", () => {
    const verdict = leafVerdict(aLeaf(), wanted({ now: issued + (LEAF_LIFETIME * 2) / 3 }));

    assert.deepEqual(verdict, { kind: "renew", reason: "NearExpiry", message: "the certificate expires at 2026-01-08T00:00:00Z" });
  });

  const unusable: readonly [string, Partial<LeafFacts>, Partial<WantedLeaf>, string][] = [
    ["was slept through its expiry", {}, { now: issued + LEAF_LIFETIME }, "Expired"],
    ["lies in the future after the clock was set back", {}, { now: issued - 1 }, "NotYetValid"],
    ["lacks a name of the Service", { dnsNames: ["hook"] }, {}, "NameMissing"],
  ];
  for (const [title, leaf, want, reason] of unusable) {
    test(`is replaced when it ${title}`, () => {
      const verdict = leafVerdict(aLeaf(leaf), wanted(want));

      assert.deepEqual([verdict.kind, verdict.kind === "valid" ? "" : verdict.reason], ["replace", reason]);
    });
  }

  test("is issued when there is none", () => {
    assert.equal(leafStep(undefined, wanted(), new Map()).kind, "issue");
  });
});

describe("the switch to a certificate of a new CA", () => {
  const now = issued + DAY;
  const toB = wanted({ authority: "B", now });

  test("waits until the new CA is published", () => {
    assert.equal(leafStep(aLeaf(), toB, new Map([["A", issued]])).kind, "wait");
  });

  test("waits for the rest of the settling time after that", () => {
    const published = new Map([
      ["A", issued],
      ["B", now - 10_000],
    ]);

    assert.deepEqual(leafStep(aLeaf(), toB, published), { kind: "wait", milliseconds: SETTLING - 10_000 });
  });

  test("happens when the new CA has settled", () => {
    const published = new Map([
      ["A", issued],
      ["B", now - SETTLING],
    ]);

    assert.equal(leafStep(aLeaf(), toB, published).kind, "issue");
  });

  test("does not wait for ever when the clock was set back meanwhile", () => {
    const published = new Map([
      ["A", issued],
      ["B", now + DAY],
    ]);

    assert.equal(leafStep(aLeaf(), toB, published).kind, "issue");
  });

  test("does not wait when the old CA is no longer trusted", () => {
    assert.equal(leafStep(aLeaf(), toB, new Map([["B", now]])).kind, "issue");
  });

  test("does not wait when the old certificate has expired", () => {
    assert.equal(leafStep(aLeaf({ notAfter: now }), toB, new Map([["A", issued]])).kind, "issue");
  });
});

describe("the CA Secret", () => {
  test("is left alone when all is well", () => {
    assert.deepEqual(authorityVerdict(anAuthority(), issued), { kind: "valid" });
  });

  const damaged: readonly [string, AuthorityFacts | undefined, string, RegExp][] = [
    ["is absent", undefined, "SecretMissing", /the Secret does not exist/],
    ["is empty", { certificate: "missing", key: "missing" }, "ContentMissing", /neither ca\.crt nor ca\.key/],
    ["holds only the key", anAuthority({ certificate: "missing" }), "CertificateMissing", /ca\.key but no ca\.crt/],
    ["holds only the certificate", anAuthority({ key: "missing" }), "KeyMissing", /ca\.crt but no ca\.key/],
    ["holds no certificate in ca.crt", anAuthority({ certificate: "unparsable" }), "CertificateUnparsable", /ca\.crt/],
    ["holds no key in ca.key", anAuthority({ key: "unparsable" }), "KeyUnparsable", /ca\.key/],
    ["holds a serving certificate", anAuthority({ certificate: aCertificate("L", { canCertify: false }) }), "NotAnAuthority", /ca\.crt/],
    ["holds an elliptic-curve key", anAuthority({ key: { type: "ec", bits: undefined, isCertified: true } }), "KeyUnsupported", /RSA/],
    ["holds a short key", anAuthority({ key: { type: "rsa", bits: 1024, isCertified: true } }), "KeyUnsupported", /2048/],
    ["holds somebody else's key", anAuthority({ key: { type: "rsa", bits: 2048, isCertified: false } }), "KeyMismatch", /ca\.key/],
    ["lies in the future", anAuthority({ certificate: aCertificate("F", { notBefore: issued + 1 }) }), "NotYetValid", /2026-01-01/],
    ["has expired", anAuthority({ certificate: aCertificate("E", { notAfter: issued }) }), "Expired", /expired at 2026-01-01T00:00:00Z/],
    ["has an unreadable end", anAuthority({ certificate: aCertificate("N", { notAfter: Number.NaN }) }), "Expired", /unreadable/],
  ];
  for (const [title, facts, reason, message] of damaged) {
    test(`is replaced, naming key and fault, when it ${title}`, () => {
      const verdict = authorityVerdict(facts, issued);

      assert.equal(verdict.kind, "replace");
      assert.equal(verdict.reason, reason);
      assert.match(verdict.message, message);
    });
  }

  test("is renewed, not replaced, from two thirds of its CA's life on", () => {
    const at = issued + (AUTHORITY_LIFETIME * 2) / 3;

    assert.equal(authorityVerdict(anAuthority(), at - DAY).kind, "valid");
    assert.equal(authorityVerdict(anAuthority(), Math.ceil(at)).kind, "renew");
  });

  test("is written under a field manager that tells replicas apart within 128 bytes", () => {
    const long = "x".repeat(240);

    assert.notEqual(authorityFieldManager(`${long}-abcde`), authorityFieldManager(`${long}-fghij`));
    assert.ok(authorityFieldManager(`${long}-abcde`).length <= 128);
    assert.equal(
      authorityFieldManager("keyvault-injector-webhook-7d9f-abcde"),
      "keyvault-injector-webhook-keyvault-injector-webhook-7d9f-abcde",
    );
  });
});

describe("a retired CA", () => {
  const now = issued + 10 * DAY;

  test("stays trusted next to the new one for longer than any of its leaves lives", () => {
    const previous = retire([aCertificate("A")], aCertificate("B"), now);

    assert.equal(fingerprints(trustedAuthorities(aCertificate("B"), previous, now + LEAF_LIFETIME)), "B A");
    assert.equal(fingerprints(trustedAuthorities(aCertificate("B"), previous, now + OVERLAP)), "B");
  });

  test("is dropped when it expires", () => {
    const previous = retire([aCertificate("A", { notAfter: now + DAY })], aCertificate("B"), now);

    assert.equal(fingerprints(stillTrusted(previous, now)), "A");
    assert.equal(fingerprints(stillTrusted(previous, now + DAY)), "");
  });

  test("stays until it expires where nobody says until when", () => {
    const previous = { certificates: [aCertificate("A")], until: undefined };

    assert.equal(fingerprints(stillTrusted(previous, now + 100 * DAY)), "A");
  });

  test("is kept once, never as its own successor, and not in unbounded company", () => {
    const candidates = ["B", "A", "A", "C", "D", "E"].map((name) => aCertificate(name));

    assert.equal(fingerprints(retire(candidates, aCertificate("B"), now).certificates), "A C D");
    assert.deepEqual(retire([aCertificate("B")], aCertificate("B"), now), NO_PREVIOUS);
  });

  test("is missed where a replica still serves its certificates", () => {
    assert.equal(isOverlapLost(aCertificate("A"), [aCertificate("B")], now), true);
    assert.equal(isOverlapLost(aCertificate("A"), [aCertificate("B"), aCertificate("A")], now), false);
    assert.equal(isOverlapLost(aCertificate("A", { notAfter: now }), [aCertificate("B")], now), false);
    assert.equal(isOverlapLost(undefined, [aCertificate("B")], now), false);
  });
});

describe("the published bundle", () => {
  const entry = (caBundle?: string) => ({ name: "pods.keyvault-injector.dev", caBundle });

  test("is left alone when it is as wanted", () => {
    assert.equal(publicationStep([entry("d2FudGVk")], "d2FudGVk").kind, "current");
  });

  test("is written when it is missing, wiped or another", () => {
    const steps = [entry(), entry(""), entry("b3RoZXI=")].map((live) => publicationStep([live], "d2FudGVk"));

    assert.deepEqual(
      steps.map((step) => (step.kind === "publish" ? step.reason : step.kind)),
      ["BundleMissing", "BundleMissing", "BundleDiffers"],
    );
  });

  test("is not written into a configuration or an entry that does not exist", () => {
    const steps = [
      publicationStep(undefined, "d2FudGVk"),
      publicationStep([{ name: "other.example.com", caBundle: undefined }], "d2FudGVk"),
    ];

    assert.deepEqual(
      steps.map((step) => (step.kind === "blocked" ? step.reason : step.kind)),
      ["ConfigurationMissing", "EntryMissing"],
    );
  });
});
