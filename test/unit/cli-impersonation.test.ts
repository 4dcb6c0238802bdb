import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { refusedBy } from "../../src/kube/errors.ts";
import { runCli } from "../support/cli/cli.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

/** The API server's answer to every request of a user who may not act as the user that the kubeconfig names. */
function refusal(message: string): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Forbidden", code: 403, message };
}

const OF_JANE = 'users "jane" is forbidden: User "joe" cannot impersonate resource "users" in API group "" at the cluster scope';

describe("a kubeconfig that acts as somebody whom its user may not impersonate", () => {
  let server: StubApiServer;
  before(async () => {
    server = await startStubApiServer((_request, response) => sendJson(response, 403, refusal(OF_JANE)));
  });
  after(() => server.stop());

  for (const argv of [
    ["doctor"],
    ["doctor", "plan"],
    ["explain", "pod/web"],
    ["where"],
    ["grants"],
    ["refresh", "web"],
    ["uninstall", "--prepare"],
  ]) {
    test(`ST7: is told as that, and not as a missing permission for the object: ${argv.join(" ")}`, async () => {
      const { code, stdout, stderr } = await runCli(argv, { kubeconfig: server.kubeconfig });

      const why = 'joe lacks permission to impersonate users "jane" (as in the kubeconfig)';
      const expected = `keyvault-injector ${argv[0] ?? ""}: ${why}; ask for permission to impersonate, or correct the kubeconfig's user\n`;
      assert.deepEqual([code, stdout, stderr], [2, "", expected]);
    });
  }
});

describe("a refusal to impersonate", () => {
  const attempt = { verb: "get", resource: RESOURCES.secrets, ref: { namespace: "shop", name: "db" } } as const;
  const refuserIn = (message: string) => refusedBy(attempt, { status: 403, body: JSON.stringify(refusal(message)) }).refuser;

  for (const [what, message, whom] of [
    ["a user", OF_JANE, 'users "jane"'],
    [
      "a group",
      'groups "devs" is forbidden: User "joe" cannot impersonate resource "groups" in API group "" at the cluster scope',
      'groups "devs"',
    ],
    [
      "a UID",
      'uids.authentication.k8s.io "42" is forbidden: User "joe" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
      'uids.authentication.k8s.io "42"',
    ],
    [
      "a ServiceAccount",
      'serviceaccounts "sa" is forbidden: User "joe" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
      'serviceaccounts "sa"',
    ],
  ] as const) {
    test(`ST7: names who may not impersonate ${what}`, () => {
      assert.deepEqual(refuserIn(message), { kind: "rights", impersonation: { by: "joe", of: whom } });
    });
  }

  test("ST7: is not read from what somebody else wrote", () => {
    const policy = `secrets "db" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${OF_JANE}`;
    assert.equal(refuserIn(policy)?.kind, "policy");
    assert.deepEqual(refuserIn(`admission webhook "w" denied the request: ${OF_JANE}`), { kind: "webhook" });
  });
});
