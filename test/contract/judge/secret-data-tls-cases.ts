/** Written cases of Secrets of type kubernetes.io/tls. */

import type { KeyName, Material } from "./material.ts";
import { aCase, anObject, aTlsCase, type SecretDataCase } from "./secret-data-case.ts";

const MODERN = "modern-pfx";

function encoding(material: Material, key: KeyName, name: string): string {
  const text = material.keys[key][name];
  if (text === undefined) throw new Error(`no ${name} of ${key}`);
  return text;
}

function file(material: Material, name: string): Buffer {
  const found = material.pfx.get(name);
  if (found === undefined) throw new Error(`no PKCS#12 file ${name}`);
  return found;
}

const EMPTY_BLOCK = "Secret data: tls: EC PARAMETERS or PUBLIC KEY last gives an empty block";
const LAST_BLOCK = "Secret data: tls.key: last non-CERTIFICATE block";
const RE_ENCODED = "Secret data: tls.crt: re-encoded";
const FALLBACK = "Secret data: tls: PKCS#12 fallback with the empty password";
const OTHER_KEY = "Secret data: tls: other key refused";

function keyCases(material: Material): readonly SecretDataCase[] {
  const { certificate } = material.chains.p256.leaf;
  const key = (name: KeyName, type: string) => encoding(material, name, type);
  const rsa = ["rsa", "rsa-1024"] as const;
  const ec = ["p224", "p256", "p384", "p521"] as const;
  const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  return [
    ...rsa.flatMap((name) =>
      ["pkcs1", "pkcs8"].map((type) =>
        aTlsCase(`${name} key in ${type}`, ["Secret data: tls.key: RSA to PKCS#1"], `${key(name, type)}${certificate}`),
      ),
    ),
    ...ec.flatMap((name) =>
      ["sec1", "pkcs8"].map((type) =>
        aTlsCase(`${name} key in ${type}`, ["Secret data: tls.key: EC to SEC1"], `${certificate}${key(name, type)}`),
      ),
    ),
    aTlsCase(
      "ed25519 key",
      ["Secret data: tls: ed25519", "Secret data: tls: error prefix names the file"],
      `${key("ed25519", "pkcs8")}${certificate}`,
    ),
    aTlsCase("x25519 key", ["Secret data: tls: ed25519"], `${key("x25519", "pkcs8")}${certificate}`),
    aTlsCase("key on secp256k1", [EMPTY_BLOCK], `${key("secp256k1", "pkcs8")}${certificate}`),
    aTlsCase("key on secp256k1 in SEC 1", [EMPTY_BLOCK], `${key("secp256k1", "sec1")}${certificate}`),
    aTlsCase("RSA-PSS key", [EMPTY_BLOCK], `${key("rsa-pss", "pkcs8")}${certificate}`),
    aTlsCase("encrypted RSA key", [EMPTY_BLOCK], `${key("rsa", "encrypted")}${certificate}`),
    aTlsCase("encrypted EC key", [EMPTY_BLOCK], `${key("p256", "encrypted")}${certificate}`),
    aTlsCase("EC PARAMETERS before the key", [LAST_BLOCK], `${parameters}${key("p256", "sec1")}${certificate}`),
    aTlsCase("EC PARAMETERS behind the key", [EMPTY_BLOCK, LAST_BLOCK], `${key("p256", "sec1")}${parameters}${certificate}`),
    aTlsCase("PUBLIC KEY behind the key", [EMPTY_BLOCK, LAST_BLOCK], `${key("rsa", "pkcs1")}${key("rsa", "public")}`, {
      keys: ["tls.key"],
    }),
    aTlsCase("two keys", [LAST_BLOCK], `${key("rsa", "pkcs8")}${certificate}${key("p384", "pkcs8")}`),
    aTlsCase("a key under another block type", [LAST_BLOCK], key("p256", "pkcs8").replaceAll("PRIVATE KEY", "ANYTHING"), {
      keys: ["tls.key"],
    }),
    aTlsCase("an empty block last", [EMPTY_BLOCK], `${key("p256", "pkcs8")}-----BEGIN X-----\n-----END X-----\n`, { keys: ["tls.key"] }),
  ];
}

function certificateCases(material: Material): readonly SecretDataCase[] {
  const { leaf, intermediate, root } = material.chains.p256;
  const order = "Secret data: tls.crt: every CERTIFICATE block in file order";
  const both = { keys: ["tls.crt"] };
  const chain = `${leaf.certificate}${intermediate.certificate}${root.certificate}`;
  return [
    aTlsCase("a chain and its key", [order], `${leaf.key}${chain}`),
    aTlsCase("a chain from root to leaf", [order], `${root.certificate}${intermediate.certificate}${leaf.certificate}`, both),
    aTlsCase("a certificate twice", [order], `${leaf.certificate}${leaf.certificate}`, both),
    aTlsCase("a certificate that is none", [order], "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n", both),
    aTlsCase("TRUSTED CERTIFICATE is another type", [order], chain.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), both),
    aTlsCase("CRLF", [RE_ENCODED], chain.replaceAll("\n", "\r\n"), both),
    aTlsCase("lines of another length", [RE_ENCODED], chain.replaceAll(/([A-Za-z0-9+/=]{20})\n?/g, "$1\n"), both),
    aTlsCase("text around", [RE_ENCODED], `subject=CN\n${leaf.certificate}\nissuer=CN\n${root.certificate}end`, both),
    aTlsCase("headers", [RE_ENCODED], leaf.certificate.replace("-----\n", "-----\nb: 2\nProc-Type: 4\na: 1\n\n"), both),
    aTlsCase("spaces at the ends of lines", [RE_ENCODED], leaf.certificate.replaceAll("\n", " \t\n"), both),
    aTlsCase("lines that are indented", [RE_ENCODED], leaf.certificate.replaceAll("\n", "\n  "), both),
    aTlsCase("no line break at the end", [RE_ENCODED], leaf.certificate.trimEnd(), both),
    aTlsCase("no line breaks at all", [RE_ENCODED], leaf.certificate.replaceAll("\n", ""), both),
    aTlsCase("line breaks as backslash and n", [RE_ENCODED], leaf.certificate.replaceAll("\n", "\\n"), both),
    aTlsCase("a broken block before a good one", [RE_ENCODED], `${leaf.certificate.replace("A", "*")}${root.certificate}`, both),
  ];
}

