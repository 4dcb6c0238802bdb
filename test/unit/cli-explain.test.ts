import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import { ADMISSION_REASONS } from "../../src/domain/admission/reasons.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, documentPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

async function explain(objects: readonly unknown[], ...args: readonly string[]): Promise<{ code: number; first: Explanation }> {
  const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  const { code, output } = await runOffline(["explain", "-f", "-", "-o", "json", ...args], input);
  const [first]: Explanation[] = JSON.parse(output).explanations;
  assert.ok(first !== undefined);
  return { code, first };
}

const WITH_SECRET = {
  ...aClass(),
  spec: { ...aClass().spec, secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: "a", key: "PASSWORD" }] }] },
};
const injected = async () =>
  JSON.parse((await runOffline(["render", "-f", "-", "-o", "json"], JSON.stringify(aPod(OPTED_IN)))).output).items[0];

/** One object for each reason that follows from the object alone. */
const CASES: Readonly<Record<string, readonly [what: () => unknown, message: RegExp, ...args: string[]]>> = {
  Injected: [() => aPod(OPTED_IN), /^injection would add 1 volume and 1 mount$/],
  AlreadyInjected: [injected, /everything requested is there/],
  NotOptedIn: [() => aPod({}), /nothing is requested: .*inject: "true"/],
  MirrorPod: [
    () => ({ ...aPod({}), metadata: { name: "a", annotations: { ...prefixed(OPTED_IN), "kubernetes.io/config.mirror": "x" } } }),
    /static pod/,
  ],
  Unsupported: [
    () => ({ apiVersion: "v1", kind: "Service", metadata: { name: "s" } }),
    /Service is not a class, and not a kind whose pods this command knows/,
  ],
  InvalidAnnotation: [() => aPod({ inject: "yes" }), /write "true" or "false"/],
  UnknownAnnotation: [() => aPod({ ...OPTED_IN, "mount-pth": "/a" }), /did you mean/, "--strict-annotations"],
  ClassRequired: [() => aPod({ inject: "true" }), /secret-provider-class is missing/],
  ContainerNotFound: [() => aPod({ ...OPTED_IN, containers: "sidecar" }), /the pod has app/],
  VolumeNameTaken: [() => aPod(OPTED_IN, { volumes: [{ name: "secrets-store-inline", emptyDir: {} }] }), /volume-name to a free name/],
  MountPathTaken: [
    () => aPod(OPTED_IN, { containers: [{ name: "app", volumeMounts: [{ name: "x", mountPath: "/mnt/secrets-store" }] }] }),
    /mount-path to a free path/,
  ],
  EnvTaken: [
    () => aPod({ ...OPTED_IN, "env-from": "app" }, { containers: [{ name: "app", env: [{ name: "PASSWORD", value: "hunter2" }] }] }),
    /rename one of them/,
  ],
  PodTooLarge: [
    () => aPod(OPTED_IN, { containers: Array.from({ length: 2_001 }, (_, index) => ({ name: `c${index}` })) }),
    /name fewer containers with annotation/,
  ],
  InvalidReview: [
    () => ({ apiVersion: "v1", kind: "Pod", metadata: { annotations: [] }, spec: {} }),
    /metadata\.annotations must be a map of strings$/,
  ],
};

/** Reasons that do not come from an object, but from the operation of the webhook: a failed read, a body, a connection, or a bug. */
const NOT_OF_AN_OBJECT = ["NamespaceUnknown", "Overloaded", "TooLarge", "Aborted", "InternalError"];

