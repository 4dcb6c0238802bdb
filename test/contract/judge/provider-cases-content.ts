/** Files made from a vault's answers. */
import { QUOTED_VALUE } from "./listed-rows.ts";
import { item, type ProviderCase } from "./provider-case.ts";
import type { Setting } from "./provider-world.ts";
import type { ProviderRow } from "./spec-rows.ts";

type Row = readonly [rows: readonly ProviderRow[], ...objects: readonly string[][]];

const secret = (name: string, ...more: readonly string[]) => [item("secret", name, ...more)];
const named = (type: string, ...names: readonly string[]) => names.map((name) => [item(type, name)]);

const PLAIN: readonly Row[] = [
  [["a secret is written as it is", "the default mode"], ...named("secret", "secret1", "empty", "newline", "unicode", "long", "pem")],
  [["base64 is strict"], ...["base64", "base64-lines", "base64-bits"].map((name) => secret(name, "objectEncoding: base64"))],
  [
    ["base64 is strict", "decoding errors are not wrapped"],
    ...["url", "unpadded", "padding-early", "padding-three", "padding-more", "blank", "garbage", "unicode", "tail"].map((name) =>
      secret(`base64-${name}`, "objectEncoding: Base64"),
    ),
  ],
  [
    ["hex is strict"],
    secret("hex", "objectEncoding: hex"),
    secret("empty", "objectEncoding: HEX"),
    secret("empty", "objectEncoding: base64"),
  ],
  [
    ["hex is strict", "decoding errors are not wrapped"],
    ...["odd", "garbage", "garbage-odd", "blank", "newline", "unicode", "tab"].map((name) => secret(`hex-${name}`, "objectEncoding: hex")),
  ],
  [["RSA keys", "a key is SubjectPublicKeyInfo PEM"], ...named("key", "key1", "rsa3072", "pkcs12cert1")],
  [["RSA-HSM keys"], ...named("key", "rsahsmkey1")],
  [["EC keys on P-256, P-384 and P-521"], ...named("key", "ec256", "ec384", "ec521", "ecccert1")],
  [["EC-HSM keys"], ...named("key", "echsmkey1", "echsm521")],
  [["curve P-256K"], ...named("key", "koblitz", "koblitz-hsm")],
  [["key type oct"], ...named("key", "oct", "oct-hsm")],
  [["a cert is the leaf alone"], ...named("cert", "pemcert1", "pkcs12cert1", "ecccert1", "pem-reversed", "pfx-reversed")],
  [
    ["the current version may be disabled", "step 15: fetch"],
    ...named("secret", "disabled", "all-disabled", "expired", "future", "disabled-cert"),
    [item("key", "disabled-key")],
    [item("cert", "disabled-cert")],
  ],
  [
    ["an answer that lacks a part"],
    ...named("secret", "without-value", "without-id"),
    ...named("key", "without-key", "without-kid"),
    ...named("cert", "without-cer", "without-its-id"),
  ],
  [["step 15: fetch"], ...named("secret", "gone"), ...named("key", "gone"), ...named("cert", "gone"), secret("bad_name"), secret("a b")],
];

