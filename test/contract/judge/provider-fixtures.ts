/** Contents of the vault for the written cases. */
import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import type { Material } from "./material.ts";

const PEM = "application/x-pem-file";
const PKCS12 = "application/x-pkcs12";

/** Values of plain secrets. */
const TEXTS: Readonly<Record<string, string>> = {
  secret1: "test",
  empty: "",
  newline: "ends with a line\n",
  unicode: "zażółć 🙂 \u0000 \r\n\t",
  long: "0123456789abcdef".repeat(1_600),
  pem: "-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n",
  base64: "aGVsbG8gd29ybGQ=",
  "base64-lines": "aGVs\r\nbG8g\nd29ybGQ=\n",
  "base64-url": "-_-_",
  "base64-unpadded": "aGVsbG8",
  "base64-padding-early": "aGVs=G8=",
  "base64-padding-three": "a===",
  "base64-padding-more": "aGVsbG8==",
  "base64-blank": "aGVs bG8=",
  "base64-garbage": "abcd!efg",
  "base64-unicode": "aGVé",
  "base64-tail": "aGVsbG8=x",
  "base64-bits": "aGVsbG9=",
  hex: "68656c6C6F",
  "hex-odd": "68656",
  "hex-garbage": "68zz",
  "hex-garbage-odd": "6z1",
  "hex-blank": "68 65",
  "hex-newline": "6865\n",
  "hex-unicode": "68é5",
  "hex-tab": "\t68",
};

/** Secrets that look like those of certificates, but that no import would accept. */
function oddCertificates({ chains, pfx }: Material): Readonly<Record<string, { readonly value: string; readonly contentType?: string }>> {
  const { leaf, intermediate, root } = chains.p256;
  const pem = [root.certificate, leaf.key, leaf.certificate, "words between\n", intermediate.certificate].join("");
  const files = [...pfx].map(([name, bytes]) => [
    `pfx-${name.replaceAll(/[^a-z0-9]+/gi, "-")}`,
    { value: bytes.toString("base64"), contentType: PKCS12 },
  ]);
  return {
    ...Object.fromEntries(files),
    "odd-pem": { value: pem, contentType: PEM },
    "odd-pem-headers": {
      value: `Bag Attributes\n    friendlyName: x\n${leaf.certificate}Key Attributes: <No Attributes>\n${leaf.key}`,
      contentType: PEM,
    },
    "odd-pem-text": { value: "no pem at all", contentType: PEM },
    "odd-pem-crlf": { value: `${leaf.certificate}${leaf.key}`.replaceAll("\n", "\r\n"), contentType: PEM },
    "odd-type": { value: pem, contentType: "text/plain" },
    "odd-type-empty": { value: pem, contentType: "" },
    "odd-type-case": { value: pem, contentType: "application/X-PEM-file" },
    "odd-pfx-text": { value: "not base64!", contentType: PKCS12 },
    "odd-pfx-empty": { value: "", contentType: PKCS12 },
    "odd-pfx-garbage": { value: Buffer.from("garbage").toString("base64"), contentType: PKCS12 },
    "odd-pfx-zeros": { value: Buffer.alloc(64).toString("base64"), contentType: PKCS12 },
    "odd-pfx-pem": { value: pem, contentType: PKCS12 },
    "odd-pfx-cut": { value: (pfx.get("p256 chain legacy") ?? Buffer.alloc(0)).subarray(0, 500).toString("base64"), contentType: PKCS12 },
    "odd-pfx-tail": {
      value: Buffer.concat([pfx.get("p256 chain legacy") ?? Buffer.alloc(0), Buffer.from([0])]).toString("base64"),
      contentType: PKCS12,
    },
    "odd-pfx-mac": { value: withLastByteChanged(pfx.get("p256 chain legacy")), contentType: PKCS12 },
    "odd-no-type": { value: pem },
  };
}

/** Changes the file so that its checksum does not match, as with another password. */
function withLastByteChanged(file: Buffer = Buffer.alloc(0)): string {
  const changed = Buffer.from(file);
  const at = changed.length - 20;
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed.toString("base64");
}

async function seedSecrets(emulator: SpawnedEmulator, vault: string): Promise<void> {
  for (const [name, value] of Object.entries(TEXTS)) await emulator.setSecret({ vault, name, value });
  for (let number = 0; number < 10; number += 1) await emulator.setSecret({ vault, name: "history", value: `value ${number}` });
  for (let number = 0; number < 3; number += 1) await emulator.setSecret({ vault, name: "short", value: `value ${number}` });
  for (const name of ["disabled", "expired", "future"]) {
    await emulator.setSecret({ vault, name, value: "old" });
    await emulator.setSecret({ vault, name, value: "new" });
  }
  await emulator.disableSecret({ vault, name: "disabled" });
  const now = Math.floor(Date.now() / 1_000);
  await emulator.setAttributes({ vault, name: "expired", expires: now - 60 });
  await emulator.setAttributes({ vault, name: "future", notBefore: now + 3_600 });
  await emulator.setSecret({ vault, name: "all-disabled", value: "x" });
  await emulator.disableSecret({ vault, name: "all-disabled" });
  for (let number = 0; number < 4; number += 1) await emulator.setSecret({ vault, name: "gaps", value: `value ${number}` });
  const versions = await emulator.secretVersions({ vault, name: "gaps" });
  await emulator.disableSecret({ vault, name: "gaps", version: versions[2]?.version });
}