function pkcs12Cases(material: Material): readonly SecretDataCase[] {
  const pfx = (name: string) => file(material, name);
  const readable = ["legacy", "legacy 3DES"].flatMap((setting) =>
    ["p256", "rsa"].flatMap((chain) => ["alone", "chain", "reversed", "gap", "twice"].map((contents) => `${chain} ${contents} ${setting}`)),
  );
  const unusual = ["named", "no key", "no mac", "plain key", "plain certificate"].map((contents) => `p256 ${contents} legacy`);
  const modern = ["p256 chain modern", "rsa chain modern", "p256 alone AES-128, SHA-512"];
  return [
    ...[...readable, ...unusual].map((name) => aTlsCase(`PKCS#12 ${name}`, [FALLBACK], pfx(name))),
    ...modern.map((name) => aTlsCase(`PKCS#12 ${name}`, [FALLBACK], pfx(name), { listed: MODERN })),
    aTlsCase("the key of a PKCS#12 file without one", [FALLBACK], pfx("p256 no key legacy"), { keys: ["tls.key"] }),
    aTlsCase("PKCS#12 cut short", [FALLBACK], pfx("p256 chain legacy").subarray(0, -1)),
    aTlsCase("PKCS#12 with a byte behind", [FALLBACK], Buffer.concat([pfx("p256 chain legacy"), Buffer.from("\n")])),
    aTlsCase(
      "PKCS#12 behind a block of the other kind",
      [FALLBACK],
      Buffer.concat([Buffer.from("-----BEGIN X-----\naGk=\n-----END X-----\n"), pfx("p256 chain legacy")]),
      { keys: ["tls.crt"] },
    ),
    aTlsCase("PKCS#12 as base64 text", ["Secret data: tls: plain pfx text fails"], pfx("p256 chain legacy").toString("base64")),
  ];
}

function refusalCases(material: Material): readonly SecretDataCase[] {
  const { leaf } = material.chains.p256;
  const prefix = "Secret data: tls: error prefix names the file";
  return [
    aTlsCase("tls.key of a certificate", ["Secret data: tls: cert object for tls.key", prefix], leaf.certificate, { keys: ["tls.key"] }),
    aTlsCase("tls.crt of a key", [prefix], leaf.key, { keys: ["tls.crt"] }),
    aTlsCase("tls.crt of text", [prefix], "no certificate", { keys: ["tls.crt"] }),
    aTlsCase("tls.key of text", [prefix], "no key", { keys: ["tls.key"] }),
    aTlsCase("tls.crt of an empty file", [prefix], "", { keys: ["tls.crt"] }),
    aTlsCase("ca.crt", [OTHER_KEY], leaf.certificate, { keys: ["ca.crt"] }),
    aTlsCase("ca.crt behind the other two", [OTHER_KEY], `${leaf.key}${leaf.certificate}`, { keys: ["tls.crt", "tls.key", "ca.crt"] }),
    aTlsCase("TLS.CRT", [OTHER_KEY], leaf.certificate, { keys: ["TLS.CRT"] }),
    aTlsCase("a key with a quote and a line break", [OTHER_KEY], leaf.certificate, { keys: ["a'\nb"] }),
    aTlsCase("a bad key of a file in a folder", [prefix], "", {
      object: anObject({ type: "kubernetes.io/tls", data: [{ objectName: "a/b/web", key: "tls.crt" }] }),
      files: { "a/b/web": "no certificate" },
    }),
    aTlsCase(
      "certificate and key from files of their own",
      ["Secret data: tls.crt: every CERTIFICATE block in file order", LAST_BLOCK],
      "",
      {
        object: anObject({
          type: " kubernetes.io/tls ",
          data: [
            { objectName: "web.crt", key: " tls.crt" },
            { objectName: "web.key", key: "tls.key" },
          ],
        }),
        files: { "web.crt": leaf.certificate, "web.key": leaf.key },
      },
    ),
    aCase("tls: one key only", ["Secret data: tls.key: EC to SEC1"], {
      object: anObject({ type: "kubernetes.io/tls", data: [{ objectName: "web", key: "tls.key" }] }),
      files: { web: leaf.key },
    }),
  ];
}

export function secretDataTlsCases(material: Material): readonly SecretDataCase[] {
  return [...keyCases(material), ...certificateCases(material), ...pkcs12Cases(material), ...refusalCases(material)];
}
