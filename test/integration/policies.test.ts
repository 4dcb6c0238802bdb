import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MANAGED_LABEL, POD_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import { APPLY_PATCH, type ApiAnswer, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied, messageOf } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, policyIsActive, renderDefaultOverlay } from "../support/cluster/shipped-manifests.ts";
import { CONFIGURATION, csiVolume, mounted, type PodFields, PolicyRequests, RESTRICTED, type SecretFields } from "./policy-requests.ts";

const OWN = "keyvault-injector";
const ADOPTABLE = "keyvault-injector.dev/adoptable-by";
const ADOPTED = "keyvault-injector.dev/adopted";
const CLASS = "keyvault-injector.dev/class";
const DRIVER_LABEL = "secrets-store.csi.k8s.io/managed";

let plane: ControlPlane;
/** The two processes, and another user with all rights. All use tokens of their ServiceAccounts. */
let tokens: { readonly sync: string; readonly webhook: string; readonly somebody: string };
let requests: PolicyRequests;

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`the policies, on API server ${version}`, { skip }, () => thePolicies(version));
}

function thePolicies(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    requests = new PolicyRequests(plane);
    await installShipped(plane);
    await plane.kubectl(["create", "serviceaccount", "somebody", "-n", "default"]);
    await plane.kubectl(["create", "clusterrolebinding", "somebody", "--clusterrole=cluster-admin", "--serviceaccount=default:somebody"]);
    tokens = {
      sync: await serviceAccountToken(plane, OWN, "keyvault-injector-sync"),
      webhook: await serviceAccountToken(plane, OWN, "keyvault-injector-webhook"),
      somebody: await serviceAccountToken(plane, "default", "somebody"),
    };
    const probe = await requests.namespaceWith();
    await policyIsActive("keyvault-injector-pod-volume", () => requests.createPod(probe, { inject: "maybe" }));
    await policyIsActive("keyvault-injector-sync-secrets", () => requests.createSecret(probe, "probe", {}, tokens.sync));
    await policyIsActive("keyvault-injector-sync-snapshots", () => requests.createRevision(probe, {}, tokens.sync));
    await policyIsActive("keyvault-injector-sync-tokens", () => requests.requestToken(probe, { audiences: ["other"] }, tokens.sync));
    await policyIsActive("keyvault-injector-webhook-configuration", () =>
      requests.patchConfiguration([{ op: "add", path: "/metadata/labels/probe", value: "x" }], tokens.webhook),
    );
  });
  after(async () => {
    await plane?.stop();
  });

  describe("on an opted-in pod", () => {
    const POLICY = "keyvault-injector-pod-volume";
    const demo = { inject: "true", secretProviderClass: "akvprovider-demo" };

    test("refuse it without its volume, and say why it may be missing and who tries again", async () => {
      const answer = await requests.createPod(await requests.namespaceWith(), demo);

      assert.equal(answer.status, 422);
      assertDenied(answer, POLICY, /no volume of driver secrets-store\.csi\.k8s\.io for class akvprovider-demo/);
      assert.match(messageOf(answer), /the injector was unavailable, or this namespace is excluded from webhooks/);
      assert.match(messageOf(answer), /Controllers retry automatically/);
    });

    test("let it through with its volume", async () => {
      assertAllowed(await requests.createPod(await requests.namespaceWith(), demo, mounted("akvprovider-demo")));
    });

    test("refuse it with a volume of another class, or of another driver", async () => {
      const namespace = await requests.namespaceWith();
      const foreign = csiVolume("akvprovider-demo", "other.csi.example");

      assertDenied(
        await requests.createPod(namespace, demo, { spec: { volumes: [csiVolume("other")] } }),
        POLICY,
        /for class akvprovider-demo/,
      );
      assertDenied(await requests.createPod(namespace, demo, { spec: { volumes: [foreign] } }), POLICY, /for class akvprovider-demo/);
    });

    test("ask for every class of a list, and name the missing ones", async () => {
      const namespace = await requests.namespaceWith();
      const three = { inject: "true", secretProviderClass: "one, two,three" };

      const answer = await requests.createPod(namespace, three, { spec: { volumes: [csiVolume("two")] } });
      assertDenied(answer, POLICY, /for class one, three:/);
      assertAllowed(await requests.createPod(namespace, three, mounted("one", "two", "three")));
    });

    test("refuse it with a volume that no container mounts, init containers among them", async () => {
      const namespace = await requests.namespaceWith();
      const { spec, container } = mounted("akvprovider-demo");
      const initContainers = [{ name: "setup", image: "setup", securityContext: RESTRICTED, ...container }];

      const answer = await requests.createPod(namespace, demo, { spec });
      assertDenied(answer, POLICY, /no container mounts the volume for class akvprovider-demo: the injector was unavailable/);
      assertAllowed(await requests.createPod(namespace, demo, { spec: { ...spec, initContainers } }));
    });

    test("refuse it without the variables that it asks for", async () => {
      const namespace = await requests.namespaceWith();
      const asking = { ...demo, envFrom: "one, two" };
      const { spec, container } = mounted("akvprovider-demo");
      const withSources = (...envFrom: readonly object[]): PodFields => ({ spec, container: { ...container, envFrom } });
      const [one, two] = ["one", "two"].map((name) => ({ secretRef: { name } }));
      assert.ok(one !== undefined && two !== undefined);

      assertDenied(
        await requests.createPod(namespace, asking, withSources(one)),
        POLICY,
        /has envFrom of Secret two: the injector was unavailable/,
      );
      assertDenied(await requests.createPod(namespace, asking, withSources(one, { ...two, prefix: "P_" })), POLICY, /of Secret two:/);
      assertAllowed(await requests.createPod(namespace, asking, withSources(one, two)));
    });

    test("count what stands on its Namespace, but for the opt-in", async () => {
      const [inject, secretProviderClass, envFrom] = [POD_ANNOTATIONS.inject, POD_ANNOTATIONS.secretProviderClass, POD_ANNOTATIONS.envFrom];
      const namespace = await requests.namespaceWith({ [inject]: "true", [secretProviderClass]: "common", [envFrom]: "shared" });

      assertAllowed(await requests.createPod(namespace, {}));
      assertDenied(
        await requests.createPod(namespace, { inject: "true" }),
        POLICY,
        /no volume of driver secrets-store\.csi\.k8s\.io for class common/,
      );
      assertDenied(await requests.createPod(namespace, { inject: "true" }, mounted("common")), POLICY, /has envFrom of Secret shared/);
      assertDenied(
        await requests.createPod(namespace, { ...demo, envFrom: "own" }, mounted("common")),
        POLICY,
        /for class akvprovider-demo/,
      );
    });

    test("refuse one that names no class, and one whose opt-in is no yes and no no", async () => {
      const namespace = await requests.namespaceWith();

      assertDenied(
        await requests.createPod(namespace, { inject: "true" }),
        POLICY,
        /no class is named: add keyvault-injector\.dev\/secret-provider-class/,
      );
      assertDenied(
        await requests.createPod(namespace, { ...demo, inject: "yes" }),
        POLICY,
        /is 'yes', which is neither 'true' nor 'false'/,
      );
    });

    test("leave alone who did not opt in", async () => {
      const namespace = await requests.namespaceWith();

      assertAllowed(await requests.createPod(namespace, {}));
      assertAllowed(await requests.createPod(namespace, { ...demo, inject: "false" }));
      assertAllowed(await requests.createPod(namespace, { secretProviderClass: "akvprovider-demo" }));
    });

    test("leave alone where the webhook is not called either: kube-system, the install, mirror pods", async () => {
      await plane.kubectl(["create", "serviceaccount", "default", "-n", "kube-system"]);
      await plane.kubectl(["create", "serviceaccount", "default", "-n", OWN]);

      assertAllowed(await requests.createPod("kube-system", demo));
      assertAllowed(await requests.createPod(OWN, demo));
      assertAllowed(
        await requests.createPod(await requests.namespaceWith(), demo, {
          spec: { nodeName: "node" },
          annotations: { "kubernetes.io/config.mirror": "x" },
        }),
      );
    });

    test("ask on creation only", async () => {
      const namespace = await requests.namespaceWith();
      const created = await requests.createPod(namespace, {}, { stored: true });
      assertAllowed(created);

      const annotated = await requests.call({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/pods/${String(at(created.body, "metadata", "name"))}`,
        contentType: MERGE_PATCH,
        body: { metadata: { annotations: { [POD_ANNOTATIONS.inject]: "true" } } },
      });

      assertAllowed(annotated);
    });
  });

  describe("on Secrets that the sync worker writes", () => {
    const POLICY = "keyvault-injector-sync-secrets";
    const ours: SecretFields = { labels: { [MANAGED_LABEL]: "true" } };
    const adoptable: SecretFields = { annotations: { [ADOPTABLE]: "some-class" } };
    const adoptedFor = (name: string): SecretFields => ({ ...ours, annotations: { [CLASS]: name, [ADOPTED]: "true" } });
    const driverMade: SecretFields = { labels: { [DRIVER_LABEL]: "true" } };

    test("let it make, change and delete its own", async () => {
      const namespace = await requests.namespaceWith();

      assertAllowed(await requests.createSecret(namespace, "posted", ours, tokens.sync));
      assertAllowed(await requests.applySecret(namespace, "applied", { ...ours, data: { key: "b25l" } }, tokens.sync));
      assertAllowed(await requests.applySecret(namespace, "applied", { ...ours, data: { key: "dHdv" } }, tokens.sync));
      assertAllowed(await requests.deleteSecret(namespace, "applied", tokens.sync));
    });

    test("refuse one without its label", async () => {
      const namespace = await requests.namespaceWith();

      for (const fields of [{}, adoptable, driverMade, { labels: { [MANAGED_LABEL]: "yes" } }]) {
        assertDenied(
          await requests.createSecret(namespace, "unmarked", fields, tokens.sync),
          POLICY,
          /can write only Secrets with the label/,
        );
        assertDenied(
          await requests.applySecret(namespace, "unmarked", fields, tokens.sync),
          POLICY,
          /can write only Secrets with the label/,
        );
      }
    });

    test("refuse the types that the cluster or Helm acts on, and no other", async () => {
      const namespace = await requests.namespaceWith();
      const account = { "kubernetes.io/service-account.name": "default" };

      const forbidden = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"];
      for (const [index, type] of forbidden.entries()) {
        const fields = { ...ours, type, annotations: account };
        assertDenied(await requests.createSecret(namespace, "typed", fields, tokens.sync), POLICY, /cannot write Secrets of this type/);
        assertAllowed(await requests.createSecret(namespace, `typed-${index}`, fields, tokens.somebody));
      }
      assertAllowed(
        await requests.createSecret(
          namespace,
          "basic",
          { ...ours, type: "kubernetes.io/basic-auth", data: { password: "eA==" } },
          tokens.sync,
        ),
      );
      assertAllowed(await requests.createSecret(namespace, "invented", { ...ours, type: "example.com/any" }, tokens.sync));
    });

    test("AT1: refuse what Helm reads as a record of a release, whatever its type", async () => {
      const namespace = await requests.namespaceWith();
      const labelled = { ...ours, labels: { ...ours.labels, owner: "helm" } };
      const attempts = [
        ["sh.helm.release.v1.shop.v9", ours],
        ["shop", labelled],
      ] as const;
      for (const [name, fields] of attempts) {
        assertDenied(await requests.createSecret(namespace, name, fields, tokens.sync), POLICY, /reads as records of its releases/);
        assertAllowed(await requests.createSecret(namespace, name, fields, tokens.somebody));
      }
      // Another writer's label does not stop the worker, which only must not add it.
      assertAllowed(await requests.applySecret(namespace, "shop", { ...ours, data: { password: "eA==" } }, tokens.sync));
      assertAllowed(await requests.createSecret(namespace, "owned", { ...ours, labels: { ...ours.labels, owner: "team" } }, tokens.sync));
      assertDenied(await requests.applySecret(namespace, "owned", labelled, tokens.sync), POLICY, /reads as records of its releases/);
    });

    test("refuse every change of a foreign Secret, the empty dry-run patch that only reads it among them", async () => {
      const namespace = await requests.namespaceWith();
      assertAllowed(await requests.createSecret(namespace, "foreign", { data: { password: "aHVudGVyMg==" } }, tokens.somebody));
      const patch = (contentType: string, body: unknown, query = "?dryRun=All"): Promise<ApiAnswer> =>
        requests.call({
          method: "PATCH",
          path: `/api/v1/namespaces/${namespace}/secrets/foreign${query}`,
          contentType,
          body,
          token: tokens.sync,
        });

      const attempts = [
        await patch(MERGE_PATCH, {}),
        await patch("application/strategic-merge-patch+json", {}),
        await patch(JSON_PATCH, []),
        await patch(MERGE_PATCH, {}, ""),
        await patch(MERGE_PATCH, { metadata: { labels: ours.labels } }, ""),
        await patch(MERGE_PATCH, { metadata: adoptable }, ""),
        await requests.applySecret(namespace, "foreign", ours, tokens.sync),
      ];

      for (const answer of attempts) {
        assertDenied(answer, POLICY, /cannot change a Secret that it does not own/);
        assert.doesNotMatch(JSON.stringify(answer.body), /aHVudGVyMg/);
      }
      assertDenied(await requests.deleteSecret(namespace, "foreign", tokens.sync), POLICY, /can delete only Secrets that it created/);
      const allowed = await requests.call({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/secrets/foreign?dryRun=All`,
        contentType: MERGE_PATCH,
        body: {},
        token: tokens.somebody,
      });
      assert.equal(at(allowed.body, "data", "password"), "aHVudGVyMg==");
    });

    test("come too late for a patch that does not decode: whoever may patch a Secret may read it", async () => {
      const namespace = await requests.namespaceWith();
      assertAllowed(await requests.createSecret(namespace, "foreign", { data: { password: "aHVudGVyMg==" } }, tokens.somebody));

      const answer = await requests.call({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/secrets/foreign?dryRun=All`,
        contentType: MERGE_PATCH,
        body: { immutable: "no boolean" },
        token: tokens.sync,
      });

      assert.equal(answer.status, 422);
      assert.match(messageOf(answer), /aHVudGVyMg/);
    });

    test("keep the label on what it owns", async () => {
      const namespace = await requests.namespaceWith();
      assertAllowed(await requests.createSecret(namespace, "own", ours, tokens.sync));

      const answer = await requests.mergeSecret(namespace, "own", { metadata: { labels: { [MANAGED_LABEL]: null } } }, tokens.sync);

      assertDenied(answer, POLICY, /can write only Secrets with the label/);
    });

    test("let it adopt what agreed to it for the class that was named, and read nothing of it before", async () => {
      const namespace = await requests.namespaceWith();
      assertAllowed(await requests.createSecret(namespace, "adopted", { ...adoptable, data: { key: "b25l" } }, tokens.somebody));

      for (const fields of [ours, adoptedFor("another-class"), { ...adoptedFor("some-class"), annotations: { [CLASS]: "some-class" } }]) {
        assertDenied(
          await requests.applySecret(namespace, "adopted", fields, tokens.sync),
          POLICY,
          /cannot change a Secret that it does not own/,
        );
      }
      const read = await requests.mergeSecret(namespace, "adopted", {}, tokens.sync);
      assertDenied(read, POLICY, /cannot change a Secret that it does not own/);
      assert.doesNotMatch(JSON.stringify(read.body), /b25l/);
      assertAllowed(await requests.applySecret(namespace, "adopted", { ...adoptedFor("some-class"), data: { key: "dHdv" } }, tokens.sync));
    });

    test("let it give an adopted Secret back unchanged, and never delete it, whatever its owner thinks by then", async () => {
      for (const isAgreed of [true, false]) {
        const namespace = await requests.namespaceWith();
        assertAllowed(await requests.createSecret(namespace, "adopted", { ...adoptable, data: { key: "b25l" } }, tokens.somebody));
        assertAllowed(
          await requests.applySecret(namespace, "adopted", { ...adoptedFor("some-class"), data: { key: "dHdv" } }, tokens.sync),
        );
        const disagree = { metadata: { annotations: { [ADOPTABLE]: null } } };
        if (!isAgreed) assertAllowed(await requests.mergeSecret(namespace, "adopted", disagree, tokens.somebody));

        assertDenied(await requests.deleteSecret(namespace, "adopted", tokens.sync), POLICY, /can delete only Secrets that it created/);
        const unmark = { metadata: { labels: { [MANAGED_LABEL]: null }, annotations: { [ADOPTED]: null } } };
        const changed = await requests.mergeSecret(namespace, "adopted", { ...unmark, data: { key: "dGhyZWU=" } }, tokens.sync);
        assertDenied(changed, POLICY, /can write only Secrets with the label/);
        const forgotten = await requests.mergeSecret(namespace, "adopted", { metadata: { annotations: { [ADOPTED]: null } } }, tokens.sync);
        assertDenied(forgotten, POLICY, /cannot remove the annotation keyvault-injector\.dev\/adopted/);
        assertAllowed(await requests.mergeSecret(namespace, "adopted", unmark, tokens.sync));
      }
    });

    test("let it take over what the driver's sync made, and not delete it before", async () => {
      const namespace = await requests.namespaceWith();
      assertAllowed(await requests.createSecret(namespace, "mirrored", driverMade, tokens.somebody));

      assertDenied(await requests.deleteSecret(namespace, "mirrored", tokens.sync), POLICY, /can delete only Secrets that it created/);
      assertDenied(await requests.mergeSecret(namespace, "mirrored", { data: { key: "b25l" } }, tokens.sync), POLICY, /with the label/);
      assertAllowed(await requests.applySecret(namespace, "mirrored", ours, tokens.sync));
      assertAllowed(await requests.deleteSecret(namespace, "mirrored", tokens.sync));
    });

    test("let it write its own key by name in its own namespace, and no other Secret there", async () => {
      const key = "keyvault-injector-sync-key";

      assertAllowed(await requests.applySecret(OWN, key, { data: { "hmac.key": "b25l" } }, tokens.sync));
      assertAllowed(await requests.applySecret(OWN, key, { data: { "hmac.key": "dHdv" } }, tokens.sync));
      assertDenied(await requests.deleteSecret(OWN, key, tokens.sync), POLICY, /can delete only Secrets that it created/);
      assertDenied(await requests.applySecret(await requests.namespaceWith(), key, {}, tokens.sync), POLICY, /with the label/);
      assertAllowed(await requests.applySecret(OWN, "keyvault-injector-ca", { data: { "ca.crt": "b25l" } }, tokens.webhook));
      assertDenied(
        await requests.applySecret(OWN, "keyvault-injector-ca", ours, tokens.sync),
        POLICY,
        /cannot change a Secret that it does not own/,
      );
    });
  });

  describe("on ControllerRevisions that the sync worker writes", () => {
    const POLICY = "keyvault-injector-sync-snapshots";
    const snapshot = { labels: { [SNAPSHOT_LABEL]: "true" } };

    test("let it make and delete snapshots", async () => {
      const namespace = await requests.namespaceWith();
      const created = await requests.createRevision(namespace, snapshot, tokens.sync);

      assertAllowed(created);
      assertAllowed(await requests.deleteRevision(namespace, created, tokens.sync));
    });

    test("refuse one that a controller could take for its own", async () => {
      const namespace = await requests.namespaceWith();
      const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "0", controller: true };

      const held = { ...snapshot, finalizers: ["example.com/held"] };
      for (const metadata of [{}, { labels: { ...snapshot.labels, app: "web" } }, { ...snapshot, ownerReferences: [owner] }, held]) {
        assertDenied(
          await requests.createRevision(namespace, metadata, tokens.sync),
          POLICY,
          /without labels outside keyvault-injector\.dev\/, and without owners or new finalizers/,
        );
        assertAllowed(await requests.createRevision(namespace, metadata, tokens.somebody));
      }
    });

    test("refuse the deletion of somebody else's", async () => {
      const namespace = await requests.namespaceWith();
      const created = await requests.createRevision(namespace, { labels: { app: "web" } }, tokens.somebody);

      assertDenied(
        await requests.deleteRevision(namespace, created, tokens.sync),
        POLICY,
        /can change only ControllerRevisions with the label/,
      );
      assertAllowed(await requests.deleteRevision(namespace, created, tokens.somebody));
    });
  });

  describe("on tokens that the sync worker asks for", () => {
    const POLICY = "keyvault-injector-sync-tokens";
    const ENTRA = "api://AzureADTokenExchange";
    const allowed = { audiences: [ENTRA], expirationSeconds: 600 };
    const GRANT = "grants.keyvault-injector.dev/service-accounts";
    const granting = (accounts = "default"): Promise<string> => requests.namespaceWith({ [GRANT]: accounts });

    test("let it have what Entra exchanges, for the least time there is", async () => {
      const answer = await requests.requestToken(await granting(" other,default "), allowed, tokens.sync);

      assertAllowed(answer);
      const [, claims = ""] = String(at(answer.body, "status", "token")).split(".");
      const { aud, exp, iat } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { aud: unknown; exp: number; iat: number }; // A token that the API server issued.
      assert.deepEqual([aud, exp - iat], [[ENTRA], 600]);
    });

    test("let it have one that is bound to a pod, which is worth less", async () => {
      const namespace = await granting();
      const pod = await requests.createPod(namespace, {}, { stored: true });
      const [name, uid] = [at(pod.body, "metadata", "name"), at(pod.body, "metadata", "uid")];

      const boundObjectRef = { kind: "Pod", apiVersion: "v1", name, uid };
      assertAllowed(await requests.requestToken(namespace, { ...allowed, boundObjectRef }, tokens.sync));
    });

    const others: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      "for another audience": { ...allowed, audiences: ["api://AKSIdentityBinding"] },
      "for the API server": { ...allowed, audiences: ["https://kubernetes.default.svc"] },
      "for two audiences": { ...allowed, audiences: [ENTRA, "https://kubernetes.default.svc"] },
      "without an audience, which is the API server's": { expirationSeconds: 600 },
    };
    for (const [what, spec] of Object.entries(others)) {
      test(`refuse it one ${what}, and nobody else`, async () => {
        const namespace = await granting();
        assertDenied(await requests.requestToken(namespace, spec, tokens.sync), POLICY, /the one audience api:\/\/AzureADTokenExchange/);
        assertAllowed(await requests.requestToken(namespace, spec, tokens.somebody));
      });
    }

    for (const expirationSeconds of [601, 3600, undefined]) {
      test(`refuse it one of ${expirationSeconds ?? "the default"} seconds, and nobody else`, async () => {
        const namespace = await granting();
        const spec = { ...allowed, expirationSeconds };
        assertDenied(await requests.requestToken(namespace, spec, tokens.sync), POLICY, /tokens only for 600 seconds/);
        assertAllowed(await requests.requestToken(namespace, spec, tokens.somebody));
      });
    }

    for (const accounts of [undefined, "", "other", "defaults", "*"]) {
      test(`S5: refuse it one of an account that its Namespace does not grant: ${accounts ?? "no annotation"}`, async () => {
        const namespace = accounts === undefined ? await requests.namespaceWith() : await granting(accounts);
        const answer = await requests.requestToken(namespace, allowed, tokens.sync);
        assert.equal(answer.status, 403, messageOf(answer));
        assertDenied(answer, POLICY, new RegExp(`Namespace ${namespace} does not grant ServiceAccount default to the sync worker`));
        assert.match(messageOf(answer), new RegExp(`keyvault-injector grants --namespace ${namespace} --account default --apply`));
        assertAllowed(await requests.requestToken(namespace, allowed, tokens.somebody));
      });
    }

    test("S5: refuse it one in kube-system and of the install's own accounts, whatever is granted there", async () => {
      const places = [
        { namespace: "kube-system", account: "granted" },
        { namespace: OWN, account: "keyvault-injector-sync" },
        { namespace: OWN, account: "keyvault-injector-webhook" },
      ];
      for (const { namespace, account } of places) {
        await plane.kubectl(["annotate", "namespace", namespace, "--overwrite", `${GRANT}=${account}`]);
        if (account === "granted") await plane.kubectl(["create", "serviceaccount", account, "-n", namespace]);
        const answer = await requests.requestToken(`${namespace}/${account}`, allowed, tokens.sync);
        assert.equal(answer.status, 403, `${namespace}/${account}: ${messageOf(answer)}`);
        assertDenied(
          answer,
          POLICY,
          /cannot request tokens in kube-system|cannot request tokens for keyvault-injector's own ServiceAccounts/,
        );
        await plane.kubectl(["annotate", "namespace", namespace, `${GRANT}-`]);
      }
    });

    test("S5: refuse it the grant itself: it may write no Namespace", async () => {
      const namespace = await requests.namespaceWith();
      for (const [method, path, body] of [
        ["PATCH", `/api/v1/namespaces/${namespace}`, { metadata: { annotations: { [GRANT]: "default" } } }],
        ["POST", "/api/v1/namespaces", { metadata: { name: "mine", annotations: { [GRANT]: "default" } } }],
      ] as const) {
        const contentType = method === "PATCH" ? MERGE_PATCH : "application/json";
        assert.equal((await requests.call({ method, path, contentType, body, token: tokens.sync })).status, 403);
      }
    });
  });

  describe("on the webhook's own configuration", () => {
    const POLICY = "keyvault-injector-webhook-configuration";
    const entry = "/webhooks/0";

    test("let it publish its CA by an apply of that field alone, and again", async () => {
      const body = {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "MutatingWebhookConfiguration",
        metadata: { name: OWN },
        webhooks: [{ name: "pods.keyvault-injector.dev", clientConfig: { caBundle: plane.config.caData } }],
      };
      const path = `${CONFIGURATION}?fieldManager=keyvault-injector-webhook&force=true`;

      for (const _ of [1, 2]) {
        const answer = await requests.call({ method: "PATCH", path, contentType: APPLY_PATCH, body, token: tokens.webhook });
        assertAllowed(answer);
        assert.equal(at(answer.body, "webhooks", 0, "clientConfig", "caBundle"), plane.config.caData);
        assert.equal(at(answer.body, "webhooks", 0, "rules", 0, "resources", 0), "pods");
      }
    });

    test("let it publish its CA in the configuration that warns, and refuse it a wider rule, a denial and another name there", async () => {
      const url = CONFIGURATION.replace("mutating", "validating");
      const names = ["workloads.keyvault-injector.dev", "secretproviderclasses.keyvault-injector.dev"];
      const body = {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name: OWN },
        webhooks: names.map((name) => ({ name, clientConfig: { caBundle: plane.config.caData } })),
      };
      const path = `${url}?fieldManager=keyvault-injector-webhook&force=true`;
      assertAllowed(await requests.call({ method: "PATCH", path, contentType: APPLY_PATCH, body, token: tokens.webhook }));

      for (const [path, value] of [
        ["/webhooks/0/rules", [everything]],
        ["/webhooks/0/failurePolicy", "Fail"],
        ["/webhooks/1/name", "other.keyvault-injector.dev"],
        ["/webhooks/1/matchConditions", []],
      ]) {
        const patch = {
          method: "PATCH",
          path: `${url}?dryRun=All`,
          contentType: JSON_PATCH,
          body: [{ op: "replace", path, value }],
        } as const;
        const answer = await requests.call({ ...patch, token: tokens.webhook });
        assertDenied(answer, POLICY, /can change only `caBundle` in its configuration/);
        assertAllowed(await requests.call({ ...patch, token: tokens.somebody }));
      }
    });

    const everything = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"], scope: "*" };
    const changes: Readonly<Record<string, readonly unknown[]>> = {
      "a wider rule": [{ op: "replace", path: `${entry}/rules`, value: [everything] }],
      "one more rule": [{ op: "add", path: `${entry}/rules/-`, value: everything }],
      "another operation": [{ op: "add", path: `${entry}/rules/0/operations/-`, value: "UPDATE" }],
      "other namespaces": [{ op: "replace", path: `${entry}/namespaceSelector`, value: {} }],
      "other objects": [{ op: "replace", path: `${entry}/objectSelector`, value: { matchLabels: { a: "b" } } }],
      "no match condition": [{ op: "remove", path: `${entry}/matchConditions` }],
      "a closed failure policy": [{ op: "replace", path: `${entry}/failurePolicy`, value: "Fail" }],
      "another match policy": [{ op: "replace", path: `${entry}/matchPolicy`, value: "Exact" }],
      "another reinvocation": [{ op: "replace", path: `${entry}/reinvocationPolicy`, value: "Never" }],
      "another timeout": [{ op: "replace", path: `${entry}/timeoutSeconds`, value: 30 }],
      "other side effects": [{ op: "replace", path: `${entry}/sideEffects`, value: "NoneOnDryRun" }],
      "other review versions": [{ op: "add", path: `${entry}/admissionReviewVersions/-`, value: "v1beta1" }],
      "another service": [{ op: "replace", path: `${entry}/clientConfig/service/name`, value: "other" }],
      "another path": [{ op: "replace", path: `${entry}/clientConfig/service/path`, value: "/other" }],
      "a URL": [{ op: "replace", path: `${entry}/clientConfig`, value: { url: "https://elsewhere.example/" } }],
      "another name": [{ op: "replace", path: `${entry}/name`, value: "other.keyvault-injector.dev" }],
      "no entry": [{ op: "remove", path: entry }],
      "a second entry": [
        { op: "copy", from: entry, path: "/webhooks/-" },
        { op: "replace", path: "/webhooks/1/name", value: "second.keyvault-injector.dev" },
      ],
      "a label": [{ op: "add", path: "/metadata/labels/new", value: "x" }],
      "an annotation": [{ op: "add", path: "/metadata/annotations", value: { new: "x" } }],
      "a finalizer": [{ op: "add", path: "/metadata/finalizers", value: ["example.com/hold"] }],
      "an owner": [
        { op: "add", path: "/metadata/ownerReferences", value: [{ apiVersion: "v1", kind: "Namespace", name: "default", uid: "0" }] },
      ],
    };
    for (const [change, patch] of Object.entries(changes)) {
      test(`refuse it ${change}, and nobody else`, async () => {
        assertDenied(await requests.patchConfiguration(patch, tokens.webhook), POLICY, /can change only `caBundle` in its configuration/);
        assertAllowed(await requests.patchConfiguration(patch, tokens.somebody));
      });
    }

    test("compare every field that the API server knows", async () => {
      const api = await requests.call({ method: "GET", path: "/openapi/v3/apis/admissionregistration.k8s.io/v1" });
      const policy = await plane.kubectl(["get", "validatingadmissionpolicy", POLICY, "-o", "jsonpath={.spec.validations}"]);
      const fieldsOf = (type: string): readonly string[] =>
        Object.keys(Object(at(api.body, "components", "schemas", `io.k8s.api.admissionregistration.v1.${type}`, "properties")));
      const fields = [...new Set([...fieldsOf("MutatingWebhook"), ...fieldsOf("ValidatingWebhook")]), ...fieldsOf("WebhookClientConfig")];

      const unnamed = fields.filter((field) => !new RegExp(`now\\.(clientConfig\\.)?\\??${field} == `).test(policy));

      assert.ok(fields.length >= 15);
      assert.deepEqual(unnamed, ["clientConfig", "caBundle"]);
    });
  });

  // This is last, because it moves the policies away from the identities that the tests above use.
  describe("in another namespace", () => {
    test("are about the identities there", async () => {
      // A cluster accepts one instance: the test deletes the first instance's bindings and configurations before it installs elsewhere.
      const install = ["apply", "--server-side", "-f", "-"];
      await assert.rejects(
        plane.kubectl(install, await renderDefaultOverlay("elsewhere")),
        /denied request: keyvault-injector is already installed in namespace keyvault-injector, and a cluster can have only one instance/,
      );
      const subjects = await plane.kubectl([
        "get",
        "clusterrolebinding",
        "keyvault-injector-sync",
        "-o",
        "jsonpath={.subjects[*].namespace}",
      ]);
      assert.equal(subjects, OWN);
      const names = ["keyvault-injector-components", "keyvault-injector-sync", "keyvault-injector-webhook"];
      await plane.kubectl(["delete", "clusterrolebinding", ...names]);
      await plane.kubectl(["delete", "mutatingwebhookconfiguration,validatingwebhookconfiguration", "keyvault-injector"]);
      await plane.kubectl(["apply", "--server-side", "-f", "-"], await renderDefaultOverlay("elsewhere"));
      const [sync, webhook] = [
        await serviceAccountToken(plane, "elsewhere", "keyvault-injector-sync"),
        await serviceAccountToken(plane, "elsewhere", "keyvault-injector-webhook"),
      ];
      const namespace = await requests.namespaceWith();
      const relabel = [{ op: "add", path: "/metadata/labels/new", value: "x" }];

      await policyIsActive("keyvault-injector-sync-secrets", () => requests.createSecret(namespace, "probe", {}, sync));
      await policyIsActive("keyvault-injector-sync-snapshots", () => requests.createRevision(namespace, {}, sync));
      await policyIsActive("keyvault-injector-sync-tokens", () => requests.requestToken(namespace, { audiences: ["other"] }, sync));
      await policyIsActive("keyvault-injector-webhook-configuration", () => requests.patchConfiguration(relabel, webhook));

      assertAllowed(await requests.applySecret("elsewhere", "keyvault-injector-sync-key", { data: { "hmac.key": "b25l" } }, sync));
      const before = await requests.applySecret(OWN, "keyvault-injector-sync-key", { data: { "hmac.key": "b25l" } }, sync);
      assertDenied(before, "keyvault-injector-sync-secrets", /cannot change a Secret that it does not own/);
      await plane.kubectl(["create", "serviceaccount", "default", "-n", "elsewhere"]);
      assertAllowed(await requests.createPod("elsewhere", { inject: "true", secretProviderClass: "akvprovider-demo" }));
    });
  });
}
