import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { credentialsReference } from "../../src/domain/injection/credentials.ts";
import type { KubeObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { KubeWatcher, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { reflectClasses } from "../../src/webhook/class-copy.ts";
import { createClassLookup } from "../../src/webhook/class-lookup.ts";
import { reflectNamespaces } from "../../src/webhook/namespace-lookup.ts";
import { aClass, prefixed } from "../support/fixtures/pods.ts";

const MIB = 1024 * 1024;
const ref = { namespace: "default", name: "akvprovider-demo" };

/** A watcher of one object; what it keeps of it is what a real one would. */
function watcherOf(object: KubeObject): KubeWatcher & { readonly kept: () => unknown } {
  let kept: unknown;
  return {
    kept: () => kept,
    reflect: <T>({ project }: ReflectorOptions<T>) => {
      const value = project(object);
      kept = value;
      const none = async (): Promise<void> => undefined;
      return {
        hasSynced: true,
        isUnserved: false,
        lastActivity: 0,
        silentFor: 0,
        unbrokenSince: 0,
        isFollowed: true,
        get: () => value,
        list: () => [],
        relist: () => undefined,
        synced: none,
      };
    },
  };
}

function copied(provider: SecretProviderClass): { readonly seen: SecretProviderClass | undefined; readonly size: number } {
  const watcher = watcherOf(provider);
  const seen = reflectClasses(watcher, new AbortController().signal).get(ref);
  return { seen, size: JSON.stringify(watcher.kept()).length };
}

const withSecrets = (secretObjects: NonNullable<SecretProviderClass["spec"]>["secretObjects"]): SecretProviderClass => {
  const provider = aClass();
  return { ...provider, spec: { ...provider.spec, ...(secretObjects === undefined ? {} : { secretObjects }) } };
};
const keys = (count: number, length = 10) =>
  Array.from({ length: count }, (_, index) => ({ objectName: "o", key: `${index}-`.padEnd(length, "k") }));

describe("the copy of a class", () => {
  test("has what decides about credentials, and the names of Secrets and keys, and nothing else", () => {
    const { seen } = copied(withSecrets([{ secretName: "db", type: "Opaque", data: [{ objectName: "o", key: "KEY" }] }]));

    assert.deepEqual(seen?.spec, {
      provider: "azure",
      parameters: { usePodIdentity: "false" },
      secretObjects: [{ secretName: "db", data: [{ key: "KEY" }] }],
    });
  });

  test("is decided about as the class itself, however its parameters are filled up", () => {
    const space = " ".repeat(MIB);
    const settings = { version: "1", strictAnnotations: false };
    const mount = { className: "akvprovider-demo", credentials: { kind: "default", name: "creds" } } as const;
    for (const parameters of [
      { usePodIdentity: `${space}true${space}` },
      { clientID: `${space}x` },
      { clientID: space },
      { useVMManagedIdentity: `true${"x".repeat(MIB)}` },
      { useAzureTokenProxy: `${space}maybe` },
    ]) {
      const provider = aClass(parameters);
      const { seen, size } = copied(provider);
      assert.ok(seen !== undefined && size < 1_000, String(size));
      assert.deepEqual(
        credentialsReference(mount, { kind: "found", class: seen }, settings),
        credentialsReference(mount, { kind: "found", class: provider }, settings),
      );
    }
  });

  test("stays small whatever the class has, and keeps what there is room for", () => {
    const large: readonly SecretProviderClass[] = [
      withSecrets([{ secretName: "db", data: keys(100_000) }]),
      withSecrets([{ secretName: "db", data: keys(4_000, 253) }]),
      withSecrets(Array.from({ length: 50_000 }, (_, index) => ({ secretName: `s${index}` }))),
      withSecrets([{ secretName: "x".repeat(MIB), data: keys(10) }]),
      withSecrets([{ secretName: "db", data: [{ key: "k".repeat(MIB) }, { key: "KEY" }] }]),
      { ...aClass(), spec: { provider: "p".repeat(MIB) } },
    ];
    for (const provider of large) assert.ok(copied(provider).size < 16 * 1024, String(copied(provider).size));
    assert.ok((copied(withSecrets([{ secretName: "db", data: keys(100_000) }])).seen?.spec?.secretObjects?.[0]?.data?.length ?? 0) > 400);
    assert.deepEqual(
      copied(withSecrets([{ secretName: "db", data: [{ key: "k".repeat(MIB) }, { key: "KEY" }] }])).seen?.spec?.secretObjects,
      [{ secretName: "db", data: [{ key: "KEY" }] }],
    );
  });

  test("is what a live read of the class leaves, too", async () => {
    const kube = { read: async () => ({ kind: "found", object: aClass({ note: "x".repeat(MIB) }) as never }) as const };
    const checked = await createClassLookup({ classes: { get: () => undefined }, kube })(ref);

    assert.ok(JSON.stringify(checked).length < 1_000);
  });
});

describe("the copy of a Namespace", () => {
  const namespace = (text: string): KubeObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "default", annotations: { ...prefixed({ "mount-path": text }), other: "x".repeat(MIB) } },
  });
  const keptOf = (object: KubeObject): unknown => {
    const watcher = watcherOf(object);
    reflectNamespaces(watcher, new AbortController().signal);
    return watcher.kept();
  };

  test("has our annotations, or is not kept where they would fill the memory: its pods cost a read each then", () => {
    assert.ok(JSON.stringify(keptOf(namespace("/x"))).length < 1_000);
    assert.equal(keptOf(namespace("x".repeat(200_000))), undefined);
  });
});
