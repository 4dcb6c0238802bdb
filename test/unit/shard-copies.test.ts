import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, COPY_ANNOTATIONS, COPY_LABEL } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { planCopies } from "../../src/domain/sync/copies/copies-plan.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { type CopyCaches, type ForeignClasses, foreignOwners, observeCopies } from "../../src/sync/copies/observe-copies.ts";
import { secretOf } from "../support/fixtures/class-facts.ts";

const KEY = "team/demo";
const FOREIGN = "of-another-shard/demo";

function classOf(key: string, mirrorTo: string): SecretProviderClass {
  const [namespace = "", name = ""] = key.split("/");
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace, name, annotations: { [CLASS_ANNOTATIONS.mirrorTo]: mirrorTo } },
    spec: { provider: "azure", secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: "object", key: "password" }] }] },
  };
}

/** Live copies with a Secret in `target` whose annotation names the foreign class as its source. */
const caches = (): CopyCaches => {
  const source: ObservedSecret = { ...secretOf("app"), ref: { namespace: "team", name: "app" } };
  const copy: ObservedSecret = {
    ...secretOf("app"),
    ref: { namespace: "target", name: "app" },
    labels: { [COPY_LABEL]: "true" },
    annotations: { [COPY_ANNOTATIONS.copiedFrom]: FOREIGN },
    owned: { data: ["password"], labels: [COPY_LABEL], annotations: [COPY_ANNOTATIONS.copiedFrom] },
  };
  return {
    settings: { syncSecret: true, syncMode: "always" },
    install: { namespaces: [], shard: { serves: (namespace = "") => namespace !== "of-another-shard" } },
    classes: {
      get: ({ namespace, name }: { namespace?: string; name: string }) =>
        `${namespace}/${name}` === KEY ? classOf(KEY, "target") : undefined,
    },
    secrets: { ofClass: (key: string) => (key === KEY ? [source] : []) },
    copies: { ofClass: () => [], get: () => copy },
    consumers: { isUsed: () => true },
    grants: { consentOf: () => ({ from: ["team/*"], isTerminating: false }) },
    markOf: () => "mark",
  } as unknown as CopyCaches; // The code reads nothing else.
};

describe("a copy that names a class of another shard", () => {
  const planned = (foreign: ForeignClasses): string | undefined => {
    const observation = observeCopies(caches(), KEY, foreign);
    assert.ok(observation);
    return planCopies({ ...observation, standingOf: () => "granted" }).copies[0]?.step.kind;
  };

  test("makes that class be asked for, which is in no live copy", () => {
    const observation = observeCopies(caches(), KEY);
    assert.ok(observation);
    assert.deepEqual([...foreignOwners(caches(), observation)], [[FOREIGN, [{ namespace: "target", name: "app" }]]]);
  });

  test("is left alone while nothing is known of it, and where that class has a copy there", () => {
    assert.equal(planned(new Map()), "unclear");
    assert.equal(planned(new Map([[FOREIGN, classOf(FOREIGN, "target, more")]])), "conflict");
  });

  test("SH-6: is repaired where there is no such class, or it copies elsewhere: somebody has edited the annotation", () => {
    assert.equal(planned(new Map([[FOREIGN, undefined]])), "apply");
    assert.equal(planned(new Map([[FOREIGN, classOf(FOREIGN, "elsewhere")]])), "apply");
  });
});
