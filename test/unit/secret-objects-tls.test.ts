import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { after, before, describe, test } from "node:test";

import type { ObjectFile } from "../../src/domain/content/object-file.ts";
import { buildSecrets } from "../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { type Issued, OPENSSL_MISSING, Workshop } from "../support/fixtures/openssl.ts";

function aFile(contents: Uint8Array | string): ObjectFile {
  const bytes = typeof contents === "string" ? Buffer.from(contents) : contents;
  const facts = { objectId: "secret/web", version: "v1", updated: undefined, expires: undefined };
  return { path: "web", contents: new Sensitive(bytes), ...facts };
}

function outcomeOf(contents: Uint8Array | string, keys: readonly string[]) {
  const data = keys.map((key) => ({ objectName: "web", key }));
  const [outcome = assert.fail()] = buildSecrets([{ secretName: "web", type: " kubernetes.io/tls ", data }], [aFile(contents)], pki);
  return outcome;
}

function valueOf(contents: Uint8Array | string, key: "tls.crt" | "tls.key"): string {
  const outcome = outcomeOf(contents, [key]);
  assert.equal(outcome.kind, "desired", JSON.stringify(outcome));
  return Buffer.from(outcome.secret.data.get(key)?.reveal() ?? []).toString();
}

function problemOf(contents: Uint8Array | string, key: string) {
  const outcome = outcomeOf(contents, [key]);
  assert.equal(outcome.kind, "refused");
  return outcome.problem;
}

const certificate = (text: string) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString("base64")}\n-----END CERTIFICATE-----\n`;
const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1") =>
  key.export({ format: "pem", type } as { format: "pem"; type: "pkcs8" }).toString();

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;

describe("a Secret of type kubernetes.io/tls", () => {
  test("has both parts of one file, and says what it is made from", () => {
    const outcome = outcomeOf(`${pem(rsa, "pkcs8")}${certificate("leaf")}${certificate("root")}`, ["tls.crt", "tls.key"]);
    assert.equal(outcome.kind, "desired");
    const { data, type, objects, sources } = outcome.secret;
    assert.deepEqual([type, objects, sources.get("tls.key")?.map(({ path }) => path)], ["kubernetes.io/tls", ["secret/web@v1"], ["web"]]);
    assert.deepEqual(
      [...data].map(([key, value]) => [key, Buffer.from(value.reveal()).toString()]),
      [
        ["tls.crt", `${certificate("leaf")}${certificate("root")}`],
        ["tls.key", pem(rsa, "pkcs1")],
      ],
    );
  });

  test("has the certificates in the order of the file, each written anew, and nothing else", () => {
    const untidy = certificate("leaf").replaceAll("\n", "\r\n").replace("\r\n", "\r\n ");
    assert.equal(
      valueOf(`text\n${untidy}${pem(ec, "sec1")}${certificate("root")}`, "tls.crt"),
      `${certificate("leaf")}${certificate("root")}`,
    );
  });

  for (const type of ["pkcs1", "pkcs8"] as const) {
    test(`has an RSA key as PKCS#1, from ${type}`, () => assert.equal(valueOf(pem(rsa, type), "tls.key"), pem(rsa, "pkcs1")));
  }

  for (const type of ["sec1", "pkcs8"] as const) {
    test(`has an EC key as SEC 1, from ${type}`, () => assert.equal(valueOf(pem(ec, type), "tls.key"), pem(ec, "sec1")));
  }

  test("takes the last key of several", () => {
    assert.equal(valueOf(`${pem(rsa, "pkcs8")}${certificate("x")}${pem(ec, "pkcs8")}`, "tls.key"), pem(ec, "sec1"));
  });

  test("has an empty key where the last block is no key, as with the driver", () => {
    const empty = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n";
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    assert.equal(valueOf(`${pem(ec, "sec1")}${parameters}`, "tls.key"), empty);
    assert.equal(valueOf(`${parameters}${pem(ec, "sec1")}`, "tls.key"), pem(ec, "sec1"));
  });

  const notFound = (text: string) => `failed to get cert data from file web, err: ${text}`;
  for (const [contents, key, message] of [
    [certificate("x"), "tls.key", "pkcs12: error reading P12 data: asn1: syntax error: sequence truncated"],
    [pem(rsa, "pkcs8"), "tls.crt", "pkcs12: error reading P12 data: asn1: syntax error: sequence truncated"],
    [certificate("x"), "ca.crt", "key 'ca.crt' is not supported. Only 'tls.key' and 'tls.crt' are supported"],
    [
      pem(generateKeyPairSync("ed25519").privateKey, "pkcs8"),
      "tls.key",
      "unknown private key type found while getting key. Only rsa and ecdsa are supported",
    ],
  ] as const) {
    test(`is refused for ${key}: ${message}`, () => {
      const { message: reported, reason, field, hint } = problemOf(contents, key);
      assert.deepEqual([reported, reason, field], [notFound(message), "InvalidObject", "spec.secretObjects[0].data[0]"]);
      assert.notEqual(hint, "");
    });
  }

  test("is refused where the value is no certificate, without a word of the value", () => {
    assert.doesNotMatch(JSON.stringify(problemOf("canary-canary", "tls.crt")), /canary/);
  });
});

describe("a Secret of type kubernetes.io/tls from a PKCS#12 file", { skip: OPENSSL_MISSING }, () => {
  let workshop: Workshop;
  let root: Issued;
  let leaf: Issued;

  before(() => {
    workshop = new Workshop();
    root = workshop.issue("root", "rsa");
    leaf = workshop.issue("leaf", "P-521", root);
  });
  after(() => workshop.remove());

  for (const setting of ["legacy", "modern"] as const) {
    test(`has both parts, the certificates with the names of the file as headers, ${setting}`, () => {
      const file = workshop.pfx(leaf, [root], setting, ["-name", "web"]);
      assert.equal(valueOf(file, "tls.key"), pem(createPrivateKey(leaf.key), "sec1"));
      const { blocks } = pki.decodePem(Buffer.from(valueOf(file, "tls.crt")));
      const ders = (text: string) => pki.decodePem(Buffer.from(text)).blocks.map(({ der }) => Buffer.from(der).toString("hex"));
      assert.deepEqual(
        blocks.map(({ der }) => Buffer.from(der).toString("hex")),
        ders(`${leaf.certificate}${root.certificate}`),
      );
      // OpenSSL does not read a certificate with headers; the driver writes them all the same.
      assert.deepEqual(
        blocks.map(({ headers }) => [...headers.keys()]),
        [["friendlyName", "localKeyId"], []],
      );
    });
  }

  test("is refused where the mounted file is the base64 text", () => {
    const text = workshop.pfx(leaf, [root], "legacy").toString("base64");
    const { message } = problemOf(text, "tls.crt");
    assert.match(
      message,
      /^failed to get cert data from file web, err: pkcs12: error reading P12 data: asn1: structure error: tags don't match/,
    );
  });
});
