/** Keys of one object, and lists of objects. */
import { item, type ProviderCase } from "./provider-case.ts";
import type { ProviderRow } from "./spec-rows.ts";

const KEYS: readonly (readonly [ProviderRow, ...(readonly string[])[]])[] = [
  [
    "objectName",
    ["objectName: ' secret1 '", "objectType: secret"],
    ["objectName: no/such", "objectType: secret"],
    ["objectName: n?x=y", "objectType: secret"],
    ["objectName: ü", "objectType: secret"],
    ["objectAlias: a", "objectType: secret"],
    ["objectAlias: a", "objectType: key"],
    ["objectAlias: a", "objectType: cert"],
    ["objectAlias: a", "objectType: secret", "objectVersionHistory: 2"],
    ["objectAlias: a", "objectType: key", "objectVersionHistory: 2"],
    ["objectAlias: a", "objectType: cert", "objectVersionHistory: 2"],
    ["objectName: Secret1", "objectType: secret"],
  ],
  [
    "objectAlias",
    ["objectAlias: alias"],
    ["objectAlias: folder/alias"],
    ["objectAlias: ' blank '"],
    ["objectAlias: ./x"],
    ["objectAlias: a//b"],
    ["objectAlias: a/"],
    ["objectAlias: .hidden"],
  ],
  ["the object id has the name, not the alias", ["objectAlias: other/name"]],
  [
    "objectType in lower case only",
    ["objectType: Secret"],
    ["objectType: KEY"],
    ["objectType: certificate"],
    ["objectType: ''"],
    ["objectType: ' secret '"],
    ["objectType: secrets", "objectVersionHistory: 3"],
    ["objectType: null"],
  ],
  [
    "objectVersion",
    ["objectVersion: $V(secret1,0)"],
    ["objectVersion: ' $V(secret1,0) '"],
    ["objectVersion: 00000000000000000000000000000000"],
    ["objectVersion: nonsense"],
  ],
  ["latest without a history is sent as it is", ["objectVersion: latest"], ["objectVersion: latest", "objectVersionHistory: 1"]],
  [
    "objectVersionHistory up to 1 is a single version",
    ["objectVersionHistory: 0"],
    ["objectVersionHistory: 1"],
    ["objectVersionHistory: -5"],
  ],
  [
    "objectFormat",
    ["objectFormat: pem"],
    ["objectFormat: PEM"],
    ["objectFormat: pfx"],
    ["objectFormat: pFx"],
    ["objectFormat: der"],
    ["objectFormat: pkcs12"],
    ["objectType: key", "objectFormat: pfx"],
    ["objectType: cert", "objectFormat: pfx"],
    ["objectType: what", "objectFormat: pfx"],
  ],
  [
    "PFX in capitals on a key or cert is ignored",
    ["objectName: key1", "objectType: key", "objectFormat: PFX"],
    ["objectName: pemcert1", "objectType: cert", "objectFormat: Pfx"],
  ],
  [
    "objectEncoding",
    ["objectEncoding: utf-8"],
    ["objectEncoding: UTF-8"],
    ["objectEncoding: utf8"],
    ["objectEncoding: latin1"],
    ["objectEncoding: ''"],
    ["objectEncoding: gzip"],
  ],
  [
    "objectEncoding on a key or cert is refused first",
    ["objectType: key", "objectEncoding: base64"],
    ["objectType: cert", "objectEncoding: nonsense"],
    ["objectType: '' ", "objectEncoding: hex"],
    ["objectType: key", "objectEncoding: utf-8"],
  ],
  [
    "filePermission",
    ["filePermission: 0644"],
    ["filePermission: 644"],
    ["filePermission: '0400'"],
    ["filePermission: 1777"],
    ["filePermission: -600"],
    ["filePermission: +600"],
    ["filePermission: 0"],
    ["filePermission: ' 0600 '"],
  ],
  [
    "an invalid filePermission is mode 0 and not reported",
    ["filePermission: 0o644"],
    ["filePermission: 0888"],
    ["filePermission: rw-r--r--"],
    ["filePermission: 0_644"],
    ["filePermission: 777777777777"],
    ["filePermission: 17777777777"],
    ["filePermission: -20000000000"],
    ["filePermission: 20000000000"],
  ],
  ["file name must not be empty", ["objectName: ''"], ["objectName: ' '", "objectAlias: '\t'"]],
  ["file name must be relative", ["objectAlias: /etc/passwd"], ["objectName: /x"]],
  [
    "file name without two dots",
    ["objectAlias: .."],
    ["objectAlias: a..b"],
    ["objectAlias: a/../b"],
    ["objectName: x.."],
    ["objectAlias: ..."],
  ],
  [
    "step 12: object validation",
    ["objectFormat: x", "objectEncoding: y", "objectAlias: /z"],
    ["objectEncoding: y", "objectAlias: /z"],
    ["objectVersion: abc", "objectFormat: x"],
  ],
];