describe("explain -f", () => {
  test("knows an example of every admission reason that an object can have", () => {
    assert.deepEqual([...Object.keys(CASES), ...NOT_OF_AN_OBJECT].sort(), Object.values(ADMISSION_REASONS).flat().sort());
  });

  for (const [reason, [what, message, ...args]] of Object.entries(CASES)) {
    test(`says ${reason}, what it means, and ends with the code of its outcome`, async () => {
      const { code, first } = await explain([await what(), WITH_SECRET], ...args);
      const outcome = Object.entries(ADMISSION_REASONS).find(([, reasons]) => (reasons as readonly string[]).includes(reason))?.[0];

      assert.deepEqual([first.verdict.outcome, first.verdict.reason], [outcome, reason]);
      assert.match(first.verdict.message, message);
      assert.equal(code, ["denied", "errored"].includes(outcome ?? "") ? 1 : 0);
    });
  }

  test("goes through opt-in, class, identity, volume and mounts, each container by name", async () => {
    const { first } = await explain([aPod(OPTED_IN, { initContainers: [{ name: "first" }] }), aClass()]);
    const topics = first.steps.map(({ topic }) => topic);

    assert.deepEqual(
      [...new Set(topics)].filter((topic) => topic !== "advice"),
      ["opt-in", "class", "identity", "volume", "mount"],
    );
    const said = first.steps.map(({ message }) => message).join("\n");
    assert.match(said, /volume secrets-store-inline \(added\) mounts class akvprovider-demo, credentials from Secret secrets-store-creds/);
    assert.match(said, /container first has volume secrets-store-inline at \/mnt\/secrets-store\ncontainer app has/);
    assert.match(said, /accesses the vault as the service principal of a credentials Secret/);
  });

  test("tells the pod's own volume from one that is added", async () => {
    const { first } = await explain([documentPod(prefixed(OPTED_IN)), aClass()]);

    assert.ok(first.steps.some(({ message }) => message.startsWith("volume secrets-store-inline (the pod's own)")));
  });

  test("says what is wrong with a class, and each identity by name", async () => {
    for (const [parameters, identity] of [
      [{ clientID: "app-1" }, /workload identity as the application app-1: /],
      [{ useVMManagedIdentity: "true", userAssignedIdentityID: "id-1" }, /managed identity id-1/],
      [{ useVMManagedIdentity: "true" }, /system-assigned/],
      [{ usePodIdentity: "true" }, /retired/],
      [{ usePodIdentity: "maybe" }, /write "true" or "false"/],
    ] as const) {
      const { first } = await explain([aClass(parameters)]);
      assert.match(first.steps.find(({ topic }) => topic === "identity")?.message ?? "", identity);
    }
  });

  test("P16: an identity that only mounts can use is not said to be the one that Secrets are synced with", async () => {
    const secretObjects = [{ secretName: "app", type: "Opaque", data: [{ objectName: "DemoSecret", key: "k" }] }];
    const mounted = aClass({ useAzureTokenProxy: "true", clientID: "app-1" });
    const { first } = await explain([{ ...mounted, spec: { ...mounted.spec, secretObjects } }]);
    const identity = first.steps.find(({ topic }) => topic === "identity");

    assert.ok(
      first.steps.some(({ topic, state, message }) => topic === "class" && state === "problem" && /identity binding/.test(message)),
    );
    assert.equal(
      identity?.message,
      "volumes of class akvprovider-demo access the vault as the application app-1, with an identity binding; its Secrets are not synced",
    );
  });

  test("repeats no value of an environment variable or of a Secret", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "hunter2" }, data: { b: "aHVudGVyMg==" } };
    const pod = aPod(OPTED_IN, { containers: [{ name: "app", env: [{ name: "A", value: "hunter2" }] }] });
    const { output, notes } = await runOffline(["explain", "-f", "-"], [secret, pod].map((each) => JSON.stringify(each)).join("\n---\n"));

    assert.ok(output.length > 100);
    assert.ok(!/hunter2|aHVudGVyMg/.test(output + notes.join("\n")));
  });

  test("escapes what would move a terminal's cursor", async () => {
    const { output } = await runOffline(["explain", "-f", "-"], JSON.stringify(aPod({ inject: "\u001b[2Jx" })));

    assert.ok(!output.includes("\u001b"));
  });
});
