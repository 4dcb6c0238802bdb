import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { Random } from "../simulation/time/random.ts";
import { drawCertificate, forgetCertificates, textOfPem } from "../simulation/world/certificates.ts";

const TEXT = "vault-0/cert-1/17/abc";

describe("the simulation's certificates", () => {
  test("say whose they are, as a whole, as a certificate and as a public key", () => {
    const pem = drawCertificate(new Random(3), TEXT);
    const certificate = new X509Certificate(pem);
    assert.equal(textOfPem(pem), TEXT);
    assert.equal(textOfPem(certificate.toString()), TEXT);
    assert.equal(textOfPem(certificate.publicKey.export({ type: "spki", format: "pem" }).toString()), TEXT);
  });

  test("have keys that follow from what was drawn", () => {
    const [one, same, other] = [3, 3, 4].map((seed) => new X509Certificate(drawCertificate(new Random(seed), TEXT)));
    const keyOf = (certificate: X509Certificate | undefined): string =>
      certificate?.publicKey.export({ type: "spki", format: "pem" }).toString() ?? "";
    assert.equal(keyOf(one), keyOf(same));
    assert.notEqual(keyOf(one), keyOf(other));
  });

  test("say nothing where they are cut, or have the key of another", () => {
    const [one, other] = [3, 4].map((seed) => drawCertificate(new Random(seed), TEXT));
    const [key = "", certificate = ""] = [one?.split("-----BEGIN CERTIFICATE-----")[0], other?.slice(other.indexOf("-----BEGIN CERT"))];
    assert.equal(textOfPem(`${key}${certificate}`), undefined);
    assert.equal(textOfPem(one?.slice(0, 400) ?? ""), undefined);
    assert.equal(textOfPem("plain"), undefined);
    const publicKey = new X509Certificate(one ?? "").publicKey.export({ type: "spki", format: "pem" }).toString();
    assert.equal(textOfPem(publicKey), TEXT);
    forgetCertificates();
    assert.equal(textOfPem(publicKey), undefined);
  });
});
