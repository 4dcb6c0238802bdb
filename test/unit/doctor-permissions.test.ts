import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const NEVER = new AbortController().signal;

/** A cluster that refuses all requests for the kinds of `isRefused`. `asked` records the requests, one line each. */
function guardedCluster(objects: readonly Manifest[], isRefused: (plural: string) => boolean, username?: string) {
  const held = heldCluster(objects);
  const asked: string[] = [];
  const guarded = async <T>(verb: string, { plural }: Resource, answer: () => Promise<T>): Promise<T> => {
    asked.push(`${verb} ${plural}`);
    if (isRefused(plural)) throw new KubeError("Forbidden", `may not ${verb} ${plural}`, { retry: { kind: "never" } });
    return answer();
  };
  const kube = {
    read: (resource: Resource, ref: ObjectRef) => guarded("get", resource, () => held.kube.read(resource, ref, NEVER)),
    list: (resource: Resource, request: ListRequest<Manifest>) => guarded("list", resource, () => held.kube.list(resource, request, NEVER)),
    create: (resource: Resource, object: Manifest) =>
      guarded("create", resource, async () => (username === undefined ? object : { ...object, status: { userInfo: { username } } })),
  };
  const close = async (): Promise<void> => undefined;
  const create = async () => Promise.reject(new KubeError("Forbidden", "may not impersonate", { retry: { kind: "never" } }));
  const actAs = async () => ({ kube: { ...kube, create }, close });
  return { cluster: { ...held, kube, actAs } as unknown as Cluster, asked }; // Doctor makes no other calls.
}

const doctor = async (cluster: Cluster, ...argv: readonly string[]) => {
  const options = { cluster, openReach: async () => async () => ({ address: "", reach: { kind: "refused" } }) as never };
  return runOffline(["doctor", "--no-vaults", ...argv], "", options);
};

interface RbacDocument {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly subjects?: readonly object[];
}

function documentsOf(yaml: string): readonly RbacDocument[] {
  return yaml.split("---\n").map((document) => parse(document) as RbacDocument); // Doctor writes only such documents.
}

/** Returns the YAML at the end of the report. */
function documentsIn(output: string): readonly RbacDocument[] {
  const yaml = /\n\n(apiVersion: [^]*?)\n\n/.exec(output)?.[1] ?? "";
  return yaml === "" ? [] : documentsOf(yaml);
}

describe("doctor of a user who may see nothing", () => {
  const said = async () => (await doctor(guardedCluster([], () => true).cluster)).output;

  test("NV5: says in each line what was not seen, and no advice there", async () => {
    const output = await said();

    assert.match(output, /^SKIP {2}webhook +not checked: you lack permission to get mutatingwebhookconfigurations/m);
    assert.doesNotMatch(output, /-> run doctor with more permissions/);
    assert.ok((output.match(/^SKIP /gm) ?? []).length > 15, output);
  });

  test("NV5: says once which role gives what, by the kind of what was refused", async () => {
    const output = await said();
    const { rules = [] } = documentsIn(output)[0] ?? {};
    const group = (name: string) => rules.find(({ apiGroups }) => apiGroups[0] === name)?.resources ?? [];

    assert.ok(
      ["daemonsets", "deployments"].every((plural) => group("apps").includes(plural)),
      output,
    );
    assert.ok(group("").includes("nodes") && !group("").includes("secrets"), output);
    assert.equal(output.match(/^ *- deployments$/gm)?.length, 1, output);
  });

  test("NW-H1: prints roles and bindings that kubectl applies as a whole, and nothing else to do", async () => {
    const output = await said();
    const [role, binding, ...more] = documentsIn(output);

    assert.doesNotMatch(output, /kubectl create|bind the ClusterRole/);
    assert.match(
      output,
      /^\d+ checks were not made, because you lack permissions: ask an administrator to apply this with kubectl apply -f -, with your user name in place of NAME\n\napiVersion: /m,
    );
    assert.deepEqual([role?.kind, binding?.kind, more.length], ["ClusterRole", "ClusterRoleBinding", 0]);
    // The API server does not serve this kind before 1.36. The rule is still necessary, and does not mean that doctor requested the kind.
    assert.ok(
      role?.rules?.some(({ resources }) => resources.includes("mutatingadmissionpolicies")),
      output,
    );
    assert.ok(
      role?.rules?.every(({ verbs }) => verbs.join() === "get,list"),
      output,
    );
    assert.deepEqual(binding?.subjects, [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "NAME" }]);
  });

  for (const account of ["keyvault-injector-sync", "keyvault-injector-webhook"]) {
    test(`NC-8: offers the install's own account no permissions, but another place to run: ${account}`, async () => {
      const { cluster } = guardedCluster(
        [],
        (plural) => plural !== "selfsubjectreviews",
        `system:serviceaccount:keyvault-injector:${account}`,
      );
      const { output } = await doctor(cluster);

      assert.match(
        output,
        /^\d+ checks were not made, because the install's own account lacks permissions, .* run doctor from a workstation/m,
      );
      assert.doesNotMatch(output, /kubectl apply -f -|apiVersion: /);
      assert.deepEqual(JSON.parse((await doctor(cluster, "-o", "json")).output).permissions, []);
    });
  }

  for (const [username, subject] of [
    ["kim@example.com", { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "kim@example.com" }],
    ["system:serviceaccount:ops:doctor", { kind: "ServiceAccount", namespace: "ops", name: "doctor" }],
  ] as const) {
    test(`NW-H1: binds them to the user that the API server names: ${username}`, async () => {
      const { output } = await doctor(guardedCluster([], (plural) => plural !== "selfsubjectreviews", username).cluster);

      assert.deepEqual(documentsIn(output)[1]?.subjects, [subject], output);
      assert.doesNotMatch(output, /\bNAME\b/);
    });
  }

  test("NW-H1: counts a check once, however much of it was refused", async () => {
    const { findings } = JSON.parse((await doctor(guardedCluster([], () => true).cluster, "-o", "json")).output);
    const unseen = findings.filter(({ isUnseen = false }) => isUnseen).map(({ check }: { check: string }) => check);
    const count = Number(/^(\d+) checks were not made/m.exec(await said())?.[1]);

    assert.ok(unseen.length > new Set(unseen).size, "a check with several findings");
    assert.equal(count, new Set(unseen).size);
  });

  test("NW-H1: tells a program the same rules", async () => {
    const { permissions } = JSON.parse((await doctor(guardedCluster([], () => true).cluster, "-o", "json")).output);

    assert.ok(permissions?.length > 0);
    assert.deepEqual(permissions, documentsIn(await said())[0]?.rules);
  });

  test("NV5: tells a program the same of each", async () => {
    const { findings, unseen } = JSON.parse((await doctor(guardedCluster([], () => true).cluster, "-o", "json")).output);
    const skipped = findings.filter(({ state }: { state: string }) => state === "SKIP");

    assert.ok(unseen.length > 0);
    assert.ok(skipped.length > 15 && skipped.every(({ fix }: { fix?: string }) => fix !== undefined));
  });
});

