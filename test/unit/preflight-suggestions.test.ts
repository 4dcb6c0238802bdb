import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS, MADE_FOR, POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClassSpec } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { prefixed } from "../support/fixtures/pods.ts";

const OBJECTS = "array:\n  - |\n    objectName: db\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantID: "tenant", objects: OBJECTS };

interface Written {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly spec?: Partial<SecretProviderClassSpec>;
}

function reported({ annotations = {}, parameters = {}, spec = {} }: Written): readonly string[] {
  const provider = {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: "shop-secrets", namespace: "shop", annotations },
    spec: { provider: "azure", parameters: { ...PARAMETERS, ...parameters }, ...spec },
  };
  return classWarnings(provider, { cloudName: "AzurePublicCloud" }).map(({ message }) => message);
}

describe("a suggestion for what is unknown in a class", () => {
  test("is only made where one may be a slip for the other", () => {
    const named = (objectName: string) => reported({ spec: { secretObjects: [secretObject(objectName)] } });

    assert.deepEqual(reported({ parameters: { foo: "x" } }), ['parameter "foo" is unknown and ignored: correct or remove it']);
    assert.deepEqual(reported({ parameters: { vaultName: "x" } }), [
      'parameter "vaultName" is unknown and ignored: did you mean keyvaultName?',
    ]);
    assert.deepEqual(reported({ annotations: prefixed({ whatever: "x" }) }), [
      '"whatever" is not a keyvault-injector.dev/ annotation of a class: correct or remove it',
    ]);
    assert.deepEqual(reported({ annotations: prefixed({ "mirrors-to": "x" }) }), [
      '"mirrors-to" is not a keyvault-injector.dev/ annotation of a class: did you mean "mirror-to"?',
    ]);
    assert.deepEqual(named("password"), ['secretObjects[0].data[0]: no object produces "password": correct it']);
    assert.deepEqual(named("db1"), ['secretObjects[0].data[0]: no object produces "db1": did you mean "db"?']);
  });

  test("is a file of the history of the object that is named, however short the name", () => {
    const objects = OBJECTS.replace("secret\n", "secret\n    objectVersionHistory: 2\n");
    const warnings = reported({ parameters: { objects }, spec: { secretObjects: [secretObject("db")] } });

    assert.ok(warnings.includes('secretObjects[0].data[0]: no object produces "db": did you mean "db/0"?'), warnings.join("\n"));
  });

  test("is none in the worker's own parameters where nothing is near", () => {
    const own = (parameters: Readonly<Record<string, string>>) =>
      reported({ parameters, spec: { secretObjects: [secretObject("db")] } }).map((message) => message.replace(/ \(.*/, ""));

    assert.deepEqual(own({ objectSelectors: "gateway: {names: a-*}" }), [
      "spec.parameters.objectSelectors[gateway]: add it to secretObjects, with its type",
    ]);
    assert.deepEqual(own({ objectSelectors: "shop: {prefix: a-*}" }), [
      "spec.parameters.objectSelectors[shop]: write one of names, tags, type, certificates, everything, keys",
    ]);
    assert.deepEqual(own({ secretData: "gateway: {key: upper(db)}" }), [
      "spec.parameters.secretData[gateway]: add it to secretObjects, with one of its files as objectName",
    ]);
    assert.match(
      own({ secretData: "shop: {key: rot13(db)}" }).join(),
      /the function "rot13" does not exist: write one of the functions of the reference$/,
    );
  });
});

describe("an annotation of another object on a class", () => {
  for (const [key, place] of [
    ["restart-on-rotation", "on a workload's pod template, or its Namespace"],
    ["mount-path", "on a workload's pod template, or its Namespace"],
    ["inject", "on a workload's pod template"],
    ["restart-window", "on a workload, its pod template, or its Namespace"],
    ["restart-paused", "on a workload, or its Namespace"],
    ["restart-now", "on a workload, or its Namespace"],
    ["adoptable-by", "on an existing Secret"],
  ] as const) {
    test(`is told where it belongs: ${key}`, () => {
      assert.deepEqual(reported({ annotations: prefixed({ [key]: "true" }) }), [`"${key}" has no effect on a class: it belongs ${place}`]);
    });
  }

  test("is told so for every annotation that users write on pods, workloads, and Secrets, and for none of a class", () => {
    const ofClasses: readonly string[] = [...Object.values(CLASS_ANNOTATIONS), MADE_FOR];
    const output: readonly string[] = [POD_ANNOTATIONS.rotated, POD_ANNOTATIONS.status, RESTART_ANNOTATIONS.nowAnswered];
    const others = [...Object.values(POD_ANNOTATIONS), ...Object.values(RESTART_ANNOTATIONS)].filter(
      (key) => !ofClasses.includes(key) && !output.includes(key),
    );
    for (const key of others)
      assert.match(reported({ annotations: { [key]: "true" } }).join(), /has no effect on a class: it belongs/, key);
    for (const key of ofClasses)
      assert.doesNotMatch(reported({ annotations: { [key]: "x" } }).join(), /annotation of a class|belongs/, key);
  });

  test("is told so too where the Namespace grants by it", () => {
    const annotations = Object.fromEntries(Object.values(GRANT_ANNOTATIONS).map((key) => [key, "x"]));

    assert.deepEqual(
      reported({ annotations }),
      ["managed-identity", "mirrors-from", "service-accounts"].map(
        (name) => `"grants.keyvault-injector.dev/${name}" has no effect on a class: it belongs on the Namespace`,
      ),
    );
  });
});

function secretObject(objectName: string) {
  return { secretName: "shop", type: "Opaque", data: [{ objectName, key: "key" }] };
}
