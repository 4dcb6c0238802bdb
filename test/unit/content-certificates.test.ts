import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";

import { orderChain } from "../../src/domain/content/pem-chain.ts";
import { type RenderOptions, renderCertificate, renderKey, renderSecret } from "../../src/domain/content/render.ts";
import type { ObjectVersion } from "../../src/domain/content/version-history.ts";
import type { CertificateKeyIds } from "../../src/domain/ports/pki.ts";
import type { VaultSecret } from "../../src/domain/ports/vault-object.ts";
import { ok } from "../../src/domain/result.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { type Issued, OPENSSL_MISSING, Workshop } from "../support/fixtures/openssl.ts";

const OPTIONS: RenderOptions = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };
const PEM = "application/x-pem-file";
const PKCS12 = "application/x-pkcs12";
const VERSION = "52e13000000000000000000000000000";

function anObject(changes: Partial<ObjectVersion> = {}): ObjectVersion {
  const plain = { version: undefined, history: 0, index: undefined, format: "pem", encoding: "utf-8", filePermission: "" } as const;
  return { type: "secret", name: "web", path: "web", ...plain, ...changes };
}

const facts = { version: VERSION, updated: 1, expires: 2, notBefore: undefined };

function certificateSecret(value: string, contentType: string | undefined): VaultSecret {
  return { ...facts, value: Sensitive.ofText(value), contentType, keyId: "https://v.vault.azure.net/keys/web/1" };
}

/** File names and contents, in the order in which the code writes them. */
function filesOf(object: ObjectVersion, secret: VaultSecret, options = OPTIONS): readonly (readonly [string, string])[] {
  const rendered = renderSecret(object, secret, options);
  assert.ok(rendered.ok, JSON.stringify(rendered));
  return rendered.value.map(({ path, contents }) => [path, Buffer.from(contents.reveal()).toString("latin1")]);
}

function textOf(object: ObjectVersion, secret: VaultSecret, options = OPTIONS): string {
  const [[, text] = assert.fail(), ...more] = filesOf(object, secret, options);
  assert.deepEqual(more, []);
  return text;
}

function messageOf(object: ObjectVersion, secret: VaultSecret): string {
  const rendered = renderSecret(object, secret, OPTIONS);
  assert.ok(!rendered.ok);
  assert.equal(rendered.error.reason, "InvalidObject");
  assert.doesNotMatch(inspect(rendered, { depth: 9, showHidden: true }), /canary/);
  return rendered.error.message;
}

const failed = "failed to get objectType:secret, objectName:web, objectVersion:: ";

describe("the file of a certificate's secret", { skip: OPENSSL_MISSING }, () => {
  let workshop: Workshop;
  let root: Issued;
  let middle: Issued;
  let leaf: Issued;
  const pkcs8 = ({ key }: Issued) => workshop.run(["pkcs8", "-topk8", "-nocrypt"], key).toString();
  const pfx = (others: readonly Issued[], setting: "legacy" | "modern" = "legacy") =>
    certificateSecret(workshop.pfx(leaf, others, setting, ["-name", "web"]).toString("base64"), PKCS12);

  before(() => {
    workshop = new Workshop();
    root = workshop.issue("root", "P-256");
    middle = workshop.issue("middle", "P-256", root);
    leaf = workshop.issue("leaf", "rsa", middle);
  });
  after(() => workshop.remove());

  for (const setting of ["legacy", "modern"] as const) {
    test(`has the key as PKCS#8, then the chain from the leaf to the root: ${setting}`, () => {
      const text = [pkcs8(leaf), leaf.certificate, middle.certificate, root.certificate].join("");
      assert.equal(textOf(anObject(), pfx([root, middle], setting)), text);
    });
  }

  test("keeps the order of the vault where that is asked for, or where the chain has a gap", () => {
    const asStored = [pkcs8(leaf), leaf.certificate, root.certificate, middle.certificate].join("");
    assert.equal(textOf(anObject(), pfx([root, middle]), { ...OPTIONS, constructPemChain: false }), asStored);
    const withGap = [pkcs8(leaf), leaf.certificate, root.certificate].join("");
    assert.equal(textOf(anObject(), pfx([root])), withGap);
  });

  test("that was stored as PEM is untouched", () => {
    const text = `${root.certificate}\r\n ${leaf.key}${leaf.certificate}`;
    assert.equal(textOf(anObject(), certificateSecret(text, PEM)), text);
    assert.equal(textOf(anObject({ format: "pfx" }), certificateSecret(text, PEM)), text);
  });

  test("is the base64 text with objectFormat: pfx, and the file itself with objectEncoding: base64", () => {
    const file = workshop.pfx(leaf, [], "legacy");
    const secret = certificateSecret(file.toString("base64"), PKCS12);
    assert.equal(textOf(anObject({ format: "pfx" }), secret), file.toString("base64"));
    assert.equal(textOf(anObject({ format: "pfx", encoding: "base64" }), secret), file.toString("latin1"));
  });

  test("comes with .crt and .key before it where they are asked for", () => {
    const separate = { ...OPTIONS, writeCertAndKeyInSeparateFiles: true };
    const [certificates, key] = [`${leaf.certificate}${middle.certificate}${root.certificate}`, pkcs8(leaf)];
    assert.deepEqual(filesOf(anObject({ path: "tls/web" }), pfx([root, middle]), separate), [
      ["tls/web.crt", certificates],
      ["tls/web.key", key],
      ["tls/web", `${key}${certificates}`],
    ]);
    const stored = certificateSecret(`${leaf.certificate}text\n${key}`, PEM);
    assert.deepEqual(
      filesOf(anObject(), stored, separate).map(([, text]) => text),
      [leaf.certificate, key, `${leaf.certificate}text\n${key}`],
    );
  });

  test("has two empty files beside it with objectFormat: pfx", () => {
    const file = workshop.pfx(leaf, [], "legacy").toString("base64");
    const separate = { ...OPTIONS, writeCertAndKeyInSeparateFiles: true };
    assert.deepEqual(filesOf(anObject({ format: "pfx" }), certificateSecret(file, PKCS12), separate), [
      ["web.crt", ""],
      ["web.key", ""],
      ["web", file],
    ]);
  });

  test("carries the object's id, version and times in all of its files", () => {
    const rendered = renderSecret(anObject(), pfx([]), { ...OPTIONS, writeCertAndKeyInSeparateFiles: true });
    assert.ok(rendered.ok);
    for (const { path: _, contents: __, ...rest } of rendered.value) {
      assert.deepEqual(rest, { objectId: "secret/web", version: VERSION, updated: 1, expires: 2, notBefore: undefined });
    }
  });

  test("is refused without a leaf, in the provider's words", () => {
    const twice = workshop.pfx(root, [root], "legacy").toString("base64");
    assert.equal(messageOf(anObject(), certificateSecret(twice, PKCS12)), `${failed}no leaf found`);
  });

  test("is refused where the file has a password", () => {
    const file = workshop.pfx(leaf, [], "legacy", ["-passout", "pass:canary"]).toString("base64");
    assert.equal(messageOf(anObject(), certificateSecret(file, PKCS12)), `${failed}pkcs12: decryption password incorrect`);
  });
});

