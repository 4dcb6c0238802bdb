import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { KNOWN_PARAMETERS, OWN_PARAMETERS } from "../../src/domain/preflight/class-warnings.ts";
import { OBJECT_KEYS } from "../../src/domain/provider-class/objects-yaml.ts";
import { readServicePrincipal } from "../../src/domain/provider-class/service-principal.ts";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import { failed, ok } from "../../src/domain/result.ts";
import { buildSecrets, MAX_SECRET_BYTES } from "../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { COMPATIBILITY_ROWS } from "../contract/judge/compatibility-rows.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";

const classPage = readRepositoryFile("docs/reference/secret-provider-class.md");
const compatibilityPage = readRepositoryFile("docs/reference/compatibility.md");

const rowsUnder = (page: string, column: string) => tables(page).flatMap(({ header, rows }) => (header[0] === column ? rows : []));

const firstSpans = (page: string, column: string) => rowsUnder(page, column).map(([first = ""]) => codeSpans(first).join());

/** Compares the names in both directions, and proves that the comparison notices a missing row and an additional row. */
function assertSameNames(fromPage: readonly string[], fromCode: readonly string[]): void {
  const same = (names: readonly string[]) => assert.deepEqual([...names].sort(), [...fromCode].sort());
  same(fromPage);
  for (const name of fromPage) assert.throws(() => same(fromPage.filter((one) => one !== name)), assert.AssertionError);
  assert.throws(() => same([...fromPage, "invented"]), assert.AssertionError);
}

/** TypeScript has no list of the fields of a type. The compiler checks that this list has all of them, and no other. */
const SECRET_OBJECT_FIELDS = Object.keys({
  secretName: true,
  type: true,
  labels: true,
  annotations: true,
  data: true,
} satisfies Record<keyof Required<SecretObject>, true>);

const DATA_FIELDS = Object.keys({
  objectName: true,
  key: true,
} satisfies Record<keyof Required<NonNullable<SecretObject["data"]>[number]>, true>);

describe("the page of classes", () => {
  test("has every parameter, and no other", () =>
    assertSameNames(firstSpans(classPage, "Parameter"), [...KNOWN_PARAMETERS, ...OWN_PARAMETERS]));

  test("has every key of an object, and no other", () => assertSameNames(firstSpans(classPage, "Key"), OBJECT_KEYS));

  test("has every field of a secretObject, and no other", () => {
    assertSameNames(firstSpans(classPage, "Field"), [...SECRET_OBJECT_FIELDS, ...DATA_FIELDS.map((field) => `data[].${field}`)]);
  });
});

interface Reported {
  readonly reason: string;
  readonly message: string;
}

const OBJECT = "objectName: a\nobjectType: secret";
const objectsOf = (lines: string) => `array:\n  - |\n${lines.replaceAll(/^/gm, "    ")}\n`;

/** Returns the problem of a class with these parameters. */
function ofParameters(changes: Readonly<Record<string, string | undefined>>, canReadFiles = true): Reported {
  const given = { keyvaultName: "demo", tenantID: "t", objects: objectsOf(OBJECT), ...changes };
  const parameters = Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  return ofClass({ provider: "azure", parameters }, canReadFiles);
}

const FILES: Readonly<Record<string, string>> = { cut: "{", text: "name: x", typed: '{"name": 1}', empty: "{}" };

function ofClass(spec: Parameters<typeof parseProviderClass>[0], canReadFiles = true): Reported {
  const readFile = (name: string) =>
    name in FILES ? ok(new TextEncoder().encode(FILES[name])) : failed(`open ${name}: no such file or directory`);
  const readCloudFile = canReadFiles ? readFile : undefined;
  const parsed = parseProviderClass(spec, { owner: "ns/name", cloudName: "AzurePublicCloud", readCloudFile });
  assert.equal(parsed.kind, "invalid", JSON.stringify(parsed));
  return parsed.problem;
}

const ofObject = (lines: string) => ofParameters({ objects: objectsOf(lines) });

function ofCredentials(data: Readonly<Record<string, string>> | undefined): Reported {
  const read = readServicePrincipal(data);
  assert.ok(!read.ok);
  return read.error;
}

function ofSecrets(...objects: readonly SecretObject[]): Reported {
  const contents = Sensitive.ofText("x".repeat(MAX_SECRET_BYTES + 1));
  const file = { path: "a", objectId: "secret/a", version: "1", contents, updated: undefined, expires: undefined };
  const [outcome] = buildSecrets(objects, [file], pki);
  assert.equal(outcome?.kind, "refused", JSON.stringify(outcome));
  return outcome.problem;
}

const DATA = [{ objectName: "a", key: "k" }];
const ofSecret = (changes: SecretObject) => ofSecrets({ secretName: "s", type: "Opaque", data: DATA, ...changes });

const stack = (cloudEnvFileName?: string) => ofParameters({ cloudName: "AzureStackCloud", cloudEnvFileName });

const many = <T>(count: number, entry: T): readonly T[] => Array.from({ length: count }, () => entry);
const withSecrets = (secretObjects: readonly SecretObject[]) =>
  ofClass({ provider: "azure", parameters: { keyvaultName: "demo" }, secretObjects });

