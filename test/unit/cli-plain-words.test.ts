import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readersSteps } from "../../src/cli/explain/cluster-steps.ts";
import { loadFingerprints } from "../../src/cli/restore/snapshots.ts";
import type { Binding, Rbac } from "../../src/cli/shared/rbac.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, prefixed } from "../support/fixtures/pods.ts";
import { holding } from "../support/worker/held-objects.ts";

const P = "keyvault-injector.dev";

describe("N30: who may read a Secret", () => {
  const roleRef = { kind: "ClusterRole", name: "all" };
  const binding = (name: string, subject: string): Binding => ({
    apiVersion: "v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef,
    subjects: [{ kind: "User", name: subject }],
  });
  const rbac = (...clusterRoleBindings: readonly Binding[]): Rbac => ({
    roles: [],
    roleBindings: [],
    clusterRoles: [
      { apiVersion: "v1", kind: "ClusterRole", metadata: { name: "all" }, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] },
    ],
    clusterRoleBindings,
  });
  const reported = (value: Rbac) => readersSteps("shop", ["app"], false, { kind: "seen", value })[0]?.message;

  test("is told by name, and Kubernetes' own controllers by their number", () => {
    const own = [binding("system:controller:a", "a"), binding("system:controller:b", "b")];

    assert.equal(
      reported(rbac(...own, binding("ops", "eve"))),
      "Secret app can be read by User eve (ClusterRoleBinding ops), and 2 built-in Kubernetes identities (system:…)",
    );
    assert.equal(reported(rbac(...own)), "Secret app can be read by 2 built-in Kubernetes identities (system:…)");
    assert.equal(reported(rbac()), "Secret app can be read by no account through RBAC (except cluster administrators' groups)");
  });
});

describe("N31: a step of explain", () => {
  test("says no word twice", async () => {
    const pod = aPod({ inject: "true", "secret-provider-class": "nowhere" });
    const { output } = await runOffline(["explain", "-f", "-"], JSON.stringify(pod));

    assert.match(output, /^ {2}warning {2}advice {7}SecretProviderClass "nowhere" is not in these files/m);
    assert.doesNotMatch(output, /warning +warning/);
  });

  test("calls an absent opt-in fine only where nothing asks for one", async () => {
    const labelled = { ...aPod({}), metadata: { name: "a", labels: { [`${P}/inject`]: "true" } } };
    for (const [pod, state] of [
      [labelled, "warning"],
      [aPod({}), "ok     "],
    ] as const) {
      const { output } = await runOffline(["explain", "-f", "-"], JSON.stringify(pod));
      assert.match(output, new RegExp(`^  ${state}  opt-in {7}annotation .* is absent`, "m"));
    }
  });
});

test("N32: a class that is in no file is missing, and a guess ends in one mark", async () => {
  const pod = { ...aPod({ inject: "true", "secret-provider-class": "akvprovider-dem" }), metadata: undefined };
  const annotations = prefixed({ inject: "true", "secret-provider-class": "akvprovider-dem" });
  const text = [JSON.stringify({ ...pod, metadata: { name: "a", annotations } }), JSON.stringify(aClass())].join("\n");
  const { notes } = await runOffline(["render", "-f", "-"], text);

  assert.match(
    notes.join("\n"),
    /is not in these files; did you mean "akvprovider-demo"\? \(credentials: Secret "secrets-store-creds"\) \(ClassMissing\)$/m,
  );
});

describe("N39: a restore without the key of snapshots", () => {
  const wanted = async (...objects: Parameters<typeof holding>[0][number][]) =>
    loadFingerprints(holding(objects), await workerCode(), "keyvault-injector");

  test("says whether the worker has yet to start, or another install is meant", async () => {
    const worker = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "keyvault-injector-sync", namespace: "keyvault-injector" },
    };

    await assert.rejects(
      wanted(worker),
      /Secret .* does not exist, .*; the install's worker has not started yet, so check its pods, or apply/,
    );
    await assert.rejects(wanted(), /Secret .* does not exist, .*; name the install with --install-namespace, or apply/);
  });
});
