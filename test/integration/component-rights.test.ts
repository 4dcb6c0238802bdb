import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import {
  at,
  healingManifests,
  listAt,
  type Manifest,
  nodeSideHealing,
  parseManifests,
  renderOverlay,
  renderOwnKustomization,
} from "../support/cluster/shipped-manifests.ts";

const refusal = controlPlaneRefusal();
const WORKER = "keyvault-injector-sync";
const NODE_SIDE = ["components/csi-driver", "components/azure-provider"];
/** Kinds of objects that components consist of. The worker never heals RBAC and policies. */
const COMPONENTS =
  /^(deployments|daemonsets|services|serviceaccounts|poddisruptionbudgets|priorityclasses|csidrivers|(mutating|validating)webhookconfigurations)$/;

/** Renders a folder with components on top of it, as a reader of the page would. */
async function rendered(folder: string, ...components: readonly string[]): Promise<readonly Manifest[]> {
  return parseManifests(await renderOwnKustomization({ resources: [folder], components }));
}

const argumentsOf = (manifests: readonly Manifest[]): readonly unknown[] =>
  listAt(
    manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === WORKER),
    "spec",
    "template",
    "spec",
    "containers",
    0,
    "args",
  );

/** Returns the workloads that the policy allows the worker to write. */
function ownComponents(manifests: readonly Manifest[]): string {
  const policy = manifests.find(
    ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === "keyvault-injector-sync-workloads",
  );
  assert.equal(at(policy, "spec", "variables", 0, "name"), "isOwnComponent");
  return String(at(policy, "spec", "variables", 0, "expression"));
}

/**
 * Returns the writes to components that RBAC allows the worker, such as `create deployments.apps`. The worker's restart stamp is a patch of
 * any workload.
 */
function writesOf(manifests: readonly Manifest[]): readonly string[] {
  const bindings = manifests.filter(({ kind }) => kind.endsWith("RoleBinding"));
  const roles = bindings
    .filter((binding) => listAt(binding, "subjects").some((subject) => at(subject, "name") === WORKER))
    .map((binding) => at(binding, "roleRef", "name"));
  const rules = manifests
    .filter(({ kind, metadata }) => kind.endsWith("Role") && roles.includes(metadata.name))
    .flatMap((role) => listAt(role, "rules"));
  const stamp = ["patch deployments", "patch daemonsets"];
  return rules
    .flatMap((rule) =>
      listAt(rule, "resources").flatMap((resource) =>
        listAt(rule, "verbs").map((verb) => ({ verb: String(verb), resource: String(resource), rule })),
      ),
    )
    .filter(({ verb, resource }) => COMPONENTS.test(resource) && /create|update|patch|delete/.test(verb))
    .filter(({ verb, resource, rule }) => listAt(rule, "resourceNames").length > 0 || !stamp.includes(`${verb} ${resource}`))
    .map(({ verb, resource }) => `${verb} ${resource}`);
}

describe("the node side", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const overlay of ["default", "blind", "strict"]) {
    test(`S3: is refused to the worker by the overlay ${overlay}, which is told to leave it alone`, async () => {
      const manifests = parseManifests(await renderOverlay(overlay));

      assert.ok(argumentsOf(manifests).includes("--heal-node-side=false"));
      assert.doesNotMatch(ownComponents(manifests), /csi-secrets-store/);
      assert.match(ownComponents(manifests), /keyvault-injector-sync/);
    });
  }

  for (const folder of NODE_SIDE) {
    test(`comes without a right of the worker to it, and with one where healing is asked for: ${folder}`, async () => {
      const { components = [] } = nodeSideHealing(folder);
      assert.deepEqual(writesOf(await rendered(folder)), []);
      assert.notDeepEqual(writesOf(await rendered(folder, ...components)), []);
    });
  }

  test("is healed where that is asked for: by the flag, by the policy, and in what pins the worker's pods", async () => {
    const manifests = await healingManifests("overlays/default");

    assert.ok(argumentsOf(manifests).includes("--heal-node-side=true"));
    assert.match(ownComponents(manifests), /csi-secrets-store-provider-azure-windows/);
    const pinned = manifests.find(({ kind, metadata }) => kind === "PodTemplate" && metadata.name === WORKER);
    assert.deepEqual(listAt(pinned, "template", "spec", "containers", 0, "args"), argumentsOf(manifests));
  });
});

describe("without component healing", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const folder of ["overlays/default", ...NODE_SIDE]) {
    test(`the worker has no right to write a component, and has it with it: ${folder}`, async () => {
      const { components = [] } = nodeSideHealing(folder);
      assert.deepEqual(writesOf(await rendered(folder, ...components, "components/no-component-healing")), []);
      assert.notDeepEqual(writesOf(await rendered(folder, ...components)), []);
    });
  }

  test("the worker is told not to, and its policy leaves it the restart stamp alone", async () => {
    const manifests = await rendered("overlays/default", "components/no-component-healing");
    assert.equal(argumentsOf(manifests).at(-1), "--heal=crds,classes");
    const policy = manifests.find(
      ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === "keyvault-injector-sync-workloads",
    );
    assert.deepEqual(at(policy, "spec", "variables", 0), { name: "isOwnComponent", expression: "false" });
  });
});
