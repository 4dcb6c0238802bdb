import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { ObjectFile } from "../../src/domain/content/object-file.ts";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { buildSecrets } from "../../src/domain/secret-objects/build.ts";
import type { DesiredSecret, SecretObjectProblem } from "../../src/domain/secret-objects/desired-secret.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";

function aFile(path: string, text = `value of ${path}`, changes: Partial<ObjectFile> = {}): ObjectFile {
  return {
    path,
    contents: Sensitive.ofText(text),
    objectId: `secret/${path}`,
    version: "v1",
    updated: undefined,
    expires: undefined,
    ...changes,
  };
}

/** A valid secretObject. A test passes only the differences. */
function anObject(changes: Partial<SecretObject> = {}): SecretObject {
  return { secretName: "app", type: "Opaque", data: [{ objectName: "DemoSecret", key: "password" }], ...changes };
}

const FILES = [aFile("DemoSecret"), aFile("db/user")];

function build(object: SecretObject, files = FILES): DesiredSecret {
  const [outcome] = buildSecrets([object], files, pki);
  assert.equal(outcome?.kind, "desired", JSON.stringify(outcome));
  return outcome.secret;
}

function refuse(object: SecretObject, files = FILES): SecretObjectProblem {
  const [outcome] = buildSecrets([object], files, pki);
  assert.equal(outcome?.kind, "refused", JSON.stringify(outcome));
  return outcome.problem;
}

const texts = ({ data }: DesiredSecret) =>
  Object.fromEntries([...data].map(([key, value]) => [key, Buffer.from(value.reveal()).toString()]));

describe("a secretObject", () => {
  test("becomes a Secret with the files' bytes, its metadata and the versions it is made from", () => {
    const secret = build(
      anObject({
        secretName: " app ",
        labels: { team: "a" },
        annotations: { note: "b" },
        data: [
          { objectName: " DemoSecret ", key: " password " },
          { objectName: "db/user", key: "user" },
          { objectName: "DemoSecret", key: "copy" },
        ],
      }),
    );

    assert.deepEqual(texts(secret), { password: "value of DemoSecret", user: "value of db/user", copy: "value of DemoSecret" });
    assert.deepEqual(secret.objects, ["secret/DemoSecret@v1", "secret/db/user@v1"]);
    assert.deepEqual([secret.name, secret.type, secret.labels, secret.annotations], ["app", "Opaque", { team: "a" }, { note: "b" }]);
    assert.deepEqual(secret.sources.get("user"), [FILES[1]]);
  });

  for (const type of [
    "Opaque",
    "kubernetes.io/basic-auth",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/ssh-auth",
    "example.com/own",
  ]) {
    test(`may be of type ${type}`, () => assert.equal(build(anObject({ type })).type, type));
  }

  test("takes the later of two files with one path, and of two entries with one key", () => {
    assert.deepEqual(texts(build(anObject(), [aFile("DemoSecret", "1"), aFile("DemoSecret", "2")])), { password: "2" });
    const data = [
      { objectName: "DemoSecret", key: "k" },
      { objectName: "db/user", key: "k" },
    ];
    const secret = build(anObject({ data }));
    assert.deepEqual(texts(secret), { k: "value of db/user" });
    assert.deepEqual(secret.objects, ["secret/db/user@v1"]);
  });

  const data = (entry: { readonly objectName?: string; readonly key?: string }) => ({
    data: [{ objectName: "DemoSecret", key: "ok" }, entry],
  });

  for (const [changes, field, message] of [
    [{ secretName: "" }, "secretName", "secret name is empty"],
    [{ type: "" }, "type", "secret type is empty"],
    [{ data: [] }, "data", "data is empty"],
    [{ secretName: "", type: "", data: [] }, "secretName", "secret name is empty"],
    [data({ objectName: " ", key: "k" }), "data[1].objectName", "object name in secretObjects.data"],
    [data({ objectName: "DemoSecret" }), "data[1].key", "key in secretObjects.data is empty"],
    [data({ objectName: "gone", key: "k" }), "data[1].objectName", "file matching objectName gone not found in the pod"],
    [data({ objectName: "DemoSecret", key: "a b" }), "data[1].key", '"a b" is not a valid Secret key'],
    [data({ objectName: "DemoSecret", key: ".." }), "data[1].key", '".." is not a valid Secret key'],
    [{ secretName: "My_Secret" }, "secretName", '"My_Secret" is not a valid Secret name'],
    [{ secretName: "a..b" }, "secretName", '"a..b" is not a valid Secret name'],
    [{ secretName: "a".repeat(254) }, "secretName", `"${"a".repeat(254)}" is not a valid Secret name`],
  ] as const satisfies readonly (readonly [Partial<SecretObject>, string, string])[]) {
    test(`is refused: ${message.slice(0, 60)}`, () => {
      const problem = refuse(anObject(changes));
      assert.equal(problem.message, message);
      assert.equal(problem.field, `spec.secretObjects[0].${field}`);
      assert.equal(problem.reason, "InvalidClass");
      assert.notEqual(problem.hint, "");
    });
  }

  test("that names a file the class lacks is told which there are", () => {
    assert.match(refuse(anObject({ data: [{ objectName: "x", key: "k" }] })).hint, /DemoSecret, db\/user/);
  });

  for (const type of [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
    " helm.sh/release.v1 ",
  ]) {
    test(`is refused as ForbiddenType: ${type}`, () => assert.equal(refuse(anObject({ type })).reason, "ForbiddenType"));
  }

  for (const key of [
    "keyvault-injector.dev/managed",
    "secrets-store.csi.k8s.io/managed",
    "argocd.argoproj.io/instance",
    "kustomize.toolkit.fluxcd.io/name",
    "fluxcd.io/x",
  ]) {
    test(`may not set ${key}`, () => {
      for (const field of ["labels", "annotations"] as const) {
        const problem = refuse(anObject({ [field]: { ok: "x", [key]: "y" } }));
        assert.equal(problem.field, `spec.secretObjects[0].${field}[${key}]`);
        assert.equal(problem.reason, "InvalidClass");
      }
    });
  }

  test("may set keys that only look like those", () => {
    const labels = {
      "secrets-store.csi.k8s.io/used": "true",
      "notkeyvault-injector.dev/x": "",
      "x/argocd.argoproj.io": "",
      "fluxcd.io.example/x": "",
      "notfluxcd.io/x": "",
    };
    assert.deepEqual(build(anObject({ labels })).labels, labels);
  });

  for (const [what, changes, field, message] of [
    ["name", { secretName: "sh.helm.release.v1.shop.v9" }, "secretName", "sh.helm.release.v1.shop.v9 is the name of a Helm release record"],
    ["label", { labels: { owner: "helm" } }, "labels[owner]", "labels cannot set owner to helm"],
  ] as const) {
    test(`AT1: is not a record of a Helm release by its ${what}, whatever its type`, () => {
      const problem = refuse(anObject(changes));
      assert.deepEqual([problem.field, problem.message, problem.reason], [`spec.secretObjects[0].${field}`, message, "InvalidClass"]);
      assert.notEqual(problem.hint, "");
    });
  }

  test("AT1: may have the label owner with another value, and a name that only contains Helm's", () => {
    const made = build(anObject({ secretName: "my.sh.helm.release.v1.shop", labels: { owner: "team-helm" } }));
    assert.deepEqual([made.name, made.labels], ["my.sh.helm.release.v1.shop", { owner: "team-helm" }]);
  });

  test("is TooLarge above 1 MiB, naming the biggest entry", () => {
    const files = [aFile("small", "x".repeat(48_577)), aFile("big", "x".repeat(1_000_000))];
    const entries = files.map(({ path }) => ({ objectName: path, key: path }));

    const problem = refuse(anObject({ data: entries }), files);

    assert.equal(problem.reason, "TooLarge");
    assert.match(problem.message, /1048577 bytes.*1048576.*largest entry is big with 1000000/);
    assert.equal(
      build(anObject({ data: entries }), [aFile("small", "x".repeat(48_576)), aFile("big", "x".repeat(1_000_000))]).data.size,
      2,
    );
  });
});

