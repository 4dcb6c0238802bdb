import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Check, CheckResult, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkClasses } from "../../src/cli/doctor/checks/classes.ts";
import { checkComponents, checkCrds, checkTokens } from "../../src/cli/doctor/checks/healing.ts";
import { checkInstalled, checkInstances } from "../../src/cli/doctor/checks/install.ts";
import { checkDriver, checkDriverSync, checkNodes, checkProvider } from "../../src/cli/doctor/checks/nodes.ts";
import { checkGuardrails, checkPolicies } from "../../src/cli/doctor/checks/policies.ts";
import { checkRestarts } from "../../src/cli/doctor/checks/restarts.ts";
import { checkRights } from "../../src/cli/doctor/checks/rights.ts";
import { checkCertificates, checkNamespaces, checkPreflight, checkWebhook } from "../../src/cli/doctor/checks/webhook.ts";
import type { SettingsInForce } from "../../src/cli/shared/settings-in-force.ts";
import { INSTALL_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { listAt, type Manifest, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";
import { holding, workerDeployment } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";

/** The shipped policies with a changed text. */
function policiesWith(change: (text: string) => string = (text) => text): readonly Manifest[] {
  const files: readonly string[] = Object(readManifests("policies/kustomization.yaml")[0])["resources"];
  return files.flatMap((file) => parseManifests(change(readRepositoryFile(`manifests/policies/${file}`))));
}

async function foundIn(policies: readonly Manifest[], namespace = NAMESPACE): Promise<readonly string[]> {
  const results = await checkPolicies({ viewer: holding(policies), namespace });
  return results.filter(({ state }) => state !== "OK").map(({ message }) => message);
}

describe("doctor's look at the policies", () => {
  test("finds nothing wrong with them as they are shipped", async () => {
    assert.deepEqual(await foundIn(policiesWith()), []);
  });

  test("takes another namespace of the node side for what it is", async () => {
    const moved = policiesWith((text) => text.replaceAll("'kube-system'", "'node-side'"));

    assert.ok(JSON.stringify(moved).includes("'node-side'"));
    assert.deepEqual(await foundIn(moved), []);
  });

  test("finds a policy that looks for the worker's own key in another namespace, kube-system among them", async () => {
    for (const elsewhere of ["elsewhere", "kube-system"]) {
      const moved = policiesWith((text) =>
        text.replaceAll("request.namespace == 'keyvault-injector'", `request.namespace == '${elsewhere}'`),
      );

      const expected = `policy keyvault-injector-sync-secrets is written for the install in namespace ${elsewhere}, not in keyvault-injector`;
      assert.deepEqual(await foundIn(moved), [expected]);
    }
  });

  test("finds each policy that names an account of another namespace, kube-system among them", async () => {
    for (const elsewhere of ["elsewhere", "kube-system"]) {
      const found = await foundIn(
        policiesWith((text) => text.replaceAll(":keyvault-injector:keyvault-injector-", `:${elsewhere}:keyvault-injector-`)),
      );

      assert.ok(found.length >= 5, found.join("; "));
      for (const message of found)
        assert.ok(message.endsWith(`is written for the install in namespace ${elsewhere}, not in keyvault-injector`));
    }
  });
});

const RBAC = ["base/sync-rbac.yaml", "components/namespaces/cluster-rights.yaml", "components/namespaces/binding.yaml"].flatMap(
  readManifests,
);

/** The rights of the shipped component for single namespaces: a binding in each namespace, and none for the whole cluster. */
function boundIn(...namespaces: readonly string[]): readonly Manifest[] {
  const everywhere = ({ kind, metadata }: Manifest): boolean => kind === "ClusterRoleBinding" && metadata.name === "keyvault-injector-sync";
  const served = ({ metadata }: Manifest): boolean => metadata.name === "keyvault-injector-sync-served";
  const kept = RBAC.filter((object) => !everywhere(object));
  const copies = namespaces.flatMap((namespace) =>
    kept.filter(served).map((binding) => ({ ...binding, metadata: { ...binding.metadata, namespace } })),
  );
  return [...kept, ...copies];
}

async function rightsOf(objects: readonly Manifest[], given: SettingsInForce): Promise<readonly CheckResult[]> {
  const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
  const worker = workerDeployment(...args);
  const results = await checkRights({ viewer: holding([...objects, worker]), namespace: NAMESPACE });
  return results.filter(({ state }) => state !== "OK");
}

async function lackingIn(objects: readonly Manifest[], namespaces = ""): Promise<readonly string[]> {
  return (await rightsOf(objects, { namespaces })).map(({ message }) => message);
}

/** The shipped rights with changed verbs of the worker's ClusterRole. A rule with an empty list of verbs is left out. */
function rulesWith(change: (resource: string, verbs: readonly string[]) => readonly string[]): readonly Manifest[] {
  return RBAC.map((object) => {
    if (object.kind !== "ClusterRole" || object.metadata.name !== "keyvault-injector-sync") return object;
    const rules = listAt(object, "rules").map((rule) => ({
      ...Object(rule),
      verbs: change(String(listAt(rule, "resources")[0]), listAt(rule, "verbs").map(String)),
    }));
    return { ...object, rules: rules.filter(({ verbs }) => verbs.length > 0) };
  });
}

/** The rights of `overlays/blind`. */
const BLIND = rulesWith((resource, verbs) =>
  resource !== "secrets" || verbs.join() === "get" ? verbs : verbs.includes("list") ? [] : ["create", "update", "delete"],
);

describe("doctor's look at the worker's rights", () => {
  test("finds nothing missing where each served namespace is bound", async () => {
    assert.deepEqual(await lackingIn(boundIn("one", "two"), "one,two"), []);
    assert.deepEqual(await lackingIn(RBAC), []);
    assert.deepEqual(await lackingIn(RBAC, "one,two"), []);
  });

  test("finds the served namespace that is not bound, and no other", async () => {
    const lacking = await lackingIn(boundIn("one"), "one,two");

    const inTwo = "the worker lacks permission to create, patch, delete secrets in two: no Secret is written";
    assert.ok(lacking.includes(inTwo), String(lacking));
    for (const message of lacking) assert.match(message, / in two: /);
  });

  test("R2: finds nothing missing where a blind install has what it uses", async () => {
    assert.deepEqual(await rightsOf(BLIND, { "secret-access": "blind" }), []);
  });

  test("R2: asks nobody to turn a blind install into one that reads every Secret", async () => {
    const none = rulesWith((resource, verbs) => (resource === "secrets" ? [] : verbs));
    const [missing] = await rightsOf(none, { "secret-access": "blind" });

    assert.match(missing?.message ?? "", /lacks permission to create, update, delete secrets: no Secret is written/);
    assert.match(missing?.fix ?? "", /overlays\/blind again/);
  });

  test("R2: finds a worker that watches Secrets and may not list them", async () => {
    const unwatched = rulesWith((resource, verbs) => (resource === "secrets" && verbs.includes("list") ? [] : verbs));

    assert.deepEqual(await lackingIn(unwatched), [
      "the worker lacks permission to list, watch secrets: the worker sees no edits of synced Secrets",
    ]);
  });

  for (const [what, resource, settings] of [
    ["tokens of ServiceAccounts", "serviceaccounts/token", { "allowed-identity-modes": "service-principal" }],
    ["workloads", "deployments", { "restart-workloads": "false" }],
  ] as const) {
    test(`R2: needs no rule for ${what} where the settings switch their use off, and needs it else`, async () => {
      const without = rulesWith((first, verbs) => (first === resource ? [] : verbs));

      assert.deepEqual(await rightsOf(without, settings), []);
      assert.ok((await rightsOf(without, {})).length > 0);
    });
  }

  test("counts no RoleBinding for an install that serves every namespace", async () => {
    const lacking = await lackingIn(boundIn("one", "two"));

    assert.ok(lacking.includes("the worker lacks permission to create, patch, delete secrets: no Secret is written"), lacking.join("; "));
  });
});

describe("doctor's look at parts that are not there", () => {
  const nobody = { kube: { create: async () => ({}) }, close: async () => undefined };
  // Each check uses its own part of this context.
  const bare = {
    viewer: holding([]),
    namespace: NAMESPACE,
    crds: readManifests("crds/kustomization.yaml")
      .flatMap((kustomization) => listAt(kustomization, "resources").map(String))
      .flatMap((file) => readManifests(`crds/${file}`)),
    clock: { now: () => Date.now() },
    cluster: { actAs: async () => nobody },
    worker: { tryGuardrails: async () => ({ missing: [], hidden: [], untested: [] }) },
    signal: new AbortController().signal,
  } as unknown as DoctorContext;
  const checks: Readonly<Record<string, Check>> = {
    crds: checkCrds,
    webhook: checkWebhook,
    preflight: checkPreflight,
    certificates: checkCertificates,
    components: checkComponents,
    policies: checkPolicies,
    guardrails: checkGuardrails,
    tokens: checkTokens,
    instances: checkInstances,
    rights: checkRights,
    driver: checkDriver,
    provider: checkProvider,
    "driver-sync": checkDriverSync,
    nodes: checkNodes,
    namespaces: checkNamespaces,
  };

  for (const [name, check] of Object.entries(checks)) {
    test(`D2: calls nothing OK that is not there, and one cause one finding: ${name}`, async () => {
      const results = await check(bare);

      assert.deepEqual(
        results.filter(({ state }) => state === "OK"),
        [],
      );
      // The CSIDriver and its DaemonSet exist independently, and are two findings.
      assert.equal(results.length, name === "driver" ? 2 : 1, JSON.stringify(results));
      for (const { state, message, fix } of results) {
        assert.ok((fix ?? "") !== "", message);
        if (state === "SKIP") assert.doesNotMatch(fix ?? "", /more rights/);
      }
    });
  }

  test("finds windows that cannot be read, on Namespaces, workloads and their templates, and a mode in which no restart begins", async () => {
    const window = (text: string) => ({ annotations: { "keyvault-injector.dev/restart-window": text } });
    const template = { spec: { template: { metadata: window("0 22 * * * for 4d") } } };
    const objects = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", ...window("at night") } },
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace: "team", name: "web", ...window("0 0 30 2 * for 1h") } },
      { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { namespace: "team", name: "db", ...window("0 22 * * * for 4h") } },
      { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { namespace: "team", name: "agent" }, ...template },
    ];
    const results = await checkRestarts({ viewer: holding(objects), namespace: NAMESPACE });

    assert.deepEqual(
      results.map(({ state, message }) => `${state} ${message.replace(/: keyvault.*begins/, "")}`),
      [
        'WARN Namespace team: "at night" is not "<cron> for <duration>"',
        'WARN Deployment team/web: "0 0 30 2 *" never occurs',
        'WARN DaemonSet team/agent: "4d" is not a duration',
      ],
    );
  });

  test("P2: finds keys of ours on Namespaces that nothing reads, also of grants and among labels", async () => {
    const prefixed = { "keyvault-injector.dev/restart-pause": "true", "grants.keyvault-injector.dev/service-account": "web" };
    const labels = { "keyvault-injector.dev/restart-paused": "true" };
    const read = { "keyvault-injector.dev/restart-paused": "true", "grants.keyvault-injector.dev/service-accounts": "web" };
    const ofInstall = { [INSTALL_ANNOTATIONS.uninstalling]: "1" };
    const results = await checkNamespaces({
      ...bare,
      viewer: holding([
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations: prefixed, labels } },
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "right", annotations: { ...read, ...ofInstall }, labels: { team: "a" } } },
      ]),
    });

    assert.deepEqual(
      results.filter(({ state }) => state === "WARN").map(({ message, fix }) => `${message} -> ${fix}`),
      [
        'Namespace shop: its annotation "keyvault-injector.dev/restart-pause" has no effect -> did you mean keyvault-injector.dev/restart-paused?',
        'Namespace shop: its annotation "grants.keyvault-injector.dev/service-account" has no effect -> did you mean grants.keyvault-injector.dev/service-accounts?',
        'Namespace shop: its label "keyvault-injector.dev/restart-paused" has no effect -> write it under annotations',
      ],
    );
  });

  test("D2: says nothing of rights where the kind of the statuses is not served", async () => {
    const viewer = { ...holding([]), all: async () => ({ kind: "unserved" }) as const };

    assert.deepEqual(await checkClasses({ ...bare, viewer }), [
      { check: "classes", state: "SKIP", message: "nothing to check: the API server does not serve this kind", fix: "see the check crds" },
    ]);
  });
});

