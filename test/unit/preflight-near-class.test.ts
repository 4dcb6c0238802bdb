import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject, ObjectRef } from "../../src/domain/kubernetes.ts";
import type { ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { WORKLOADS_PATH } from "../../src/webhook/app.ts";
import { reflectClasses } from "../../src/webhook/class-copy.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";

type Named = readonly (readonly [namespace: string, name: string])[];

/** The webhook's live copy of these classes, and a way to tell it of changes as the watch does. */
function copyOf(named: Named) {
  let told: ReflectorOptions<string>["onChange"];
  const held = new Map<string, string>();
  const copy = reflectClasses(
    {
      reflect: <T>({ onChange }: ReflectorOptions<T>) => {
        told = onChange as ReflectorOptions<string>["onChange"]; // The copy keeps texts.
        const get = ({ namespace, name }: ObjectRef) => held.get(`${namespace}/${name}`) as T | undefined;
        const none = async (): Promise<void> => undefined;
        const state = { hasSynced: true, isUnserved: false, lastActivity: 0, unbrokenSince: 0, isFollowed: true };
        return { ...state, get, list: () => [], relist: () => undefined, synced: none };
      },
    },
    new AbortController().signal,
  );
  const change = ([namespace, name]: Named[number], isThere: boolean): void => {
    const text = JSON.stringify({ ...aClass({}, name), metadata: { name, namespace } } satisfies KubeObject);
    if (isThere) held.set(`${namespace}/${name}`, text);
    else held.delete(`${namespace}/${name}`);
    told?.({ namespace, name }, isThere ? { previous: undefined, current: text } : { previous: text, current: undefined });
  };
  for (const each of named) change(each, true);
  return { copy, change };
}

/** What `kubectl apply` of a Deployment prints whose template names the class, in the namespace "default". */
async function warningsFor(className: string, named: Named, isCallerTrusted = true, onNames = () => {}): Promise<readonly string[]> {
  const settings = { version: "9.9.9-test", strictAnnotations: false, isCallerTrusted };
  const { copy } = copyOf(named);
  const namesIn = (namespace: string, most: number) => {
    onNames();
    return copy.namesIn(namespace, most);
  };
  const webhook = await startWebhook({ settings, classes: { ...copy, namesIn } });
  try {
    const template = aPod({ ...OPTED_IN, "secret-provider-class": className });
    const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template } };
    const body = JSON.stringify(aReview(object, { resource: { group: "apps", version: "v1", resource: "deployments" } }));
    const { json } = await webhook.post(body, { path: WORKLOADS_PATH });
    return json.response?.warnings ?? [];
  } finally {
    await webhook.stop();
  }
}

describe("a workload whose class does not exist", () => {
  const missing = 'SecretProviderClass "shop-secret" does not exist: pods wait for it (credentials: Secret "secrets-store-creds")';

  test("is told which class of its namespace may be meant", async () => {
    assert.deepEqual(
      await warningsFor("shop-secret", [
        ["default", "shop-secrets"],
        ["default", "web"],
      ]),
      ['SecretProviderClass "shop-secret" does not exist: did you mean "shop-secrets"? Pods wait for it'],
    );
  });

  test("is not told of classes that are spelt otherwise, or are in other namespaces", async () => {
    assert.deepEqual(
      await warningsFor("shop-secret", [
        ["default", "web"],
        ["other", "shop-secrets"],
      ]),
      [missing],
    );
  });

  test("is told no name where anybody may ask", async () => {
    assert.deepEqual(await warningsFor("shop-secret", [["default", "shop-secrets"]], false), [missing]);
  });

  for (const [isCallerTrusted, count] of [
    [false, 0],
    [true, 1],
  ] as const) {
    test(`NV11: is compared with no name that its author is not shown: ${count} times`, async () => {
      let asked = 0;
      await warningsFor("shop-secret", [["default", "shop-secrets"]], isCallerTrusted, () => (asked += 1));

      assert.equal(asked, count);
    });
  }

  test("is compared with 200 names at most", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ["default", `another-class-${index}`] as const);

    assert.match((await warningsFor("shop-secret", [...many(199), ["default", "shop-secrets"]])).join(), /did you mean "shop-secrets"/);
    assert.deepEqual(await warningsFor("shop-secret", [...many(200), ["default", "shop-secrets"]]), [missing]);
  });
});

test("the copy of classes knows the names of a namespace as they come and go", () => {
  const { copy, change } = copyOf([
    ["shop", "a"],
    ["shop", "b"],
    ["other", "c"],
  ]);
  const namesIn = (namespace: string) => copy.namesIn(namespace, 10);

  assert.deepEqual(namesIn("shop"), ["a", "b"]);
  change(["shop", "a"], false);
  change(["shop", "d"], true);
  assert.deepEqual([namesIn("shop"), namesIn("other"), namesIn("nowhere")], [["b", "d"], ["c"], []]);
  change(["other", "c"], false);
  assert.deepEqual(namesIn("other"), []);
});