describe("what the driver refuses", () => {
  const missing = [{ objectName: "gone", key: "a" }];
  for (const [what, changes] of Object.entries({
    "a name that no Secret can have": { secretName: "My_Secret" },
    "a type that is never written": { type: "helm.sh/release.v1" },
    "a label that is not the class's to set": { labels: { "fluxcd.io/x": "y" } },
  })) {
    test(`is told before ${what}`, () => {
      assert.equal(refuse(anObject({ ...changes, data: missing })).message, "file matching objectName gone not found in the pod");
    });
  }

  test("is told before a key that no Secret takes, in an earlier entry", () => {
    const data = [{ objectName: "DemoSecret", key: "a b" }, ...missing];
    assert.equal(refuse(anObject({ data })).message, "file matching objectName gone not found in the pod");
  });

  test("is told before a name that another secretObject has", () => {
    const [, outcome] = buildSecrets([anObject(), anObject({ data: missing })], FILES, pki);
    assert.match(outcome?.kind === "refused" ? outcome.problem.message : "", /gone not found/);
  });

  test("is not a type of spaces: it is the default", () => assert.equal(build(anObject({ type: "  " })).type, "Opaque"));
});

describe("several secretObjects", () => {
  test("stand for themselves: one that fails does not stop the others", () => {
    const outcomes = buildSecrets(
      [anObject({ type: "" }), anObject({ secretName: "b" }), anObject({ secretName: "c", data: [] })],
      FILES,
      pki,
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["refused", "desired", "refused"],
    );
  });

  test("of one name are all refused, whoever comes first", () => {
    const outcomes = buildSecrets([anObject(), anObject({ secretName: "b" }), anObject({ secretName: "app " })], FILES, pki);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["refused", "desired", "refused"],
    );
    assert.match(outcomes[2]?.kind === "refused" ? outcomes[2].problem.message : "", /secretObjects 0 and 2 name the same Secret app/);
  });
});
