import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObjectFile } from "../../src/domain/content/object-file.ts";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import type { ObjectReader } from "../../src/domain/ports/vault-client.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import { buildSecrets } from "../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { nextStatus } from "../../src/domain/sync/class-status.ts";
import type { SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { decodePkcs12 } from "../../src/pki/pkcs12.ts";
import { pki } from "../../src/pki/pki.ts";
import { failureOfFile, fetchObjects } from "../../src/sync/vault/fetch-objects.ts";
import { heavyPkcs12 } from "../support/fixtures/heavy-pkcs12.ts";

const times = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index));

const objectsText = (entries: readonly string[]): string =>
  `array:\n${entries.map((entry) => `- |\n  ${entry.replaceAll("\n", "\n  ")}\n`).join("")}`;

interface Given {
  readonly entries?: readonly string[];
  readonly secretObjects?: readonly SecretObject[];
}

function parsed({ entries = ["objectName: a\nobjectType: secret"], secretObjects = [] }: Given) {
  const parameters = { keyvaultName: "demo", tenantID: "t", objects: objectsText(entries) };
  const spec = { provider: "azure", parameters, secretObjects };
  return parseProviderClass(spec, { owner: "ns/name", cloudName: "AzurePublicCloud", readCloudFile: undefined });
}

function problemOf(given: Given) {
  const read = parsed(given);
  assert.equal(read.kind, "invalid");
  return read.problem;
}

const secretObject = (index: number, entries = 1): SecretObject => ({
  secretName: `s${index}`,
  type: "Opaque",
  data: times(entries, (at) => ({ objectName: "a", key: `k${at}` })),
});

const aFile = (path: string, contents: Uint8Array): ObjectFile => ({
  path,
  contents: new Sensitive(contents),
  objectId: `secret/${path}`,
  version: "v1",
  updated: undefined,
  expires: undefined,
});

const tls = (secretName: string, ...objectNames: readonly string[]): SecretObject => ({
  secretName,
  type: "kubernetes.io/tls",
  data: objectNames.flatMap((objectName) => ["tls.crt", "tls.key"].map((key) => ({ objectName, key }))),
});

describe("a class that asks for much", () => {
  test("S2: is invalid with more than 200 secretObjects, and not with 200", () => {
    const { reason, field, message } = problemOf({ secretObjects: times(201, (index) => secretObject(index)) });

    assert.deepEqual([reason, field], ["InvalidClass", "spec.secretObjects"]);
    assert.equal(message, "secretObjects has 201 entries; a class can have 200");
    assert.equal(parsed({ secretObjects: times(200, (index) => secretObject(index)) }).kind, "class");
  });

  test("S2: is invalid with more than 2,000 entries of data together, and not with 2,000", () => {
    const { reason, field, message } = problemOf({ secretObjects: times(21, (index) => secretObject(index, 100)) });

    assert.deepEqual([reason, field], ["InvalidClass", "spec.secretObjects[20].data"]);
    assert.equal(message, "the data of the secretObjects has more than 2000 entries in total");
    assert.equal(parsed({ secretObjects: times(20, (index) => secretObject(index, 100)) }).kind, "class");
  });

  test("S2: is invalid with more than 2,000 objects, and with a name that is longer than any", () => {
    const entry = (index: number) => `objectName: o${index}\nobjectType: secret`;
    const many = problemOf({ entries: times(2_001, entry) });
    assert.deepEqual(
      [many.reason, many.field, many.message],
      ["InvalidClass", "spec.parameters.objects", "objects has 2001 entries; a class can have 2000"],
    );
    assert.equal(parsed({ entries: times(2_000, entry) }).kind, "class");

    const long = problemOf({ entries: [`objectName: ${"n".repeat(4_097)}\nobjectType: secret`] });
    assert.deepEqual([long.reason, long.field], ["InvalidClass", "spec.parameters.objects[0].objectName"]);
  });

  test("S2: has each file decoded once, whatever takes a part of it", () => {
    let decoded = 0;
    const counting = {
      ...pki,
      decodePkcs12: (bytes: Uint8Array) => {
        decoded += 1;
        return decodePkcs12(bytes);
      },
    };
    const file = aFile("web", heavyPkcs12({ rounds: 10 }));

    const outcomes = buildSecrets([tls("one", "web"), tls("two", "web"), tls("three", "web")], [file], counting);

    assert.equal(outcomes.length, 3);
    assert.equal(decoded, 1);
  });

  test("S2: has one allowance of rounds for all its files, and a refusal names the file and the numbers", () => {
    const files = [aFile("first", heavyPkcs12({ rounds: 350_000 })), aFile("second", heavyPkcs12({ rounds: 1_400_000, salt: 8 }))];

    const [first, second] = buildSecrets([tls("one", "first"), tls("two", "second")], files, pki);

    assert.ok(first?.kind === "refused" && second?.kind === "refused");
    assert.match(first.problem.message, /decryption password incorrect$/);
    const { reason, message, hint } = second.problem;
    assert.equal(reason, "InvalidObject");
    assert.match(
      message,
      /^failed to get cert data from file second, err: .* requires 1400000 rounds of key derivation, but only 1300000 of the 2000000 for all files of the class are left; export the file with fewer iterations$/,
    );
    assert.match(hint, /^store secret\/second with fewer iterations/);
    assert.match(first.problem.hint, /^name an object of type secret/);
  });

  test("S2: has a file refused before its first round, where it says that it takes too many", () => {
    const refused = decodePkcs12(heavyPkcs12({ rounds: 500_000, hidden: 600_000 }));

    assert.ok(!refused.ok);
    // 600,000 for each of two blocks of the key, and for the vector. The file's visible 500,000 come on top.
    assert.equal(refused.error.code, "TooManyRounds");
    assert.match(
      refused.error.message,
      /the file requires 2300000 rounds of key derivation, but only 2000000 of the 2000000 for all files of the class are left/,
    );
  });

  test("S2: gets no list of all its files for one that is not there", () => {
    const files = times(2_000, (index) => aFile(`a-file-with-a-long-name-${index}`, Buffer.from("x")));

    const outcomes = buildSecrets([{ secretName: "s", type: "Opaque", data: [{ objectName: "none", key: "k" }] }], files, pki);

    const [outcome] = outcomes;
    assert.ok(outcome?.kind === "refused");
    assert.ok(outcome.problem.hint.length < 1_000, `${outcome.problem.hint.length} characters`);
    assert.match(outcome.problem.hint, /^the class has: a-file-with-a-long-name-0, .* and 1990 more$/);
  });
});

