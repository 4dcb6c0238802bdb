import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { DRIVER_MANAGED_LABEL } from "../../src/domain/sync/take-over.ts";
import { APPLY_PATCH, type ApiAnswer } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { PolicyRequests, type SecretFields } from "./policy-requests.ts";

const POLICY = "keyvault-injector-sync-secrets";
const OWN = "keyvault-injector";
const { adopted: ADOPTED, adoptableBy: ADOPTABLE, class: CLASS, objects: OBJECTS, content: CONTENT } = SECRET_ANNOTATIONS;
const OWNER = { apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "00000000-0000-0000-0000-000000000001" };
const FINALIZER = "example.com/held";
const MARKED: SecretFields = { labels: { [MANAGED_LABEL]: "true" } };

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`what frees a Secret, on API server ${version}`, { skip }, () => theMarks(version));
}

function theMarks(version: ApiServerVersion): void {
  let plane: ControlPlane;
  let requests: PolicyRequests;
  let worker: string;
  let owner: string;

  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    requests = new PolicyRequests(plane);
    await installShipped(plane);
    await plane.kubectl(["create", "serviceaccount", "owner", "-n", "default"]);
    await plane.kubectl(["create", "clusterrolebinding", "owner", "--clusterrole=cluster-admin", "--serviceaccount=default:owner"]);
    worker = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
    owner = await serviceAccountToken(plane, "default", "owner");
    const probe = await requests.namespaceWith();
    await policyIsActive(POLICY, () => requests.createSecret(probe, "probe", {}, worker));
  });
  after(async () => {
    await plane?.stop();
  });

  interface Metadata {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly object[];
  }

  /** Creates a Secret as a user with all rights, in a new namespace. */
  async function given(metadata: Metadata, data: Readonly<Record<string, string>> = { key: "b25l" }) {
    const namespace = await requests.namespaceWith();
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "given", ...metadata }, data };
    assertAllowed(await requests.call({ method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body, token: owner }));
    return {
      namespace,
      merge: (change: unknown, token = worker): Promise<ApiAnswer> => requests.mergeSecret(namespace, "given", change, token),
      apply: (fields: SecretFields): Promise<ApiAnswer> => requests.applySecret(namespace, "given", fields, worker),
      delete: (): Promise<ApiAnswer> => requests.deleteSecret(namespace, "given", worker),
      metadata: async () =>
        at((await requests.call({ method: "GET", path: `/api/v1/namespaces/${namespace}/secrets/given` })).body, "metadata"),
    };
  }

  const ADOPTED_ONE: Metadata = {
    labels: { [MANAGED_LABEL]: "true", team: "blue" },
    annotations: { [ADOPTED]: "true", [ADOPTABLE]: "demo", [CLASS]: "demo", [OBJECTS]: "x", [CONTENT]: "y", note: "by hand" },
  };
  const RELEASE = {
    labels: { [MANAGED_LABEL]: null },
    annotations: { [CLASS]: null, [OBJECTS]: null, [CONTENT]: null, [ADOPTED]: null },
  };

  test("PS-1: the worker makes no Secret that it could give back as somebody's", async () => {
    const namespace = await requests.namespaceWith();
    const adopted = { ...MARKED, annotations: { [ADOPTED]: "true" } };

    for (const write of [requests.createSecret.bind(requests), requests.applySecret.bind(requests)])
      assertDenied(await write(namespace, "made", adopted, worker), POLICY, /adopted only to a Secret whose owner agreed/);
    for (const consent of ["demo", ""])
      assertDenied(
        await requests.createSecret(namespace, "made", { ...MARKED, annotations: { [ADOPTABLE]: consent } }, worker),
        POLICY,
        /cannot change the annotation keyvault-injector\.dev\/adoptable-by/,
      );
    assertDenied(
      await requests.createSecret(namespace, "made", { labels: { ...MARKED.labels, [DRIVER_MANAGED_LABEL]: "true" } }, worker),
      POLICY,
      /cannot add it/,
    );

    assertAllowed(await requests.createSecret(namespace, "made", MARKED, worker));
    for (const annotations of [
      { [ADOPTED]: "true" },
      { [ADOPTABLE]: "demo" },
      { [ADOPTABLE]: "" },
      { [ADOPTED]: "true", [ADOPTABLE]: "demo", [CLASS]: "demo" },
    ])
      assertDenied(await requests.mergeSecret(namespace, "made", { metadata: { annotations } }, worker), POLICY, /the sync worker can/);
    assertDenied(await requests.mergeSecret(namespace, "made", { metadata: RELEASE }, worker), POLICY, /only Secrets with the label/);
  });

  test("PS-2: the worker makes of an adopted Secret none of the driver's", async () => {
    const adopted = await given(ADOPTED_ONE);

    assertDenied(await adopted.delete(), POLICY, /can delete only Secrets that it created/);
    for (const value of ["true", ""])
      assertDenied(await adopted.merge({ metadata: { labels: { [DRIVER_MANAGED_LABEL]: value } } }), POLICY, /cannot add it/);
    const asDriver = { ...RELEASE, labels: { ...RELEASE.labels, [DRIVER_MANAGED_LABEL]: "true" } };
    assertDenied(await adopted.merge({ metadata: asDriver }), POLICY, /only Secrets with the label/);

    assertAllowed(await adopted.merge({ metadata: RELEASE }));
    assertDenied(await adopted.merge({ metadata: MARKED, data: { key: "dHdv" } }), POLICY, /cannot change a Secret that it does not own/);
    assertDenied(await adopted.delete(), POLICY, /can delete only Secrets that it created/);
  });

  test("PS-3: giving back changes nothing but the worker's own label and annotations", async () => {
    const adopted = await given(ADOPTED_ONE);
    const also = (change: { readonly [field: string]: unknown }, metadata: Readonly<Record<string, unknown>> = RELEASE) =>
      adopted.merge({ metadata, ...change });

    const attempts = [
      await also({ data: { key: "dHdv" } }),
      await also({ data: null }),
      await also({ immutable: true }),
      await also({}, { ...RELEASE, labels: { ...RELEASE.labels, owner: "platform" } }),
      await also({}, { ...RELEASE, labels: { ...RELEASE.labels, team: "red" } }),
      await also({}, { ...RELEASE, labels: { ...RELEASE.labels, team: null } }),
      await also({}, { ...RELEASE, labels: { [MANAGED_LABEL]: "false" } }),
      await also({}, { ...RELEASE, annotations: { ...RELEASE.annotations, note: "edited" } }),
      await also({}, { ...RELEASE, annotations: { ...RELEASE.annotations, note: null } }),
      await also({}, { ...RELEASE, annotations: { ...RELEASE.annotations, more: "x" } }),
      await also({}, { ...RELEASE, annotations: { ...RELEASE.annotations, [ADOPTABLE]: null } }),
      await also({}, { ...RELEASE, annotations: { ...RELEASE.annotations, [CLASS]: "another" } }),
      await also({}, { ...RELEASE, ownerReferences: [OWNER] }),
    ];
    for (const answer of attempts) assertDenied(answer, POLICY, /only Secrets with the label/);

    assertAllowed(await adopted.merge({ metadata: RELEASE }));
    const metadata = await adopted.metadata();
    assert.deepEqual([at(metadata, "labels"), at(metadata, "annotations")], [{ team: "blue" }, { [ADOPTABLE]: "demo", note: "by hand" }]);
  });

  test("PS-3: the owner's consent on a Secret that the worker made protects it, and is not the worker's to take away", async () => {
    const made = await given({ ...MARKED, annotations: { [ADOPTABLE]: "demo" } });

    assertDenied(await made.merge({ metadata: { annotations: { [ADOPTABLE]: null } } }), POLICY, /because it is its owner's consent/);
    assertDenied(await made.merge({ metadata: { annotations: { [ADOPTABLE]: "other" } } }), POLICY, /because it is its owner's consent/);
    assertDenied(await made.delete(), POLICY, /can delete only Secrets that it created/);

    assertAllowed(await made.apply({ ...MARKED, data: { key: "dHdv" } }));
    assertAllowed(await made.merge({ metadata: RELEASE }));
  });

  test("PS-4: nothing of the worker's own doing lets others collect or hold a Secret", async () => {
    const namespace = await requests.namespaceWith();
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const create = (metadata: object): Promise<ApiAnswer> =>
      requests.call({
        method: "POST",
        path,
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "made", ...MARKED, ...metadata } },
        token: worker,
      });

    assertDenied(await create({ ownerReferences: [OWNER] }), POLICY, /cannot add or change them/);
    assertDenied(await create({ finalizers: [FINALIZER] }), POLICY, /cannot change the finalizers/);
    for (const metadata of [ADOPTED_ONE, MARKED]) {
      const free = await given(metadata);
      assertDenied(await free.merge({ metadata: { ownerReferences: [OWNER] } }), POLICY, /cannot add or change them/);
      assertDenied(await free.merge({ metadata: { finalizers: [FINALIZER] } }), POLICY, /cannot change the finalizers/);
      const bound = await given({ ...metadata, ownerReferences: [OWNER], finalizers: [FINALIZER] });
      assertDenied(
        await bound.merge({ metadata: { ownerReferences: [{ ...OWNER, name: "other" }] } }),
        POLICY,
        /cannot add or change them/,
      );
      assertDenied(
        await bound.merge({ metadata: { ownerReferences: [OWNER, { ...OWNER, uid: "1" }] } }),
        POLICY,
        /cannot add or change them/,
      );
      assertDenied(await bound.merge({ metadata: { finalizers: null } }), POLICY, /cannot change the finalizers/);
      assertDenied(
        await bound.merge({ metadata: { finalizers: [FINALIZER, "example.com/more"] } }),
        POLICY,
        /cannot change the finalizers/,
      );
      assertAllowed(await bound.merge({ data: { key: "dHdv" } }));
    }
  });

  test("PS-4: the worker's take-over from the driver, and its repair, take owners and the driver's label off", async () => {
    const driverMade = { labels: { [DRIVER_MANAGED_LABEL]: "true" }, ownerReferences: [OWNER], finalizers: [FINALIZER] };
    const off = { metadata: { labels: { [DRIVER_MANAGED_LABEL]: null }, ownerReferences: null } };
    const taken = await given(driverMade);
    assertAllowed(await taken.apply({ ...MARKED, annotations: { [CLASS]: "demo" }, data: { key: "dHdv" } }));
    assertAllowed(await taken.merge(off));
    assertAllowed(await taken.delete());

    const asAdopted = await given({ ...driverMade, annotations: { [ADOPTABLE]: "demo" } });
    assertAllowed(await asAdopted.apply({ ...MARKED, annotations: { [CLASS]: "demo", [ADOPTED]: "true" } }));
    assertAllowed(await asAdopted.merge(off));
    assertDenied(await asAdopted.delete(), POLICY, /can delete only Secrets that it created/);
    assertAllowed(await asAdopted.merge({ metadata: RELEASE }));
  });

  test("PS-4: the mark of an adoption is not for what the driver made", async () => {
    const taken = await given({ labels: { [DRIVER_MANAGED_LABEL]: "true" } });

    assertDenied(await taken.apply({ ...MARKED, annotations: { [ADOPTED]: "true" } }), POLICY, /only to a Secret whose owner agreed/);
    assertAllowed(await taken.apply(MARKED));
  });

  test("PS-4: nor does it hold the status of a class", async () => {
    const policy = "keyvault-injector-sync-classes";
    const path = `/apis/keyvault-injector.dev/v1alpha1/namespaces/${await requests.namespaceWith()}/secretproviderclasssyncs`;
    const status = (metadata: object) => ({ apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata });
    const apply = (metadata: object): Promise<ApiAnswer> =>
      requests.call({
        method: "PATCH",
        path: `${path}/demo?fieldManager=test&force=true`,
        contentType: APPLY_PATCH,
        body: status({ name: "demo", ...metadata }),
        token: worker,
      });

    for (const held of [{ finalizers: [FINALIZER] }, { ownerReferences: [OWNER] }]) {
      const body = status({ name: "demo", ...held });
      assertDenied(await requests.call({ method: "POST", path, body, token: worker }), policy, /cannot add finalizers or owners/);
    }
    assertAllowed(await apply({}));
    assertDenied(await apply({ finalizers: [FINALIZER] }), policy, /cannot add finalizers or owners to a class or to its status/);
    assertAllowed(await apply({}));
    assertAllowed(await requests.call({ method: "DELETE", path: `${path}/demo`, token: worker }));
  });

  test("PS-5: the worker deletes in the background alone, held ones too", async () => {
    for (const finalizers of [[], [FINALIZER]]) {
      const made = await given({ ...MARKED, finalizers });
      const path = `/api/v1/namespaces/${made.namespace}/secrets/given`;
      const remove = (options: object): Promise<ApiAnswer> =>
        requests.call({ method: "DELETE", path, body: { apiVersion: "v1", kind: "DeleteOptions", ...options }, token: worker });

      for (const options of [
        { propagationPolicy: "Foreground" },
        { propagationPolicy: "Orphan" },
        { orphanDependents: true },
        { orphanDependents: false },
      ])
        for (const dryRun of [[], ["All"]])
          assertDenied(await remove({ ...options, dryRun }), POLICY, /only with the propagation policy Background/);
      assertDenied(
        await requests.call({ method: "DELETE", path: `${path}?propagationPolicy=Foreground`, token: worker }),
        POLICY,
        /only with the propagation policy Background/,
      );
      assertAllowed(await remove({ propagationPolicy: "Background", dryRun: ["All"] }));
      assertAllowed(await remove({ preconditions: { uid: at(await made.metadata(), "uid") } }));
    }
  });
}