const TOLD: readonly Reported[] = [
  withSecrets(many(201, {})),
  withSecrets([{ data: many(2_001, {}) }]),
  ofParameters({ objects: `array:\n${'- "objectName: a\\nobjectType: secret"\n'.repeat(2_001)}` }),
  ofObject(`objectName: ${"n".repeat(4_097)}\nobjectType: secret`),
  ofClass({ parameters: { keyvaultName: "demo" } }),
  ofClass({ provider: "azure" }),
  ...["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"].map((flag) => ofParameters({ [flag]: "yes" })),
  ofParameters({ usePodIdentity: "true", useVMManagedIdentity: "true" }),
  ofParameters({ keyvaultName: undefined }),
  ofParameters({ tenantID: undefined }),
  ofParameters({ cloudName: "AzureMoon" }),
  stack("none"),
  stack(),
  ofParameters({ cloudName: "AzureStackCloud", cloudEnvFileName: "cut" }, false),
  stack("/cloud/cut"),
  stack("cut"),
  stack("text"),
  stack("typed"),
  stack("empty"),
  ofParameters({ usePodIdentity: "true" }),
  ofParameters({ useAzureTokenProxy: "true", clientID: "c" }),
  ofParameters({ useAzureTokenProxy: "true" }),
  ofCredentials(undefined),
  ofCredentials({}),
  ofCredentials({ clientid: "eA==" }),
  ofParameters({ keyvaultName: "kv" }),
  ofParameters({ keyvaultName: "a_vault" }),
  ofParameters({ tenantID: "a/b" }),
  ofParameters({ objects: undefined }),
  ofParameters({ objects: "- a" }),
  ofObject("objectName: a\nobjectName: b"),
  ofObject(`${OBJECT}\nobjectFormat: der`),
  ofObject("objectName: a\nobjectType: key\nobjectFormat: pfx"),
  ofObject("objectName: a\nobjectType: key\nobjectEncoding: hex"),
  ofObject(`${OBJECT}\nobjectEncoding: rot13`),
  ofObject("objectType: secret"),
  ofObject(`${OBJECT}\nobjectAlias: /a`),
  ofObject(`${OBJECT}\nobjectAlias: a..b`),
  ofObject("objectName: a\nobjectType: Secret"),
  ofObject("objectAlias: a\nobjectType: secret"),
  ofSecret({ secretName: "" }),
  ofSecret({ type: "" }),
  ofSecret({ data: [] }),
  ofSecret({ data: [{ objectName: "", key: "k" }] }),
  ofSecret({ data: [{ objectName: "a", key: "" }] }),
  ofSecret({ data: [{ objectName: "b", key: "k" }] }),
  ofSecrets({ secretName: "s", type: "Opaque", data: DATA }, { secretName: "s", type: "Opaque", data: DATA }),
  ofSecret({ secretName: "A_B" }),
  ofSecret({ data: [{ objectName: "a", key: "a b" }] }),
  ofSecret({ labels: { "keyvault-injector.dev/managed": "true" } }),
  ofSecret({ secretName: "sh.helm.release.v1.shop.v9" }),
  ofSecret({ labels: { owner: "helm" } }),
  ofSecret({ annotations: { "argocd.argoproj.io/x": "y" } }),
  ofSecret({ type: "helm.sh/release.v1" }),
  ofSecret({ type: "kubernetes.io/tls", data: [{ objectName: "a", key: "other" }] }),
  ofSecret({}),
];

interface ErrorRow {
  readonly text: string;
  readonly reason: string;
  readonly remedy: string;
}

/** `<…>` in a row matches any text. */
function matches({ text, reason }: ErrorRow, reported: Reported): boolean {
  const pattern = text
    .split(/<[\w/…]+>/)
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join("[^]*");
  return reason === reported.reason && new RegExp(`^${pattern}$`).test(reported.message);
}

const errorRows = (page: string): readonly ErrorRow[] =>
  rowsUnder(page, "Message").map(([text = "", reason = "", remedy = ""]) => ({
    text: codeSpans(text)[0] ?? "",
    reason: codeSpans(reason).join(),
    remedy,
  }));

describe("the errors of the page of classes", () => {
  const rows = errorRows(classPage);

  test("are what bad classes are told, with that reason", () => {
    assert.ok(rows.length >= 40, `${rows.length} rows`);
    for (const row of rows)
      assert.ok(
        TOLD.some((reported) => matches(row, reported)),
        `no class is told: ${row.text}`,
      );
    for (const reported of TOLD)
      assert.ok(
        rows.some((row) => matches(row, reported)),
        `not on the page: ${reported.reason}: ${reported.message}`,
      );
    for (const { text, remedy } of rows) assert.notEqual(remedy, "", text);
  });

  test("are compared in earnest: a changed word, a missing row and another reason are noticed", () => {
    for (const row of rows) {
      // Adds a letter outside of the placeholders.
      const changed = { ...row, text: row.text.replace(/(\w)$|(\w)(?=[^\w>]*$)|$/, "$1$2x"), remedy: "" };
      const reported = TOLD.find((one) => matches(changed, one));
      assert.ok(reported === undefined || row.text.endsWith(">"), changed.text);
      assert.ok(!TOLD.some((reported) => matches({ ...row, reason: "Synced" }, reported)), row.text);
    }
    const missed = TOLD.filter((one) => !rows.slice(1).some((row) => matches(row, one)));
    assert.equal(missed.length, 1);
  });
});

describe("the page of differences", () => {
  const rows = rowsUnder(compatibilityPage, "Id");

  test("has every row that the judges allow and every bug that is followed, and no other", () => {
    assertSameNames(
      rows.map(([id = ""]) => codeSpans(id).join()),
      COMPATIBILITY_ROWS,
    );
  });

  test("has at most thirteen rows, each with an anchor of its id, both sides and a reason", () => {
    assert.ok(rows.length <= 13, `${rows.length} rows`);
    for (const row of rows) {
      const [id = "", upstream = "", ours = "", why = ""] = row;
      assert.match(id, new RegExp(`^<a id="${codeSpans(id).join()}"></a>\``));
      assert.equal(row.length, 4);
      assert.ok(upstream.length > 10 && why.length > 10, id);
      assert.match(ours, /^(?:follows|differs|the same API server)/, id);
    }
  });
});