/** A vault whose secrets have this number of versions, each of this number of bytes. */
const vaultOf = (versions: number, bytes: number): ObjectReader => {
  const facts = { updated: undefined, expires: undefined, notBefore: undefined };
  const listed = times(versions, (index) => ({ version: `v${index}`, isEnabled: true, created: versions - index }));
  const value = Sensitive.ofText("x".repeat(bytes));
  return {
    getSecret: async (_name, version = "v0") => ({ ...facts, version, value, contentType: undefined, keyId: undefined }),
    listVersions: async function* () {
      yield listed;
    },
    getKey: () => assert.fail("no key is asked for"),
    getCertificate: () => assert.fail("no certificate is asked for"),
  };
};

const anObject = (name: string, history = 0): ClassObject => ({
  type: "secret",
  name,
  path: name,
  version: undefined,
  history,
  format: "pem",
  encoding: "utf-8",
  filePermission: "",
});

describe("what the vault has for a class", () => {
  const render = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };
  const fetched = (client: ObjectReader, ...objects: readonly ClassObject[]) =>
    fetchObjects({ client, render }, objects, new AbortController().signal);

  test("B-9: is asked for no further than there is room for it, and then nothing of it is kept", async () => {
    const objects = times(40, (index) => anObject(`s${index}`));
    const asked: number[] = [];
    const within = (most: number) => (bytes: number) => {
      asked.push(bytes);
      return bytes <= most;
    };
    const signal = new AbortController().signal;

    const cut = await fetchObjects({ client: vaultOf(1, 1_000), render, hasRoom: within(6_000) }, objects, signal);
    const whole = await fetchObjects({ client: vaultOf(1, 1_000), render, hasRoom: within(40_000) }, objects, signal);

    assert.deepEqual(cut, { files: [], failures: [], isCutShort: true });
    assert.equal(asked.indexOf(7_000), 6);
    assert.equal(asked[7], 1_000, "the next is that of the second attempt");
    assert.equal(whole.files.length, 40);
  });

  test("S2: is no more than 2,000 versions, of all histories together", async () => {
    const { files, failures } = await fetched(vaultOf(1_500, 1), anObject("one", 9_999), anObject("two", 9_999), anObject("three", 99));

    assert.equal(files.length, 1_600);
    assert.equal(failureOfFile(failures, "two/7")?.reason, "InvalidClass");
    assert.match(failures[0]?.message ?? "", /^secret\/two: its versions exceed the 2000 that a class can have in total/);
  });

  test("S2: is no more than 8 MiB, all values together", async () => {
    const { files, failures } = await fetched(vaultOf(1, 3_000_000), anObject("one"), anObject("two"), anObject("three"));

    assert.equal(files.length, 2);
    assert.deepEqual(
      failures.map(({ reason, object }) => [reason, object.name]),
      [["TooLarge", "three"]],
    );
  });
});

describe("the status of a class that says much", () => {
  const outcomeOf = (secrets: readonly SecretStatus[], message = "") => {
    const outcome = { generation: 1, reason: "InvalidObject" as const, message, isFresh: true, secrets };
    const status = nextStatus(outcome, undefined, Date.parse("2026-11-26T00:00:00Z"));
    assert.ok(status !== undefined);
    return status;
  };
  const secrets = (message: string): readonly SecretStatus[] =>
    times(200, (index) => ({
      name: `s${index}`,
      state: "InvalidObject",
      message,
      data: times(10, (at) => ({ key: `k${at}`, object: "secret/a", version: "v1", state: "InvalidObject" as const, message })),
    }));

  test("S2: fits into an object of the API server, and still says what each Secret holds", () => {
    const status = outcomeOf(secrets("m".repeat(30_000)), "m".repeat(100_000));

    const { length } = JSON.stringify(status);
    assert.ok(length < 1_048_576, `${length} characters`);
    assert.equal(status.secrets.length, 200);
    assert.deepEqual(status.secrets[199]?.data[9], { key: "k9", object: "secret/a", version: "v1", state: "InvalidObject" });
  });

  test("S2: has no entry for what is beyond the limit", () => {
    const { secrets: shown } = outcomeOf(times(20_000, (index) => ({ name: `s${index}`, state: "InvalidClass", data: [] })));

    assert.equal(shown.length, 200);
  });

  test("has every word of one that says what is usual", () => {
    const usual = secrets("failed to get objectType:secret, objectName:a, objectVersion:: no such object").slice(0, 20);
    assert.deepEqual(outcomeOf(usual).secrets, usual);
  });
});
