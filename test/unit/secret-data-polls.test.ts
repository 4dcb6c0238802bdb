import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, type PolledClassFacts, PollingWorker } from "../support/worker/polling-worker.ts";
import { valuesOf } from "../support/worker/selecting-class.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

/** A key that consists of two objects, and a key that is an unchanged file. */
const FACTS: PolledClassFacts = {
  objects: ["user", "password", "other"],
  secrets: { login: ["password"], plain: ["other"] },
  secretData: 'login:\n  password: join(":", user, password)\n',
};

function keysOf(answer: Mirror, name: string): readonly string[] {
  assert.equal(answer.kind, "answered", JSON.stringify(answer));
  const found = answer.secrets.find((secret) => (secret.kind === "desired" ? secret.secret.name : secret.name) === name);
  return (found?.keys ?? []).map(({ key, object, version, state }) => [key, object, version ?? "", state ?? "is"].join(" "));
}

describe("a key that is made of several objects", () => {
  test("has each of them in the status, with its own version", async () => {
    await worker.givenObjects("user", "password", "other");
    const one = worker.aClass("class", FACTS);
    const answer = await one.first();
    assert.deepEqual(valuesOf(answer), { password: "user@v1:password@v2", other: "other@v3" });
    assert.deepEqual(keysOf(answer, "login"), ["password secret/user v1 is", "password secret/password v2 is"]);
    assert.deepEqual(keysOf(answer, "plain"), ["other secret/other v3 is"]);
  });

  test("is asked for again once any of them has changed, and the others' Secrets are not", async () => {
    await worker.givenObjects("user", "password", "other");
    const one = await worker.synced(FACTS);
    assert.deepEqual(valuesOf(await one.poll()), {});
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);

    await worker.clock.advance(INTERVAL);
    worker.vaults.set("user");
    await worker.clock.advance(INTERVAL);
    const answer = await one.poll();
    assert.deepEqual(valuesOf(answer), { password: "user@v4:password@v2" });
    assert.deepEqual(keysOf(answer, "login"), ["password secret/user v4 is", "password secret/password v2 is"]);
    assert.deepEqual(worker.vaults.taken().toSorted(), ["app: get password", "app: get user", "app: list secrets"]);
  });

  test("costs a worker that starts no fetch where nothing has changed", async () => {
    await worker.givenObjects("user", "password", "other");
    const one = await worker.synced(FACTS);
    worker.start();
    assert.deepEqual(valuesOf(await one.poll()), {});
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);
  });

  test("S10: of two versions of one object, is as it was as long as both are", async () => {
    await worker.givenObjects("user");
    const before = { objectName: "user", objectVersion: "v1", objectAlias: "before" };
    const secretData = 'login:\n  user: join(":", before, user)\n';
    worker.vaults.set("user");
    await worker.clock.advance(600_000);
    const one = await worker.synced({ objects: ["user", before], secrets: { login: ["user"] }, secretData });
    assert.deepEqual(keysOf(await one.poll(), "login"), ["user secret/user v1 is", "user secret/user v2 is"]);
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);
  });

  test("says of which object the vault has nothing, and holds the Secret back", async () => {
    await worker.givenObjects("user", "other");
    const one = worker.aClass("class", FACTS);
    const answer = await one.first();
    assert.equal(reasonOf(answer), "ObjectNotFound");
    assert.deepEqual(valuesOf(answer), { other: "other@v2" });
    assert.deepEqual(keysOf(answer, "login"), ["password secret/user v1 is", "password secret/password  ObjectNotFound"]);
  });
});

describe("an expression that gives nothing", () => {
  test("is the class's problem where expressions name more files than a status has room for", async () => {
    const files = Array.from({ length: 45 }, (_, index) => `f${index}`);
    const keys = Array.from({ length: 45 }, (_, index) => `k${index}`);
    const secretData = `login:\n${keys.map((key) => `  ${key}: join("", ${files.join(", ")})\n`).join("")}`;
    const answer = await worker.aClass("class", { objects: files, secrets: { login: keys }, secretData }).first();
    assert.ok(answer.kind === "refused");
    assert.match(answer.message, /^its expressions name 2025 files in total; a class can have 2000 /);
  });

  test("fails its Secret, by the key, the function and the place, and no other", async () => {
    await worker.givenObjects("user", "password", "other");
    const one = worker.aClass("class", { ...FACTS, secretData: 'login:\n  password: property(password, "name")\n' });
    const answer = await one.first();
    assert.deepEqual(valuesOf(answer), { other: "other@v3" });
    assert.equal(answer.kind, "answered");
    const [login] = answer.secrets;
    assert.ok(login?.kind === "failed");
    assert.deepEqual(
      [login.reason, login.message],
      [
        "InvalidObject",
        "property at character 1: it has no such property (spec.parameters.secretData[login][password]: correct the expression, or the object in the vault)",
      ],
    );
    assert.deepEqual(keysOf(answer, "login"), ["password secret/password v2 InvalidObject"]);
  });

  for (const [why, secretData, reason, message] of [
    [
      "that cannot be read",
      "login:\n  password: propperty(password)\n",
      "InvalidClass",
      'at character 1: the function "propperty" does not exist (spec.parameters.secretData[login][password]: did you mean property?)',
    ],
    [
      "that names a file which no object makes",
      "login:\n  password: upper(pasword)\n",
      "InvalidClass",
      "file matching objectName pasword not found in the pod (spec.secretObjects[0].data[0].objectName: the class has: user, password, other)",
    ],
  ] as const) {
    test(`fails its Secret alone: one ${why}`, async () => {
      await worker.givenObjects("user", "password", "other");
      const answer = await worker.aClass("class", { ...FACTS, secretData }).first();
      assert.deepEqual(valuesOf(answer), { other: "other@v3" });
      assert.ok(answer.kind === "answered" && answer.secrets[0]?.kind === "failed");
      assert.deepEqual([answer.secrets[0].reason, answer.secrets[0].message], [reason, message]);
    });
  }

  for (const [secretData, message] of [
    [
      "login: upper(user)",
      "it is not a mapping (spec.parameters.secretData[login]: write YAML: names of Secrets, below each its keys, after each key an expression)",
    ],
    ["logon:\n  password: upper(user)", 'no secretObject is named "logon" (spec.parameters.secretData[logon]: did you mean login?)'],
    [
      "login:\n  pasword: upper(user)",
      'the secretObject login has no key "pasword" (spec.parameters.secretData[login][pasword]: did you mean password?)',
    ],
    [
      "login: {password: user}\nlogin: {}",
      'it contains "login" twice (spec.parameters.secretData: write YAML: names of Secrets, below each its keys, after each key an expression)',
    ],
  ] as const) {
    test(`is the class's problem where the parameter is ${JSON.stringify(secretData)}`, async () => {
      await worker.givenObjects("user", "password", "other");
      const answer = await worker.aClass("class", { ...FACTS, secretData }).first();
      assert.deepEqual(answer, { kind: "refused", reason: "InvalidClass", message, retry: { kind: "never" } });
    });
  }
});
