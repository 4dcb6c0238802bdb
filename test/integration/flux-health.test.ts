import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { parse } from "yaml";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { ABSENT, classNaming } from "../support/cluster/edited-class.ts";
import { type Flux, type FluxCondition, fluxRefusal, startFlux } from "../support/cluster/flux.ts";
import { TEAM, teamKustomization } from "../support/cluster/flux-install.ts";
import { at, folderManifests, listAt } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Place, reasonIs, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal() ?? fluxRefusal();
const KIND = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync" };

/** Returns the expressions of the page, as a reader would copy them. */
function expressionsOfThePage(): readonly unknown[] {
  const blocks = readRepositoryFile("docs/how-to/install-with-gitops.md").matchAll(/^ *```yaml\n([\s\S]*?)^ *```$/gm);
  const texts = [...blocks].map(([, text = ""]) => text).filter((text) => text.includes("healthCheckExprs"));
  assert.equal(texts.length, 1);
  const expressions = listAt(parse(texts[0] ?? ""), "spec", "healthCheckExprs");
  assert.equal(expressions.length, 1);
  return expressions;
}

let world: SyncWorld;
let flux: Flux;

/** Ways to check health, by Flux itself and with expressions: each is the same Kustomization with additional fields in its spec. */
const WAYS: readonly (readonly [string, object])[] = [
  ["healthChecks alone, which kstatus judges", {}],
  ["healthCheckExprs", { healthCheckExprs: expressionsOfThePage() }],
  ["wait, where the status object stands in Git too", { wait: true }],
];

describe("Flux's health check of a class", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.product.start("sync");
    flux = await startFlux(world.plane);
    const source = (await folderManifests("gitops/flux")).filter(({ kind }) => kind === "GitRepository");
    await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: source }));
  });
  after(async () => {
    await flux?.stop();
    await world?.stop();
  });

  async function commit(place: Place, object: string, isStatusInGit: boolean): Promise<void> {
    const documents: object[] = [classNaming(world, place, object)];
    if (isStatusInGit) documents.push({ ...KIND, metadata: { name: place.name } });
    await flux.publish(new Map([[`${TEAM}/class.yaml`, documents.map((document) => JSON.stringify(document)).join("\n---\n")]]));
  }

  /**
   * Returns the first answer, and the answer after the worker has processed the commit, which needs a second round if Flux was faster than
   * the worker.
   */
  async function answersTo(reason: string, place: Place): Promise<readonly [FluxCondition, FluxCondition]> {
    const first = await flux.reconcile("team");
    await reasonIs(world.plane, place, reason);
    return [first, await flux.reconcile("team")];
  }

  for (const [way, spec] of WAYS) {
    test(`F1: by ${way}, fails after an edit that fails and is good after one that mends`, {
      timeout: 180_000,
    }, async (context: TestContext) => {
      const place = { namespace: await world.namespace(), name: "shop" };
      const object = await world.object("value");
      const isWaiting = "wait" in spec;
      const team = teamKustomization(place.namespace);
      const checked = { ...KIND, ...place };
      const checks = isWaiting ? {} : { healthChecks: [checked] };
      await commit(place, object, isWaiting);
      const whole = { ...team, spec: { ...Object(at(team, "spec")), timeout: "20s", ...checks, ...spec } };
      await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify(whole));
      const [made] = await answersTo("Synced", place);
      assert.equal(made.status, "True", made.message);

      await commit(place, ABSENT, isWaiting);
      const [early, failed] = await answersTo("ObjectNotFound", place);
      context.diagnostic(`the first answer after the edit: Ready ${early.status}, ${early.reason}`);
      assert.deepEqual([failed.status, failed.reason], ["False", "HealthCheckFailed"]);
      assert.match(failed.message, /SecretProviderClassSync\/\S+\/shop/);

      await commit(place, object, isWaiting);
      const [, mended] = await answersTo("Synced", place);
      assert.equal(mended.status, "True", mended.message);

      await world.plane.kubectl(["delete", "kustomization", "team", "-n", "flux-system"]);
      await eventually(async () => (await world.plane.kubectl(["get", "kustomizations", "-A", "-o", "name"])) === "", { within: 60_000 });
    });
  }
});
