import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { type ControlPlane, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { onOneMachine } from "../support/cluster/one-machine.ts";
import { at, folderManifests, MANIFESTS, type Manifest, parseManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { classOf, createClass, find, opaque, reasonIs, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
/**
 * Arguments for the same apply as with Argo CD's sync option ServerSideApply: with its field manager, and even over fields that others own.
 */
const AS_ARGO = ["--server-side", "--field-manager=argocd-controller", "--force-conflicts"];
const WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/keyvault-injector";
const listOf = (items: readonly unknown[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

describe("what Argo CD applies", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let world: SyncWorld;
  let applied: readonly Manifest[];
  before(async () => {
    world = await startSyncWorld({
      apply: async (plane: ControlPlane, admissionPort) => {
        await plane.kubectl(["apply", ...AS_ARGO, "-k", path.join(MANIFESTS, "crds")]);
        applied = onOneMachine(await folderManifests("overlays/default"), admissionPort);
        await plane.kubectl(["apply", ...AS_ARGO, "-f", "-"], listOf(applied));
      },
    });
    await world.product.start("sync", { within: 120_000 });
    await world.product.start("webhook", { within: 120_000 });
  });
  after(async () => {
    await world?.stop();
  });

  /** Server-side diff, as with Argo CD's `ServerSideDiff=true`. Empty if there are no differences. */
  function differences(items: readonly Manifest[]): Promise<string> {
    return world.plane.kubectl(["diff", ...AS_ARGO, "-f", "-"], listOf(items)).catch((error: unknown) => String(error));
  }

  test("is no difference to what is there once both processes have done their work, with no field ignored", async () => {
    const namespace = await world.namespace();
    const object = await world.object("value");
    const facts = { namespace, name: "shop", objects: [object], secretObjects: [opaque("shop", object)] };
    await createClass(world.plane, classOf(world, facts));
    await reasonIs(world.plane, { namespace, name: "shop" }, "Synced");
    await eventually(async () => at(await find(world.plane, WEBHOOK), "webhooks", 0, "clientConfig", "caBundle") !== undefined, {
      what: "the CA that the webhook publishes",
    });

    const crds = await folderManifests("crds");
    assert.equal(await differences([...crds, ...applied]), "");
    assert.ok(applied.length > 30);
  });

  test("would be one where a field that is applied was changed", async () => {
    await world.plane.kubectl(["label", "clusterrole", "keyvault-injector-sync", "--overwrite", "app.kubernetes.io/component=other"]);
    assert.match(await differences(applied), /exit status 1|component: other|Command failed/);
    await world.plane.kubectl(["apply", ...AS_ARGO, "-f", "-"], listOf(applied));
    assert.equal(await differences(applied), "");
  });

  test("ignores nothing in the shipped Applications, which ask for just that apply and that comparison", () => {
    const files = ["crds.yaml", "product.yaml", "node-side.yaml"];
    const applications = files.flatMap((file) => parseManifests(readFileSync(path.join(MANIFESTS, "gitops/argocd", file), "utf8")));
    for (const application of applications) {
      assert.equal(at(application, "spec", "ignoreDifferences"), undefined);
      assert.deepEqual(at(application, "spec", "syncPolicy", "syncOptions"), ["ServerSideApply=true"]);
    }
    const product = applications.find(({ metadata }) => metadata.name === "keyvault-injector");
    assert.equal(product?.metadata.annotations?.["argocd.argoproj.io/compare-options"], "ServerSideDiff=true");
  });
});