describe("doctor of a user who may see all but Secrets", () => {
  const install = [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "keyvault-injector" },
      webhooks: [
        { name: "pods.keyvault-injector.dev", clientConfig: { caBundle: btoa(selfSignedCertificate("ca", ["ca.example"]).cert) } },
      ],
    } as unknown as Manifest, // The API server stores it in this form.
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "keyvault-injector-webhook", namespace: "keyvault-injector" },
    },
  ];

  test("NW-H3: is never told to ask for the CA's Secret, but who makes that check", async () => {
    const { cluster, asked } = guardedCluster(install, (plural) => plural === "secrets");
    const { output } = await doctor(cluster);

    assert.ok(asked.includes("get secrets"), asked.join("\n"));
    assert.match(
      output,
      /^SKIP {2}authority +not checked: you lack permission to get secrets keyvault-injector\/keyvault-injector-ca, which holds the CA's private key\n +-> do not ask for it: the webhook and the worker make this check themselves/m,
    );
    assert.equal(output.match(/keyvault-injector-ca/g)?.length, 1, output);
    assert.doesNotMatch(output, /because you lack permissions/);
  });
});

test("NV5: doctor of a user who may see all says nothing of permissions", async () => {
  const { output } = await doctor(guardedCluster([], () => false).cluster);
  assert.doesNotMatch(output, /permission/);
});

test("NV8: doctor lists the classes, and their statuses, once for its checks and its walks", async () => {
  const objects = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name: "keyvault-injector-sync",
        namespace: "keyvault-injector",
        labels: { "app.kubernetes.io/name": "keyvault-injector" },
      },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "keyvault-injector-sync" },
      roleRef: { kind: "ClusterRole", name: "keyvault-injector-sync" },
      subjects: [{ kind: "ServiceAccount", name: "keyvault-injector-sync", namespace: "keyvault-injector" }],
    },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    usedClass("shop-secrets", { objects: ["secret/db-password"], secrets: { db: { password: "db-password" } } }),
  ];
  const { cluster, asked } = guardedCluster(objects, () => false);
  const { output, notes } = await doctor(cluster);
  const lists = (plural: string) => asked.filter((each) => each === `list ${plural}`).length;

  assert.deepEqual(notes, []);
  assert.match(output, /^class shop\/shop-secrets$/m);
  assert.deepEqual([lists("secretproviderclasses"), lists("secretproviderclasssyncs")], [1, 1]);
});

test("NV5: doctor plan says once what to do about what it may not see", async () => {
  const classes = ["a", "b"].map((name) =>
    usedClass(name, { objects: ["secret/db-password"], secrets: { [name]: { password: "db-password" } } }),
  );
  const { cluster } = guardedCluster(classes, (plural) => plural === "secrets");
  const { output } = await runOffline(["doctor", "plan"], "", { cluster });

  assert.match(output, /^ +unknown +Secret b \(Opaque\): you lack permission to get secrets shop\/b$/m);
  assert.equal(output.match(/-> /g), null, output);
  assert.equal(output.match(/^to plan what is unknown, get the permissions that you lack$/gm)?.length, 1, output);
});
