import assert from "node:assert/strict";
import { POD_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { eventually } from "../../support/time/eventually.ts";
import { SYNC_USER } from "../../support/worker/sync-world.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { podTemplate, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

const SECRET = { name: "rotated-secret", key: "password" } as const;
const CLASS = "rotated";
const OBJECT = "RotatedSecret";
const NAMES = ["rotated-a", "rotated-b", "rotated-c"] as const;

/** Its container exits for one value. `minReadySeconds` prevents a container that is about to exit from counting as ready. */
function deployment(name: string): object {
  const env = [{ name: "PASSWORD", valueFrom: { secretKeyRef: SECRET } }];
  const container = shell("app", `test "$PASSWORD" != bad; trap 'exit 0' TERM; sleep 10000 & wait`, { env });
  const template = podTemplate(name, { containers: [container], annotations: { [POD_ANNOTATIONS.restartOnRotation]: "true" } });
  const spec = { selector: { matchLabels: { app: name } }, template, minReadySeconds: 2, progressDeadlineSeconds: 10 };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec };
}

export function rolloutScenarios(scenario: Scenarios, world: () => World): void {
  const kubectl = (...args: readonly string[]): Promise<string> => world().node.kubectl(args);
  const apply = (object: object): Promise<string> => world().node.kubectl(["apply", "--filename=-"], JSON.stringify(object));
  const annotation = POD_ANNOTATIONS.rotated.replaceAll(".", "\\.");
  const stampOf = (name: string, where: string): Promise<string> =>
    kubectl("get", `deployment/${name}`, `--output=jsonpath={${where}.annotations.${annotation}}`);
  const restartStampOf = (name: string): Promise<string> => stampOf(name, ".spec.template.metadata");
  const recordOf = (name: string): Promise<string> => stampOf(name, ".metadata");
  const valueIn = (name: string): Promise<string> => kubectl("exec", `deployment/${name}`, "--", "sh", "-c", 'printf %s "$PASSWORD"');
  const mirrored = async (): Promise<string> =>
    Buffer.from(await kubectl("get", "secret", SECRET.name, `--output=jsonpath={.data.${SECRET.key}}`), "base64").toString("utf8");

  const until = (what: string, attempt: () => Promise<boolean>): Promise<boolean> =>
    eventually(attempt, { within: 120_000, every: 250, what });
  const recorded = (...names: readonly string[]): Promise<boolean> =>
    until(`the records of ${names.join(", ")}`, async () => (await Promise.all(names.map(recordOf))).every((stamp) => stamp !== ""));
  const rotateTo = async (value: string): Promise<void> => {
    await world().emulator.rotateSecret({ vault: VAULT, name: OBJECT, value });
    await kubectl("annotate", "--overwrite", `secretproviderclass/${CLASS}`, `keyvault-injector.dev/refresh=${value}`);
    await until(`the Secret with the value ${value}`, async () => (await mirrored()) === value);
  };
  const run = (name: string): Promise<string> => kubectl("rollout", "status", `deployment/${name}`, "--timeout=60s");
  /** Deployments to which the worker wrote, with the times. */
  const writes = (): readonly { readonly name: string; readonly time: string }[] =>
    world()
      .audit()
      .filter(
        ({ user, verb, resource, code }) => user === SYNC_USER && verb === "patch" && resource === "apps/deployments" && code === 200,
      );

  scenario.run("three Deployments are restarted in order after a rotation, and younger pods are left alone", async () => {
    await world().emulator.setSecret({ vault: VAULT, name: OBJECT, value: "one" });
    await apply(await mirroringClass(world()));
    // The status appears a moment after the class, and `kubectl wait` for a condition fails if the object does not exist.
    await kubectl("wait", "--for=create", `spcsync/${CLASS}`, "--timeout=30s");
    await kubectl("wait", "--for=condition=Synced", `spcsync/${CLASS}`, "--timeout=30s");
    await apply({ apiVersion: "v1", kind: "List", items: NAMES.toReversed().map(deployment) });
    for (const name of NAMES) await run(name);
    await recorded(...NAMES);
    const before = writes().length;

    await rotateTo("two");
    await until("a restart", async () => (await restartStampOf("rotated-a")) !== "");
    await apply(deployment("younger"));
    await run("younger");
    await until("the last restart", async () => (await restartStampOf("rotated-c")) !== "");
    for (const name of NAMES) await run(name);
    await recorded("younger");

    const written = writes()
      .slice(before)
      .filter(({ name }) => name !== "younger");
    // The next write to each Deployment records how its restart ended.
    const restarts = written.filter(({ name }, index) => written.findIndex((write) => write.name === name) === index);
    console.log(`restarted: ${restarts.map(({ name, time }) => `${name} at ${time.slice(11, 19)}`).join(", ")}; younger: not`);
    assert.deepEqual(
      restarts.map(({ name }) => name),
      NAMES,
    );
    for (const [index, name] of NAMES.slice(0, -1).entries()) {
      const ready = await kubectl(
        "get",
        "pods",
        `--selector=app=${name}`,
        "--output=jsonpath={.items[*].status.conditions[?(@.type=='Ready')].lastTransitionTime}",
      );
      assert.ok(Date.parse(ready) < Date.parse(restarts[index + 1]?.time ?? ""), `${name} was ready before the next was restarted`);
    }
    for (const name of NAMES) assert.equal(await valueIn(name), "two");
    assert.equal(await valueIn("younger"), "two");
    assert.equal(await restartStampOf("younger"), "");
  });

  scenario.run("a Deployment that a new version breaks stops the rest, and a good version goes to all", async () => {
    const [first, ...rest] = NAMES;
    const condition = `--output=jsonpath={.status.conditions[?(@.type=='Rotated')].reason}`;
    // A Deployment whose restart is not proven yet would come first.
    await until("the restarts before to be over", async () => (await kubectl("get", `spcsync/${CLASS}`, condition)) === "Rotated");
    const before = await Promise.all(rest.map(restartStampOf));

    await rotateTo("bad");
    const failed = "--field-selector=reason=RolloutFailed,involvedObject.name=rotated-a";
    await until(
      "the failure's event",
      async () => (await kubectl("get", "events", failed, "--output=jsonpath={.items[*].message}")) !== "",
    );
    console.log(await kubectl("get", "events", failed, "--output=jsonpath={.items[*].message}"));
    // The worker emits events before it writes conditions.
    await until("the failure's condition", async () => (await kubectl("get", `spcsync/${CLASS}`, condition)) === "RolloutFailed");
    assert.deepEqual(await Promise.all(rest.map(restartStampOf)), before);
    for (const name of rest) assert.equal(await valueIn(name), "two", "it runs as before");

    await rotateTo("three");
    await until("all to be rotated", async () => (await kubectl("get", `spcsync/${CLASS}`, condition)) === "Rotated");
    for (const name of [first, ...rest]) assert.equal(await valueIn(name), "three");
    await kubectl("delete", "deployment", ...NAMES, "younger", "--wait=false");
    await kubectl("delete", "secretproviderclass", CLASS);
  });
}

/** The documentation's class with another object, synced into a Secret. */
async function mirroringClass({ node }: World): Promise<object> {
  const parameters = JSON.parse(
    await node.kubectl(["get", "secretproviderclass", "akvprovider-demo", "--output=jsonpath={.spec.parameters}"]),
  ) as object; // The API server's own object.
  const objects = `array:\n  - |\n    objectName: ${OBJECT}\n    objectType: secret\n`;
  const secretObjects = [{ secretName: SECRET.name, type: "Opaque", data: [{ objectName: OBJECT, key: SECRET.key }] }];
  const spec = { provider: "azure", parameters: { ...parameters, objects }, secretObjects };
  return { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata: { name: CLASS }, spec };
}