const REST: Readonly<Record<string, string>> = { objectName: "objectName: secret1", objectType: "objectType: secret" };

/** Adds the lines that a valid object needs. A name is not added if the case is about an alias without a name. */
function completed(lines: readonly string[], row: ProviderRow): string {
  const has = (key: string) => lines.some((line) => line.startsWith(`${key}:`));
  const isWithoutName = row === "objectName" && has("objectAlias");
  const missing = Object.entries(REST).filter(([key]) => !has(key) && !(isWithoutName && key === "objectName"));
  return [...missing.map(([, line]) => line), ...lines].join("\n");
}

const keyCases: readonly ProviderCase[] = KEYS.flatMap(([row, ...variants]) =>
  variants.map((lines) => ({ id: `${row}: ${lines.join(", ")}`, rows: [row], objects: [completed(lines, row)] })),
);

const lists: readonly ProviderCase[] = [
  {
    id: "one file name twice",
    rows: ["of two objects with one file name the last wins"],
    objects: [
      item("secret", "secret1", "objectAlias: same", "filePermission: 0600"),
      item("key", "key1", "objectAlias: same", "filePermission: 0400"),
    ],
  },
  {
    id: "one object twice, as upstream's own test has it",
    rows: ["of two objects with one file name the last wins", "objectAlias"],
    objects: [item("secret", "secret1"), item("secret", "secret1", "objectAlias: secretalias")],
  },
  {
    id: "two versions of one object",
    rows: ["of two objects with one file name the last wins", "objectVersion"],
    objects: [
      item("secret", "history", "objectVersion: $V(history,1)", "objectAlias: old"),
      item("secret", "history", "objectVersion: $V(history,2)", "objectAlias: older"),
    ],
  },
  {
    id: "sixty objects",
    rows: ["any number of objects"],
    objects: Array.from({ length: 60 }, (_, index) => item("secret", "secret1", `objectAlias: n${index}`)),
  },
  {
    id: "the second object fails",
    rows: ["the first failing object decides", "step 15: fetch"],
    objects: [item("secret", "secret1"), item("key", "absent"), item("secret", "gone")],
  },
  {
    id: "the type of the second is wrong",
    rows: ["the first failing object decides"],
    objects: [item("secret", "secret1"), item("what", "x")],
  },
  {
    id: "the type of the second is wrong, and the first is gone",
    rows: ["the first failing object decides"],
    objects: [item("secret", "gone"), item("what", "x")],
    listed: "object-type-first",
  },
  {
    id: "a bad object after one that fails",
    rows: ["step 12: object validation"],
    objects: [item("secret", "gone"), item("secret", "secret1", "objectAlias: /x")],
  },
  { id: "an unreadable item after one that fails", rows: ["step 11: item parse"], objects: [item("secret", "gone"), "- x"] },
  {
    id: "two bad objects",
    rows: ["step 12: object validation"],
    objects: [item("secret", "secret1", "objectFormat: a"), item("secret", "secret1", "objectFormat: b")],
  },
];

const sizes: readonly ProviderCase[] = [
  { id: "long objects", rows: ["any number of objects"], objects: `${"# a comment of some length\n".repeat(8_000)}array: []` },
  {
    id: "longer objects than ours reads",
    rows: ["any number of objects"],
    objects: `${"# a comment of some length\n".repeat(12_000)}array: []`,
    listed: "objects-size",
  },
  {
    id: "more objects than ours takes",
    rows: ["any number of objects"],
    objects: Array.from({ length: 2_001 }, () => item("secret", "secret1")),
    listed: "objects-size",
  },
];

export const OBJECT_KEY_CASES: readonly ProviderCase[] = [...keyCases, ...lists, ...sizes];