const CERTIFICATES: readonly Row[] = [
  [
    ["a PEM certificate's secret is untouched"],
    ...named("secret", "pemcert1", "pem-chain", "pem-reversed", "odd-pem", "odd-pem-headers", "odd-pem-text", "odd-pem-crlf"),
  ],
  [["a PEM certificate's secret is untouched", "objectFormat"], secret("pemcert1", "objectFormat: pfx")],
  [
    ["a PKCS#12 certificate's secret becomes PEM", "keys first, as PKCS#8, then certificates", "PEM of 64 columns without bag attributes"],
    ...named("secret", "pkcs12cert1", "ecccert1", "pfx-384", "pfx-521", "pfx-p256-named-legacy", "pfx-rsa-named-legacy"),
  ],
  [
    ["the chain is ordered"],
    ...named("secret", "pfx-reversed", "pfx-root", "pfx-p256-reversed-legacy", "pfx-rsa-reversed-legacy", "pfx-p256-chain-legacy-3DES"),
  ],
  [["an incomplete chain stays as it is"], ...named("secret", "pfx-p256-gap-legacy", "pfx-rsa-gap-legacy")],
  [["a self-signed certificate"], ...named("secret", "ecccert1"), ...named("secret", "pfx-p256-alone-legacy")],
  [["an incomplete chain stays as it is"], ...named("secret", "pfx-p256-twice-legacy", "pfx-rsa-twice-legacy", "pfx-p256-no-key-legacy")],
  [["no leaf found"], ...named("secret", "pfx-cycle-alone")],
  [["a broken PKCS#12 file"], ...named("secret", "pfx-ed25519")],
  [["a chain in a cycle"], ...named("secret", "pfx-cycle")],
  [
    ["format pfx leaves the base64 text"],
    secret("pkcs12cert1", "objectFormat: pfx"),
    secret("ecccert1", "objectFormat: PFX"),
    secret("odd-pfx-text", "objectFormat: pfx"),
    secret("pfx-p256-chain-modern", "objectFormat: pfx"),
  ],
  [
    ["format pfx with base64 is binary"],
    secret("pkcs12cert1", "objectFormat: pfx", "objectEncoding: base64"),
    secret("odd-pfx-text", "objectFormat: pfx", "objectEncoding: base64"),
    secret("pkcs12cert1", "objectFormat: pfx", "objectEncoding: hex"),
    secret("pkcs12cert1", "objectEncoding: base64"),
    secret("pkcs12cert1", "objectEncoding: hex"),
  ],
  [["an unknown content type of a certificate's secret"], ...named("secret", "odd-type", "odd-type-empty", "odd-type-case")],
  [
    ["a broken PKCS#12 file"],
    ...named(
      "secret",
      "odd-pfx-text",
      "odd-pfx-empty",
      "odd-pfx-garbage",
      "odd-pfx-zeros",
      "odd-pfx-pem",
      "odd-pfx-cut",
      "odd-pfx-tail",
      "odd-pfx-mac",
    ),
    ...named("secret", "pfx-p256-no-mac-legacy", "pfx-p256-plain-key-legacy", "pfx-p256-plain-certificate-legacy"),
  ],
];

/** Objects that our side reads and the provider does not. */
const MODERN: Row = [
  ["PKCS#12 with modern algorithms"],
  ...named("secret", "pfx-p256-chain-modern", "pfx-rsa-alone-modern", "pfx-rsa-chain-AES-128-SHA-512"),
];

/** Objects with a certificate that Go rejects, or with a key that it does not read. */
const CHECKED: Row = [
  ["PKCS#12 with a certificate that Go rejects"],
  ...named("secret", "pfx-odd-negative-serial", "pfx-odd-DNS-name", "pfx-odd-IP-address", "pfx-odd-URI"),
  ...named("secret", "pfx-odd-key-usage", "pfx-odd-authority", "pfx-odd-root", "pfx-odd-exponent"),
];

/** Objects that both sides reject with different words. */
const UNKNOWN_KEYS: Row = [
  ["PKCS#12 with a key of an unknown kind"],
  ...named("secret", "pfx-odd-brainpool", "pfx-odd-secp256k1", "pfx-odd-explicit-curve", "pfx-odd-ed448", "pfx-odd-RSA-PSS"),
];

/** This object crashes the provider, which follows a nil pointer. */
const NO_CONTENT_TYPE: Row = [["an unknown content type of a certificate's secret"], secret("odd-no-type")];