describe("N7: doctor after uninstall --prepare", () => {
  const install = (marked?: string): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, ...(marked === undefined ? {} : { annotations: { [INSTALL_ANNOTATIONS.uninstalling]: marked } }) },
  });
  const worker = Object.assign(
    { apiVersion: "apps/v1", kind: "Deployment" },
    { metadata: { namespace: NAMESPACE, name: "keyvault-injector-sync", uid: "u1" } },
  );
  const withoutBinding = policiesWith().filter(
    ({ kind, metadata }) => kind !== "ValidatingAdmissionPolicyBinding" || metadata.name !== "keyvault-injector-pod-volume",
  );
  const installed = async (marked?: string) => {
    const viewer = holding([...withoutBinding, worker, install(marked)]);
    return {
      install: await checkInstalled({ viewer, namespace: NAMESPACE }),
      policies: await checkPolicies({ viewer, namespace: NAMESPACE }),
    };
  };

  test("says so first, and does not have the binding applied again", async () => {
    const { install: said, policies } = await installed("u1");

    assert.deepEqual(
      said.map(({ state }) => state),
      ["WARN"],
    );
    assert.match(said[0]?.message ?? "", /^marked for removal by uninstall --prepare/);
    assert.deepEqual(
      policies.filter(({ state }) => state !== "OK"),
      [],
    );
  });

  for (const [what, mark] of [
    ["not marked", undefined],
    ["marked by the uninstall of another worker", "u0"],
  ] as const) {
    test(`misses the binding where the install is ${what}`, async () => {
      const { install: said, policies } = await installed(mark);

      assert.equal(said[0]?.state, "OK");
      assert.match(policies[0]?.message ?? "", /policy keyvault-injector-pod-volume has no binding/);
    });
  }
});

describe("N22: what doctor cannot compare, or knows nothing of", () => {
  test("is not called fine where the worker keeps no copies", async () => {
    const worker = Object.assign(
      { apiVersion: "apps/v1", kind: "Deployment" },
      { metadata: { namespace: NAMESPACE, name: "keyvault-injector-sync" } },
    );
    const context = { viewer: holding([worker]), namespace: NAMESPACE, crds: [] } as unknown as DoctorContext; // The check reads nothing else.
    const [result] = await checkComponents(context);

    assert.deepEqual([result?.state, result?.message], ["SKIP", "the worker keeps no copies to compare with"]);
  });

  test("is not called mirrored where there is no status", async () => {
    const [result] = await checkClasses({ viewer: holding([]) } as unknown as DoctorContext); // The check reads nothing else.

    assert.equal(result?.message, "0 classes have a status from the worker, and none of them fails");
  });
});
