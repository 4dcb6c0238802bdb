import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import {
  at,
  folderManifests,
  healingManifests,
  listAt,
  type Manifest,
  parseManifests,
  renderOwnKustomization,
} from "../support/cluster/shipped-manifests.ts";
import { type UsedRight, usedRights } from "../support/cluster/used-rights.ts";

const used = usedRights();
const refusal =
  controlPlaneRefusal() ?? (used.length === 0 ? "no suite has left what it used; run npm test and npm run test:e2e first" : undefined);

/** Every folder of `manifests` that gives our accounts rights, without those that only remove some. */
const FOLDERS = ["overlays/default", "overlays/blind"];
const NODE_SIDE = ["components/csi-driver", "components/azure-provider"];
/** Optional components, with rights that an install gets only together with them. */
const ASKED_FOR = {
  resources: ["overlays/default"],
  components: ["argo-rollouts", "disruption-budgets", "gateway-tls"].map((name) => `components/${name}`),
};

/** Every account may query its own rights. */
const EVERYBODYS = /^authorization\.k8s\.io\/selfsubject/;

/** One verb on one resource, and on one name if the role lists names. */
type GrantedRight = UsedRight;

function grantsIn(manifests: readonly Manifest[]): readonly GrantedRight[] {
  return manifests
    .filter(({ kind }) => kind === "RoleBinding" || kind === "ClusterRoleBinding")
    .flatMap((binding) => {
      const accounts = listAt(binding, "subjects").map((subject) => String(at(subject, "name")));
      // The group of all accounts contains both.
      const components = accounts.flatMap((name) =>
        name === "system:serviceaccounts" ? ["webhook", "sync"] : (/^keyvault-injector-(\w+)$/.exec(name)?.[1] ?? []),
      );
      const role = manifests.find(
        ({ kind, metadata }) =>
          kind === at(binding, "roleRef", "kind") &&
          metadata.name === at(binding, "roleRef", "name") &&
          metadata.namespace === binding.metadata.namespace,
      );
      return components.flatMap((component) => listAt(role, "rules").flatMap((rule) => grantsOf(rule, component)));
    });
}

function grantsOf(rule: unknown, component: string): readonly GrantedRight[] {
  const [group = ""] = listAt(rule, "apiGroups").map(String);
  const names = listAt(rule, "resourceNames").map(String);
  return listAt(rule, "verbs").flatMap((verb) =>
    listAt(rule, "resources").flatMap((kind) =>
      (names.length === 0 ? ["*"] : names).map((name) => ({
        component,
        verb: String(verb),
        resource: group === "" ? String(kind) : `${group}/${String(kind)}`,
        name,
      })),
    ),
  );
}

/** Treats the Leases of all shards as one: no test runs sixteen shards. */
const nameOf = ({ name }: UsedRight): string => name.replace(/^keyvault-injector-sync-\d+$/, "keyvault-injector-sync-<shard>");

const covers = (granted: GrantedRight, use: UsedRight): boolean =>
  granted.component === use.component &&
  granted.verb === use.verb &&
  granted.resource === use.resource &&
  (granted.name === "*" || nameOf(granted) === nameOf(use));

const lineOf = ({ component, verb, resource, name }: UsedRight): string => `${component} ${verb} ${resource} ${name}`;

function neverUsed(granted: readonly GrantedRight[], uses: readonly UsedRight[]): readonly string[] {
  return [...new Set(granted.filter((right) => !uses.some((use) => covers(right, use))).map(lineOf))].sort();
}

function neverGranted(granted: readonly GrantedRight[], uses: readonly UsedRight[]): readonly string[] {
  return uses.filter((use) => !EVERYBODYS.test(use.resource) && !granted.some((right) => covers(right, use))).map(lineOf);
}

describe("the rights of our accounts, and what all suites used of them", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  const granted = async (): Promise<readonly GrantedRight[]> =>
    (
      await Promise.all([
        ...FOLDERS.map((folder) => folderManifests(folder)),
        ...NODE_SIDE.map((folder) => healingManifests(folder)),
        renderOwnKustomization(ASKED_FOR).then(parseManifests),
      ])
    ).flatMap(grantsIn);

  test("are the same: nothing is granted that nobody used, and nothing was used that is not granted", async (context) => {
    const all = await granted();
    context.diagnostic(`${new Set(all.map(lineOf)).size} verbs on resources granted, ${used.length} uses seen`);
    assert.deepEqual({ neverUsed: neverUsed(all, used), neverGranted: neverGranted(all, used) }, { neverUsed: [], neverGranted: [] });
  });

  test("would differ by one verb more, and by one use less", async () => {
    const all = await granted();
    const [first] = all;
    assert.ok(first);
    assert.ok(neverUsed([...all, { ...first, verb: "escalate" }], used).includes(lineOf({ ...first, verb: "escalate" })));
    for (const right of all)
      assert.ok(
        neverUsed(
          all,
          used.filter((use) => !covers(right, use)),
        ).includes(lineOf(right)),
      );
    assert.deepEqual(neverGranted(all, [{ ...first, resource: "nodes" }]), [lineOf({ ...first, resource: "nodes" })]);
  });
});
