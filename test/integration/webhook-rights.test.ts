import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { apiRequest } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, listAt } from "../support/cluster/shipped-manifests.ts";

const OWN = "keyvault-injector";
const READ = "get list watch";
/** Rights of the account according to the API server, beyond the rights of every ServiceAccount. */
const EVERYWHERE = [
  `${READ} namespaces`,
  `${READ} secretproviderclasses.secrets-store.csi.x-k8s.io`,
  `${READ} patch mutatingwebhookconfigurations.admissionregistration.k8s.io ${OWN}`,
  `${READ} patch validatingwebhookconfigurations.admissionregistration.k8s.io ${OWN}`,
];
const IN_OWN_NAMESPACE = [`${READ} create patch secrets keyvault-injector-ca`];

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  describe(`the webhook's account, on API server ${version}`, { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
    let plane: ControlPlane;
    before(async () => {
      plane = await startControlPlane({ version, controllerManager: false });
      await installShipped(plane);
      await plane.kubectl(["create", "serviceaccount", "nobody", "-n", OWN]);
    });
    after(async () => {
      await plane?.stop();
    });

    /** Returns the API server's answer to the account itself: one line for each rule and resource. */
    async function rulesOf(account: string, namespace: string): Promise<readonly string[]> {
      const token = await serviceAccountToken(plane, OWN, account);
      const { status, body } = await apiRequest(plane, {
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
        token,
      });
      assert.equal(status, 201);
      assert.equal(at(body, "status", "incomplete"), false);
      return listAt(body, "status", "resourceRules").flatMap((rule) => {
        const [group = ""] = listAt(rule, "apiGroups").map(String);
        const words = [...listAt(rule, "resourceNames")].join(" ");
        const verbs = listAt(rule, "verbs").join(" ");
        return listAt(rule, "resources").map((name) => `${verbs} ${String(name)}${group === "" ? "" : `.${group}`} ${words}`.trim());
      });
    }

    async function rightsIn(namespace: string): Promise<readonly string[]> {
      const everybody = await rulesOf("nobody", namespace);
      assert.ok(everybody.length > 0);
      return (await rulesOf("keyvault-injector-webhook", namespace)).filter((rule) => !everybody.includes(rule)).sort();
    }

    test("may do nothing but what is listed here: no Secret but its CA, one name for each webhook configuration", async () => {
      assert.deepEqual(await rightsIn(OWN), [...EVERYWHERE, ...IN_OWN_NAMESPACE].sort());
      for (const namespace of ["default", "kube-system"]) assert.deepEqual(await rightsIn(namespace), [...EVERYWHERE].sort());
    });

    test("would be seen with one right more", async () => {
      await plane.kubectl(["create", "role", "more", "-n", "default", "--verb=get", "--resource=secrets"]);
      const account = `--serviceaccount=${OWN}:keyvault-injector-webhook`;
      await plane.kubectl(["create", "rolebinding", "more", "-n", "default", "--role=more", account]);
      assert.deepEqual(await rightsIn("default"), [...EVERYWHERE, "get secrets"].sort());
    });
  });
}
