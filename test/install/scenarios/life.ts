import assert from "node:assert/strict";
import { clusterOf } from "../../e2e/support/cluster.ts";
import { ANNOTATED, ANNOTATED_POD, DOCUMENT, DOCUMENT_POD } from "../../e2e/support/document-walk.ts";
import { injecting } from "../../e2e/support/install.ts";
import type { Scenarios } from "../../e2e/support/scenarios.ts";
import { VAULT } from "../../e2e/support/world.ts";
import { watchingComebacks } from "../support/comebacks.ts";
import type { InstallWorld } from "../support/install-world.ts";
import { type Kept, whatIsKept } from "../support/kept.ts";
import { underPodLoad } from "../support/pod-load.ts";
import type { Way } from "../ways/way.ts";

const OBJECT = "DemoSecret";

/** The life of an install: install, use, change, upgrade, uninstall. The first step calls `way`. */
export function lifeScenarios(scenario: Scenarios, name: string, setting: { world: () => InstallWorld; way: () => Promise<Way> }): Life {
  const { world } = setting;
  let way: Way | undefined;
  const opened = (): Way => {
    assert.ok(way, `${name} was not installed: see the first failure`);
    return way;
  };
  const cluster = clusterOf(world);
  const reads = async (expected: string): Promise<void> => {
    await cluster.until(`${expected} in both pods and in the Secret`, async () => {
      const read = [await world().walk.type(DOCUMENT.read), await world().walk.type(ANNOTATED.read)];
      return [...read, await cluster.secretKey("demo-secret", "password")].every((value) => value === expected);
    });
  };
  const removePods = (): Promise<string> =>
    world().node.kubectl(["delete", "pod", DOCUMENT_POD, ANNOTATED_POD, "--ignore-not-found", "--grace-period=1", "--timeout=60s"]);
  const rotateTo = async (value: string): Promise<void> => {
    await world().emulator.rotateSecret({ vault: VAULT, name: OBJECT, value });
    await reads(value);
  };

  return {
    install: () =>
      scenario.run(`${name}: installed, and the walk-through's pod reads its secret`, async () => {
        way = await setting.way();
        await opened().install();
        await injecting(world().node, 60_000);
        await walkThrough(world());
        await reads("MyExampleSecret");
      }),
    change: () =>
      scenario.run(`${name}: a changed setting is in force: a rotation arrives within seconds`, async () => {
        await opened().change();
        await rotateTo(`rotated-with-${name}`);
        await rotateTo("MyExampleSecret");
      }),
    upgrade: (what) =>
      scenario.run(`${name}: upgraded ${what}, and no pod misses its volume`, async () => {
        const { created, refused, missed } = await underPodLoad(world(), () => opened().upgrade());
        console.log(`${name}: upgraded ${what} under ${created + refused.length} pods: ${refused.length} refused, ${missed} missed`);
        assert.deepEqual([refused, missed], [[], 0]);
        assert.ok(created > 10, `${created} pods are too few to say anything`);
        await reads("MyExampleSecret");
      }),
    works: (when) =>
      scenario.run(`${name}: works as before ${when}: a new pod reads its secret`, async () => {
        await removePods();
        await injecting(world().node, 60_000);
        await walkThrough(world());
        await rotateTo(`rotated-${when.replaceAll(" ", "-")}`);
        await rotateTo("MyExampleSecret");
      }),
    uninstall: () =>
      scenario.run(`${name}: removed; no pod is refused, nothing comes back, definitions, classes and Secrets stay`, async () => {
        // As the page on uninstalling requires, no pod mounts a class any more.
        await removePods();
        const before = await whatIsKept(world());
        const { result, gone, back } = await watchingComebacks(world(), (comebacks) =>
          underPodLoad(world(), async () => {
            await opened().uninstall();
            await comebacks.afterHealingWouldHaveActed();
          }),
        );
        const { created, refused } = result;
        console.log(
          `${name}: uninstalled under ${created + refused.length} pods: ${refused.length} refused; ${gone} components gone, ${back.length} came back`,
        );
        assert.deepEqual([refused, back], [[], []]);
        assert.ok(gone > 10 && created > 10, `${gone} components and ${created} pods are too few to say anything`);
        assertKept(await whatIsKept(world()), before);
      }),
  };
}

export interface Life {
  install(): void;
  change(): void;
  /** `what` names the two versions. */
  upgrade(what: string): void;
  /** Checks new pods. `when` names the time. */
  works(when: string): void;
  uninstall(): void;
}

/** Runs the documentation's commands again. Existing objects stay unchanged. */
async function walkThrough({ walk, node }: InstallWorld): Promise<void> {
  const isFirst = (await node.kubectl(["get", "secret", "secrets-store-creds", "--ignore-not-found"])) === "";
  if (isFirst) for (const command of DOCUMENT.credentials) await walk.type(command);
  await walk.type(DOCUMENT.class);
  await walk.type("kubectl apply -f secretproviderclass-mirrored.yaml");
  await walk.type(DOCUMENT.pod);
  await walk.type(ANNOTATED.pod);
  for (const pod of [DOCUMENT_POD, ANNOTATED_POD]) await walk.ready(pod);
}

function assertKept(now: Kept, before: Kept): void {
  assert.deepEqual(now, before);
  assert.ok(now.definitions.length === 3 && now.classes.length >= 2 && now.secrets.length >= 1, JSON.stringify(now));
}