const KEYS = [
  { name: "key1" },
  { name: "rsa3072", size: 3072 },
  { name: "rsahsmkey1", keyType: "RSA-HSM" },
  { name: "ec256", keyType: "EC", curve: "P-256" },
  { name: "ec384", keyType: "EC", curve: "P-384" },
  { name: "ec521", keyType: "EC", curve: "P-521" },
  { name: "echsmkey1", keyType: "EC-HSM" },
  { name: "echsm521", keyType: "EC-HSM", curve: "P-521" },
  { name: "koblitz", keyType: "EC", curve: "P-256K" },
  { name: "koblitz-hsm", keyType: "EC-HSM", curve: "P-256K" },
  { name: "oct", keyType: "oct" },
  { name: "oct-hsm", keyType: "oct-HSM" },
  { name: "disabled-key", keyType: "EC" },
] as const;

const CERTIFICATES = [
  { name: "pemcert1", contentType: PEM },
  { name: "pkcs12cert1", contentType: PKCS12, issuer: "intermediate" },
  { name: "ecccert1", keyType: "EC", contentType: PKCS12 },
  { name: "pem-chain", keyType: "EC", contentType: PEM, issuer: "intermediate" },
  { name: "pem-reversed", keyType: "EC", contentType: PEM, issuer: "intermediate", order: "root-first" },
  { name: "pfx-reversed", keyType: "EC", contentType: PKCS12, issuer: "intermediate", order: "root-first" },
  { name: "pfx-root", keyType: "EC", contentType: PKCS12, issuer: "root" },
  { name: "pfx-384", keyType: "EC", curve: "P-384", contentType: PKCS12, issuer: "intermediate" },
  { name: "pfx-521", keyType: "EC", curve: "P-521", contentType: PKCS12, issuer: "intermediate" },
  { name: "rotated", keyType: "EC", contentType: PKCS12 },
  { name: "disabled-cert", keyType: "EC" },
] as const;

async function seedKeys(emulator: SpawnedEmulator, vault: string): Promise<void> {
  for (const key of KEYS) await emulator.createKey({ vault, ...key });
  await emulator.rotateKey({ vault, name: "ec256" });
  await emulator.setKeyAttributes({ vault, name: "disabled-key", enabled: false });
  for (const certificate of CERTIFICATES) await emulator.createCertificate({ vault, ...certificate });
  await emulator.rotateCertificate({ vault, name: "rotated" });
  await emulator.setCertificateAttributes({ vault, name: "disabled-cert", enabled: false });
}

/** Objects for which the vault's answer lacks one member, by the object's path. */
const INCOMPLETE: Readonly<Record<string, string>> = {
  "secrets/without-value": "value",
  "secrets/without-id": "id",
  "keys/without-key": "key",
  "keys/without-kid": "key.kid",
  "certificates/without-cer": "cer",
  "certificates/without-its-id": "id",
};

const MANY_TIMES = 1_000;

async function seedIncomplete(emulator: SpawnedEmulator, vault: string): Promise<void> {
  for (const [path, member] of Object.entries(INCOMPLETE)) {
    const [kind, name = ""] = path.split("/");
    if (kind === "secrets") await emulator.setSecret({ vault, name, value: "x" });
    else if (kind === "keys") await emulator.createKey({ vault, name });
    else await emulator.createCertificate({ vault, name, keyType: "EC" });
    await emulator.injectFault({ vault, kind: "without", member, path: `/${path}`, times: MANY_TIMES });
  }
}

/** Fills a new vault, and returns the versions of its secrets, oldest first. */
export async function seedFixtures(
  emulator: SpawnedEmulator,
  vault: string,
  material: Material,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await seedSecrets(emulator, vault);
  await seedKeys(emulator, vault);
  await seedIncomplete(emulator, vault);
  for (const [name, secret] of Object.entries(oddCertificates(material))) {
    await emulator.setSecret({ vault, name, certificateBacked: true, ...secret });
  }
  const versions = new Map<string, readonly string[]>();
  for (const name of ["secret1", "history", "short", "gaps", "disabled"]) {
    versions.set(
      name,
      (await emulator.secretVersions({ vault, name })).map(({ version }) => version),
    );
  }
  return versions;
}
