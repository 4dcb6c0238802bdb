import assert from "node:assert/strict";
import path from "node:path";
import { INSTALL_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { MANIFESTS } from "../../support/cluster/shipped-manifests.ts";
import { eventually } from "../../support/time/eventually.ts";
import { ANNOTATED, ANNOTATED_POD } from "../support/document-walk.ts";
import { INJECTOR_NAMESPACE } from "../support/install.ts";
import type { Scenarios } from "../support/scenarios.ts";
import type { World } from "../support/world.ts";

const NAMESPACE = `--namespace=${INJECTOR_NAMESPACE}`;
const POLICIES = path.join(MANIFESTS, "components/injection-policy");

/** Must run last, because none of our processes runs after it. */
export function policyModeScenarios(scenario: Scenarios, world: () => World): void {
  scenario.run("with no process of ours running at all, the annotated pod reads its secret: policies inject it", async () => {
    const { node, walk } = world();
    await suspendHealing(world());
    for (const name of ["keyvault-injector-sync", "keyvault-injector-webhook"]) await endDeployment(world(), name);
    await node.kubectl(["delete", "mutatingwebhookconfiguration,validatingwebhookconfiguration", "keyvault-injector"]);
    await node.kubectl(["delete", "pod", ANNOTATED_POD, "--grace-period=1"]);
    await assert.rejects(
      walk.type(ANNOTATED.pod),
      /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'/,
      "the control: nobody injects",
    );

    await node.kubectl(["apply", `--filename=${POLICIES}/inject.yaml`]);
    await eventually(() => walk.type(ANNOTATED.pod), { within: 30_000, every: 250, what: "the annotated pod's admission" });
    await walk.ready(ANNOTATED_POD);

    const secret = await walk.type(ANNOTATED.read);
    console.log(secret);
    assert.equal(secret, "MyExampleSecret");
    assert.equal(await podsOf(world(), "keyvault-injector-sync"), "");
    assert.equal(await podsOf(world(), "keyvault-injector-webhook"), "");
  });
}

/**
 * Sets the mark of `uninstall --prepare`. Without it, the worker would scale its own Deployment up again before it ends. Its rights to
 * restart workloads suffice for that, even without those to heal.
 */
async function suspendHealing({ node }: World): Promise<void> {
  const uid = await node.kubectl(["get", NAMESPACE, "deployment/keyvault-injector-sync", "--output=jsonpath={.metadata.uid}"]);
  await node.kubectl(["annotate", "namespace", INJECTOR_NAMESPACE, `${INSTALL_ANNOTATIONS.uninstalling}=${uid}`]);
}

async function endDeployment(world: World, name: string): Promise<void> {
  await world.node.kubectl(["scale", NAMESPACE, `deployment/${name}`, "--replicas=0"]);
  try {
    await eventually(async () => (await podsOf(world, name)) === "", { within: 60_000, every: 500, what: `the end of ${name}` });
  } catch (error) {
    // Shows the cause: a pod that does not end, or a field manager that scaled the Deployment up again.
    const shown = [["deployments,pods"], [`deployment/${name}`, "--output=yaml", "--show-managed-fields"], ["events"]];
    const texts = await Promise.all(shown.map((what) => world.node.kubectl(["get", NAMESPACE, ...what])));
    throw new Error([String(error), ...texts].join("\n"), { cause: error });
  }
}

function podsOf({ node }: World, deployment: string): Promise<string> {
  const component = deployment.replace("keyvault-injector-", "");
  return node.kubectl(["get", "pods", NAMESPACE, `--selector=app.kubernetes.io/component=${component}`, "--output=name"]);
}