describe("a certificate's secret", () => {
  for (const [value, contentType, message] of [
    ["canary!", PKCS12, `${failed}illegal base64 data at input byte 6`],
    ["", PKCS12, `${failed}pkcs12: error reading P12 data: asn1: syntax error: sequence truncated`],
    ["canary", "text/plain", `${failed}failed to get certificate. unknown content type 'text/plain'`],
    ["canary", undefined, `${failed}failed to get certificate. unknown content type ''`],
  ] as const) {
    test(`is refused: ${message.slice(failed.length)}`, () => {
      assert.equal(messageOf(anObject(), certificateSecret(value, contentType)), message);
    });
  }
});

describe("a chain", () => {
  /** Orders certificates that consist only of their ids: `subject<authority`. */
  function order(...links: readonly string[]): string {
    const ids = (der: Uint8Array): CertificateKeyIds => {
      const [subject, authority] = Buffer.from(der).toString().split("<");
      return { subject: subject || undefined, authority: authority || undefined };
    };
    const ordered = orderChain(
      links.map((link) => Buffer.from(link)),
      { ...pki, readCertificate: (der) => ok(ids(der)) },
    );
    return ordered.ok ? ordered.value.map((der) => Buffer.from(der).toString()).join(" ") : ordered.error;
  }

  for (const [links, expected] of [
    [["root<root", "middle<root", "leaf<middle"], "leaf<middle middle<root root<root"],
    [["root<root"], "root<root"],
    [["root<", "leaf<root"], "leaf<root root<"],
    [["a<", "b<"], "a< b<"],
    [["<middle", "middle<root", "root<root"], "<middle middle<root root<root"],
    [["root<root", "a<root", "b<root"], "root<root a<root b<root"],
    [["a<b", "b<a"], "no leaf found"],
    [["a<a", "a<a"], "no leaf found"],
    [["leaf<a", "a<b", "b<a"], "constructing chain resulted in cycle"],
    [[], "no leaf found"],
  ] as const) {
    test(`of ${links.join(" ") || "nothing"} is ${expected}`, () => assert.equal(order(...links), expected));
  }

  test("with something that is no certificate is refused", () => {
    assert.deepEqual(orderChain([Buffer.from("x")], pki), { ok: false, error: "x509: malformed certificate" });
  });
});

describe("the file of a key or a certificate", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const key = { ...facts, jwk: { kty: "RSA", n: Buffer.from(n, "base64url"), e: Buffer.from(e, "base64url") } };

  test("is the public key as PEM", () => {
    const rendered = renderKey(anObject({ type: "key" }), key, OPTIONS);
    assert.ok(rendered.ok);
    const [{ contents, ...rest } = assert.fail()] = rendered.value;
    assert.equal(Buffer.from(contents.reveal()).toString(), publicKey.export({ format: "pem", type: "spki" }));
    assert.deepEqual(rest, { path: "web", objectId: "key/web", version: VERSION, updated: 1, expires: 2, notBefore: undefined });
  });

  test("is refused for a key of another kind, naming the object", () => {
    const rendered = renderKey(anObject({ type: "key", version: "1" }), { ...facts, jwk: { kty: "oct" } }, OPTIONS);
    const message =
      "failed to get objectType:key, objectName:web, objectVersion:1: failed to get key. key type 'oct' currently not supported";
    assert.equal(rendered.ok ? "" : rendered.error.message, message);
  });

  test("is the certificate alone as PEM", () => {
    const [{ contents, objectId } = assert.fail()] = renderCertificate(
      anObject({ type: "cert" }),
      { ...facts, der: Buffer.from("hi") },
      OPTIONS,
    );
    assert.equal(Buffer.from(contents.reveal()).toString(), "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n");
    assert.equal(objectId, "cert/web");
  });
});
