import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { renderKustomization } from "../../tools/render-manifests.ts";
import { controlPlaneBinary, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests, renderOverlay } from "../support/cluster/shipped-manifests.ts";

const refusal = controlPlaneRefusal();
const WORKER = "keyvault-injector-sync";
const FOLDERS = ["overlays/default", "components/csi-driver", "components/azure-provider"];
/** What a component is made of; RBAC and policies are never healed. */
const COMPONENTS =
  /^(deployments|daemonsets|services|serviceaccounts|poddisruptionbudgets|priorityclasses|csidrivers|(mutating|validating)webhookconfigurations)$/;

/** A folder, with or without component healing, as its reader would render it. */
async function rendered(folder: string, isHealed: boolean): Promise<readonly Manifest[]> {
  const place = mkdtempSync(path.join(tmpdir(), "component-rights-"));
  try {
    const relative = (part: string): string => path.relative(place, path.join(MANIFESTS, part));
    const components = isHealed ? [] : [relative("components/no-component-healing")];
    writeFileSync(path.join(place, "kustomization.yaml"), JSON.stringify({ resources: [relative(folder)], components }));
    return parseManifests(await renderKustomization(controlPlaneBinary("kubectl"), place));
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** What the worker may make or change of components: `create deployments.apps`. Its restart stamp is a patch of any workload. */
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

describe("the overlays of few rights", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const overlay of ["blind", "strict"]) {
    test(`S3: the worker is refused the node side by ${overlay}, and told to leave it alone`, async () => {
      const manifests = parseManifests(await renderOverlay(overlay));
      const worker = manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === WORKER);
      const policy = manifests.find(
        ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === "keyvault-injector-sync-workloads",
      );

      assert.ok(listAt(worker, "spec", "template", "spec", "containers", 0, "args").includes("--heal-node-side=false"));
      assert.equal(at(policy, "spec", "variables", 0, "name"), "isOwnComponent");
      assert.doesNotMatch(String(at(policy, "spec", "variables", 0, "expression")), /csi-secrets-store/);
      assert.match(String(at(policy, "spec", "variables", 0, "expression")), /keyvault-injector-sync/);
      assert.match(await renderOverlay("default"), /csi-secrets-store-provider-azure-windows/);
    });
  }
});

describe("without component healing", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const folder of FOLDERS) {
    test(`the worker has no right to write a component, and has it with it: ${folder}`, async () => {
      assert.deepEqual(writesOf(await rendered(folder, false)), []);
      assert.notDeepEqual(writesOf(await rendered(folder, true)), []);
    });
  }

  test("the worker is told not to, and its policy leaves it the restart stamp alone", async () => {
    const manifests = await rendered("overlays/default", false);
    const worker = manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === WORKER);
    assert.equal(listAt(worker, "spec", "template", "spec", "containers", 0, "args").at(-1), "--heal=crds,classes");
    const policy = manifests.find(
      ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === "keyvault-injector-sync-workloads",
    );
    assert.deepEqual(at(policy, "spec", "variables", 0), { name: "isOwnComponent", expression: "false" });
  });
});
