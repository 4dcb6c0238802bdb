import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, listAt, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";

const ports = (rules: readonly unknown[]): readonly number[] =>
  [...new Set(rules.flatMap((rule) => listAt(rule, "ports").map((port) => Number(at(port, "port")))))].sort((a, b) => a - b);

function deploymentOf(component: string): Manifest | undefined {
  return readManifests(`base/${component}.yaml`).find(({ kind }) => kind === "Deployment");
}

describe("the network policies", () => {
  for (const component of ["webhook", "sync"]) {
    const [policy] = readManifests(`components/network-policies/${component}.yaml`);
    const deployment = deploymentOf(component);
    const ingress = listAt(policy, "spec", "ingress");

    test(`are about the pods of ${component}, in both directions`, () => {
      assert.deepEqual(at(policy, "spec", "podSelector"), at(deployment, "spec", "selector"));
      assert.deepEqual(at(policy, "spec", "policyTypes"), ["Ingress", "Egress"]);
    });

    test(`let in what ${component} serves, the metrics to one namespace only`, () => {
      const served = listAt(deployment, "spec", "template", "spec", "containers", 0, "ports").map((port) =>
        Number(at(port, "containerPort")),
      );
      assert.deepEqual(
        ports(ingress),
        served.toSorted((a, b) => a - b),
      );
      for (const rule of ingress) {
        const isMetrics = ports([rule]).includes(9090);
        assert.equal(listAt(rule, "from").length, isMetrics ? 1 : 0);
      }
    });

    test(`let ${component} out to DNS and the API server`, () => {
      const everywhere = listAt(policy, "spec", "egress").filter((rule) => at(rule, "to") === undefined);
      assert.deepEqual(ports(everywhere), [53, 443, 5353, 6443]);
    });
  }

  test("let the worker alone ask the node's metadata service", () => {
    const metadata = (component: string): boolean =>
      JSON.stringify(readManifests(`components/network-policies/${component}.yaml`)).includes("169.254.169.254/32");
    assert.deepEqual([metadata("sync"), metadata("webhook")], [true, false]);
  });
});
