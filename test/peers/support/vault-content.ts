import { generateKeyPairSync } from "node:crypto";
import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";

/** Names in the manifests next to this folder: the vault and tenant of their store, and its objects. */
export const VAULT = "shop-prod";
export const TENANT = "0b0b0b0b-1111-2222-3333-444444444444";

const base64 = (value: string | Buffer): string => Buffer.from(value).toString("base64");
const wrapped = (text: string): string => `${base64(text).replaceAll(/.{20}/g, "$&\n")}\r\n`;

const SETTINGS = {
  user: {
    name: "ana",
    id: 7,
    long: 9_007_199_254_740_991,
    negative: -12,
    fraction: 0.25,
    isAdmin: false,
    empty: "",
    escaped: 'a "quoted" text\twith \\ and / and\nlines: <é&€>',
  },
  hosts: [{ name: "one" }, { name: "two" }],
  ports: { "8080": "web" },
  "tls.crt": "a name with a dot",
  files: { "app.json": { mode: "0600" } },
  "two words": "yes",
  größe: "large",
  "user-key": "with a dash",
  encoded: base64("inside"),
  wrapped: wrapped("a text of so many characters that base64 wraps it"),
};

const SECRETS: Readonly<Record<string, string>> = {
  "db-user": "ana",
  "db-keystore": base64(Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0x00, 0xff])),
  "text-lines": "first\n\nthird\n",
  "text-windows": "first\r\nsecond\r\n",
  "text-blanks": " \t\u00a0two  words\u2003\n",
  "text-unicode": "größer als 😀 und \u0301",
  "text-mark": "\ufeffwith a byte order mark",
  "text-nul": "before\u0000after",
  "text-large": "0123456789".repeat(2_500),
  "text-quotes": `'single' "double" \`back\` $HOME {{ .not }} \\`,
  "encoded-text": base64("decoded ä\n"),
  "encoded-wrapped": wrapped("a text of so many characters that base64 wraps it"),
  "encoded-binary": base64(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
  "encoded-url": Buffer.from([0xfb, 0xff, 0xbf]).toString("base64url"),
  settings: JSON.stringify(SETTINGS),
  "plain-settings": '{"host":"db","port":5432}',
  "settings-of-lines": JSON.stringify(SETTINGS, undefined, 2),
  "settings-with-line-breaks": '{"pem":"-----BEGIN X-----\nAAAA\n-----END X-----\n"}',
  "just-a-list": '["x","y"]',
};

/** Fills the vault. Resolves with the first version of `db-password`, which has two. */
export async function fillVault(emulator: SpawnedEmulator): Promise<string> {
  const secret = (name: string, value: string) => emulator.setSecret({ vault: VAULT, name, value });
  for (const [name, value] of Object.entries(SECRETS)) await secret(name, value);
  const { version } = await secret("db-password", "the first");
  await secret("db-password", "the second: p@ss:w0rd");
  const certificate = (name: string, plan: object) => emulator.createCertificate({ vault: VAULT, name, issuer: "intermediate", ...plan });
  await certificate("web", { pfx: "modern" });
  await certificate("web-older", { pfx: "legacy" });
  await certificate("web-ec", { keyType: "EC", pfx: "modern" });
  await certificate("web-pem", { contentType: "application/x-pem-file" });
  await certificate("web-root-first", { order: "root-first", pfx: "modern" });
  await certificate("web-alone", { issuer: "self", pfx: "modern" });
  const stored = await certificate("stored", { keyType: "EC", curve: "P-384" });
  await secret("stored-crt", stored.chainPem.join(""));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  await secret("stored-key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return version;
}
