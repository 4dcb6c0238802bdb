import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findGrants, LENDING } from "../../src/cli/grants/needs.ts";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";

const POLICY = "keyvault-injector-class-identities";
const ACCOUNT = "keyvault-injector.dev/service-account";
const [BEFORE, SINCE, LATER] = ["2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z"];

const binding = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name: POLICY, creationTimestamp: SINCE },
};

/** A class with one manager. `written`: time of the last write to any of its fields. */
function classOfAge(created: string, written: string, annotations: Readonly<Record<string, string>> = { [ACCOUNT]: "admin" }): Manifest {
  const fieldsV1 = { "f:metadata": { "f:labels": { "f:x": {} }, "f:annotations": { [`f:${ACCOUNT}`]: {} } }, "f:spec": {} };
  const managedFields = [{ manager: "kubectl-edit", operation: "Update", time: written, fieldsV1 }];
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "shop", name: "web", creationTimestamp: created, annotations, managedFields },
    spec: { provider: "azure", parameters: {} },
  } as Manifest; // The API server adds the metadata.
}

const olderOf = async (spc: Manifest) => (await findGrants(holding([binding, spc]), "keyvault-injector", undefined)).older;

describe("a class that is older than the policy that asks its author", () => {
  test("AT20-3: is listed whatever was written since: a label renews the time of all fields of its manager", async () => {
    const listed = [{ name: "shop/web", lends: ['lends the ServiceAccount "admin"'] }];
    assert.deepEqual(await olderOf(classOfAge(BEFORE, BEFORE)), listed);
    assert.deepEqual(await olderOf(classOfAge(BEFORE, LATER)), listed);
  });

  test("is listed, too, where healing has created it again since, with its fields as old as they were", async () => {
    assert.equal((await olderOf(classOfAge(LATER, BEFORE)))?.length, 1);
    assert.deepEqual(await olderOf(classOfAge(LATER, LATER)), []);
  });

  test("AT20-3: is looked at for each annotation that the policy judges", async () => {
    const policy = readManifests("policies/class-identities.yaml").find(({ kind }) => kind === "ValidatingAdmissionPolicy");
    const judged = [...JSON.stringify(policy?.["spec"]).matchAll(/!\('(keyvault-injector\.dev\/[a-z-]+)' in variables\.annotations\)/g)];

    assert.deepEqual(LENDING.map(([annotation]) => annotation).sort(), judged.map(([, annotation = ""]) => annotation).sort());
    assert.deepEqual((await olderOf(classOfAge(BEFORE, BEFORE, { "keyvault-injector.dev/mirror-to": "payments" })))?.[0]?.lends, [
      'copies its Secrets to Namespace "payments"',
    ]);
  });
});

/** A cluster whose user may read everything but the kinds of these plurals. */
function clusterWithout(objects: readonly Manifest[], hidden: readonly string[]): Cluster {
  const held = heldCluster(objects);
  const guarded = async <T>({ plural }: Resource, answer: () => Promise<T>): Promise<T> => {
    if (hidden.includes(plural)) throw new KubeError("Forbidden", `may not read ${plural}`, { retry: { kind: "never" } });
    return answer();
  };
  const signal = new AbortController().signal;
  const kube = {
    ...held.kube,
    read: (resource: Resource, ref: ObjectRef) => guarded(resource, () => held.kube.read(resource, ref, signal)),
    list: (resource: Resource, request: ListRequest<Manifest>) => guarded(resource, () => held.kube.list(resource, request, signal)),
  };
  return { ...held, kube } as unknown as Cluster; // Nothing else is called.
}

describe("CW-16: grants for a user who may not read everything", () => {
  const identity = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const install = { apiVersion: "v1", kind: "Namespace", metadata: { name: "keyvault-injector" } };
  const parameters = { clientID: "00000000-0000-4000-8000-000000000002", keyvaultName: "shop-vault", tenantId: "t", objects: "" };
  const spc = (
    annotations: Readonly<Record<string, string>>,
    secretObjects: readonly object[] = [{ secretName: "a", data: [] }],
  ): Manifest => {
    const made = classOfAge(BEFORE, BEFORE, annotations);
    return { ...made, spec: { provider: "azure", parameters, secretObjects } };
  };
  const grants = async (given: Manifest, hidden: readonly string[], ...argv: readonly string[]) => {
    const cluster = clusterWithout([identity, install, given], hidden);
    return (await runOffline(["grants", "-A", ...argv], "", { cluster })).output;
  };

  test("says that the binding is not known, not that it is absent", async () => {
    const hidden = ["validatingadmissionpolicybindings"];
    const output = await grants(spc({ [ACCOUNT]: "admin" }), hidden);

    assert.doesNotMatch(output, /is not bound/);
    assert.match(
      output,
      /\nNot known, because you lack permissions; ask for them:\n {2}which classes are older than the policy keyvault-injector-class-identities: you lack permission to get validatingadmissionpolicybindings keyvault-injector-class-identities\n/,
    );
    const { older, unseen } = JSON.parse(await grants(spc({ [ACCOUNT]: "admin" }), hidden, "-o", "json"));
    assert.deepEqual([older, unseen.length], [undefined, 1]);
  });

  test("still says that an absent binding is absent", async () => {
    const output = await grants(spc({ [ACCOUNT]: "admin" }), []);

    assert.match(output, /The policy keyvault-injector-class-identities is not bound: apply manifests\/policies\./);
    assert.doesNotMatch(output, /Not known/);
  });

  test("says that the accounts of pods are not known where a class names none", async () => {
    const output = await grants(spc({}), ["pods"]);

    assert.match(output, /\n {2}the ServiceAccount of shop\/web: you lack permission to list pods in shop\n/);
    assert.doesNotMatch(output, /no pod mounts the class|Nothing is missing/);
    assert.doesNotMatch(await grants(spc({ [ACCOUNT]: "admin" }), ["pods"]), /Not known/);
  });

  test("says that the classes without secretObjects are not known, if their statuses are not", async () => {
    const line = /\n {2}which classes without secretObjects the worker tracks: you lack permission to list secretproviderclasssyncs\n/;

    assert.match(await grants(spc({}, []), ["secretproviderclasssyncs"]), line);
    assert.doesNotMatch(await grants(spc({ [ACCOUNT]: "admin" }), ["secretproviderclasssyncs"]), line);
  });
});