const HISTORY: readonly Row[] = [
  [
    ["history lists versions", "history files and ids have an index", "history gives one version more"],
    secret("history", "objectVersionHistory: 2"),
    secret("history", "objectVersionHistory: 5"),
    secret("history", "objectVersionHistory: 9"),
    secret("history", "objectVersionHistory: 100"),
    secret("short", "objectVersionHistory: 2"),
    secret("short", "objectVersionHistory: 3"),
    secret("history", "objectVersionHistory: 2", "objectVersion: latest"),
    [item("key", "ec256", "objectVersionHistory: 2")],
    [item("cert", "rotated", "objectVersionHistory: 2")],
    secret("rotated", "objectVersionHistory: 2"),
    secret("rotated", "objectVersionHistory: 2", "objectFormat: pfx", "objectEncoding: base64"),
  ],
  [
    ["history files and ids have an index", "objectAlias"],
    secret("history", "objectVersionHistory: 2", "objectAlias: old/values"),
    secret("history", "objectVersionHistory: 2", "objectAlias: ./a//b/"),
    secret("history", "objectVersionHistory: 2", "objectAlias: ."),
  ],
  [
    ["history skips disabled versions"],
    secret("gaps", "objectVersionHistory: 5"),
    secret("gaps", "objectVersionHistory: 2"),
    secret("disabled", "objectVersionHistory: 2"),
    secret("all-disabled", "objectVersionHistory: 2"),
    [item("key", "disabled-key", "objectVersionHistory: 2")],
  ],
  [["history keeps expired versions"], secret("expired", "objectVersionHistory: 2"), secret("future", "objectVersionHistory: 2")],
  [
    ["history from a version"],
    secret("history", "objectVersionHistory: 2", "objectVersion: $V(history,8)"),
    secret("history", "objectVersionHistory: 3", "objectVersion: $V(history,0)"),
    secret("gaps", "objectVersionHistory: 2", "objectVersion: $V(gaps,3)"),
  ],
  [
    ["history from an unknown version is nothing"],
    secret("history", "objectVersionHistory: 2", "objectVersion: ffffffffffffffffffffffffffffffff"),
    secret("gaps", "objectVersionHistory: 2", "objectVersion: $V(gaps,2)"),
    secret("history", "objectVersionHistory: 2", "objectVersion: Latest"),
  ],
  [
    ["history lists versions", "step 15: fetch"],
    secret("gone", "objectVersionHistory: 2"),
    [item("key", "gone", "objectVersionHistory: 2")],
    [item("cert", "gone", "objectVersionHistory: 2")],
  ],
  [["history is an int32"], secret("history", "objectVersionHistory: 2147483647"), secret("history", "objectVersionHistory: 2147483646")],
];

/** Objects of upstream's end-to-end scenarios. */
const FIXTURES: readonly Row[] = [
  [
    ["a secret is written as it is", "objectAlias"],
    [item("secret", "secret1"), item("secret", "secret1", "objectAlias: SECRET_1")],
  ],
  [
    ["RSA keys", "RSA-HSM keys", "EC-HSM keys"],
    [item("key", "key1"), item("key", "key1", "objectAlias: alias"), item("key", "rsahsmkey1"), item("key", "echsmkey1")],
  ],
  [
    ["a cert is the leaf alone", "a PKCS#12 certificate's secret becomes PEM"],
    ...["pemcert1", "pkcs12cert1", "ecccert1"].map((name) => [
      item("cert", name, `objectAlias: ${name}-cert`),
      item("key", name, `objectAlias: ${name}-key`),
      item("secret", name, `objectAlias: ${name}-secret`),
      item("secret", name, `objectAlias: ${name}.pfx`, "objectFormat: pfx"),
    ]),
  ],
  [
    ["filePermission"],
    [item("secret", "secret1", "filePermission: 0400"), item("secret", "secret1", "objectAlias: b", "filePermission: 0777")],
  ],
];

function casesOf(
  rows: readonly Row[],
  setting: Setting,
  more: { readonly rows?: readonly ProviderRow[]; readonly listed?: string } = {},
): readonly ProviderCase[] {
  return rows.flatMap(([covered, ...lists]) =>
    lists.map((objects) => ({
      id: `${setting}, ${covered[0]}: ${objects.map((text) => text.replaceAll("\n", ", ")).join(" + ")}`,
      rows: [...covered, ...(more.rows ?? [])],
      objects,
      setting,
      ...(more.listed === undefined ? {} : { listed: more.listed }),
    })),
  );
}

export const CONTENT_CASES: readonly ProviderCase[] = [
  ...casesOf([...PLAIN, ...CERTIFICATES, ...HISTORY, ...FIXTURES], "default"),
  ...casesOf(CERTIFICATES, "unordered chains", { rows: ["the chain stays as it is without the flag"] }),
  ...casesOf([...CERTIFICATES, ...HISTORY.slice(0, 1)], "separate files", {
    rows: ["separate files", "separate files of a pfx are empty"],
  }),
  ...casesOf([MODERN, CHECKED], "default", { listed: "modern-pfx" }),
  ...casesOf([UNKNOWN_KEYS], "default", { listed: QUOTED_VALUE }),
  ...casesOf([NO_CONTENT_TYPE], "to be ended", { listed: "nil-content-type" }),
];
