import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GUARDRAILS } from "../../src/sync/guardrails.ts";
import { apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { COMPANY_POLICIES, companyPolicies } from "../support/cluster/company-policies.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, readManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  classOf,
  createClass,
  eventsOf,
  opaque,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const OWN = "keyvault-injector";
const POLICY = "keyvault-injector-sync-secrets";

let world: SyncWorld;
let worker: ProductProcess;
let token: string;

const isMissing = async (policy: string): Promise<boolean> =>
  new RegExp(`guardrails_missing\\{[^}]*policy="${policy}"[^}]*\\} 1$`, "m").test(await worker.metrics());

const bind = async (policies: readonly string[] = [POLICY]): Promise<void> => {
  const bindings = policies.map((policy) => {
    const manifests = readManifests(`policies/${policy.replace("keyvault-injector-", "")}.yaml`);
    return manifests.find(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
  });
  await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: bindings }));
};

const emptyPatch = (namespace: string) =>
  apiRequest(world.plane, {
    method: "PATCH",
    path: `${secretPath(namespace, "foreign")}?dryRun=All`,
    contentType: MERGE_PATCH,
    body: {},
    token,
  });

/** Whether the company's policies reject the probes' requests. */
async function companyRefuses(): Promise<boolean> {
  const probe = { method: "POST", path: `/api/v1/namespaces/${OWN}/secrets?dryRun=All`, token } as const;
  const metadata = { name: "probe" };
  const answers = await Promise.all([
    apiRequest(world.plane, { ...probe, body: { apiVersion: "v1", kind: "Secret", metadata } }),
    ...["keyvault-injector-sync", "keyvault-injector-webhook"].map((name) =>
      apiRequest(world.plane, {
        method: "PATCH",
        path: `/apis/apps/v1/namespaces/${OWN}/deployments/${name}?dryRun=All`,
        contentType: MERGE_PATCH,
        body: { spec: { template: { metadata: { annotations: { probe: "x" } } } } },
        token,
      }),
    ),
  ]);
  return answers.every(({ status }) => status === 403);
}

describe("the worker's guardrails", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    token = await serviceAccountToken(world.plane, OWN, "keyvault-injector-sync");
    worker = await world.product.start("sync");
  });
  after(async () => {
    await world?.stop();
  });

  test("deny its identity an empty patch of a foreign Secret, without data; once they are gone the worker reports it", async () => {
    const namespace = await world.namespace();
    const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "foreign" }, data: { password: "aHVudGVyMg==" } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: foreign });
    // The API server enforces policies seconds after their creation. The worker may have probed before.
    const denied = await eventually(
      async () => {
        const answer = await emptyPatch(namespace);
        return answer.status === 403 ? answer : undefined;
      },
      { what: POLICY, within: 30_000 },
    );
    await eventually(async () => new RegExp(`guardrails_missing\\{[^}]*policy="${POLICY}"`).test(await worker.metrics()));
    await eventually(async () => !(await isMissing(POLICY)), { what: "the metric", within: 20_000 });
    assert.match(String(at(denied.body, "message")), new RegExp(`'${POLICY}'`));
    assert.doesNotMatch(JSON.stringify(denied.body), /aHVudGVyMg/);

    await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", POLICY]);

    const answered = await eventually(async () => {
      const answer = await emptyPatch(namespace);
      return answer.status === 200 ? answer : undefined;
    });
    assert.equal(at(answered.body, "data", "password"), "aHVudGVyMg==");
    await eventually(() => isMissing(POLICY), { what: "the metric", within: 20_000 });
    assert.equal(await isMissing("keyvault-injector-sync-tokens"), false);
    const place = { namespace: OWN, name: "keyvault-injector-sync" };
    const event = await eventually(async () => (await eventsOf(world.plane, place)).find(({ reason }) => reason === "GuardrailsMissing"));
    assert.equal(event.involvedObject.kind, "Deployment");
    assert.match(
      event.message,
      /the sync worker is able to do what keyvault-injector-sync-secrets should prevent; apply manifests\/policies/,
    );
    assert.match(worker.log(), /"reason":"GuardrailsMissing"/);
    const object = await world.object("any");
    const demo = { namespace, name: "demo" };
    await createClass(world.plane, classOf(world, { ...demo, objects: [object], secretObjects: [opaque("app", object)] }));
    await reasonIs(world.plane, demo, "Synced");
    const guarded = (await statusOf(world.plane, namespace, "demo"))?.conditions.find(({ type }) => type === "Guarded");
    assert.deepEqual([guarded?.status, guarded?.reason, guarded?.message], ["False", "GuardrailsMissing", event.message]);

    await bind();
    await eventually(async () => !(await isMissing(POLICY)), { what: "the metric", within: 20_000 });
    assert.equal((await emptyPatch(namespace)).status, 403);
  });

  test("are missed, too, where the binding only warns", async () => {
    await world.plane.kubectl([
      "patch",
      "validatingadmissionpolicybinding",
      POLICY,
      "--type=merge",
      "-p",
      '{"spec":{"validationActions":["Warn"]}}',
    ]);

    await eventually(() => isMissing(POLICY), { what: "the metric", within: 20_000 });

    await bind();
    await eventually(async () => !(await isMissing(POLICY)), { what: "the metric", within: 20_000 });
  });

  test("are missed where the policy itself is gone and its binding is left, which lets the empty patch through", async () => {
    const namespace = await world.namespace();
    const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "foreign" }, data: { password: "aHVudGVyMg==" } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: foreign });
    const policies = readManifests("policies/sync-secrets.yaml").filter(({ kind }) => kind === "ValidatingAdmissionPolicy");
    await world.plane.kubectl(["delete", "validatingadmissionpolicy", POLICY]);

    await eventually(async () => (await emptyPatch(namespace)).status === 200, { what: "an answer" });
    await eventually(() => isMissing(POLICY), { what: "the metric", within: 20_000 });

    await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: policies }));
    await eventually(async () => !(await isMissing(POLICY)), { what: "the metric", within: 20_000 });
    assert.equal((await emptyPatch(namespace)).status, 403);
  });

  test("are each missed where they are absent", async () => {
    // Policies on Gateways and Ingresses need an install with that component: see gateway-tls.test.ts.
    const tried = GUARDRAILS.filter((policy) => !policy.includes("gateway"));
    await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", ...tried]);
    for (const policy of tried) await eventually(() => isMissing(policy), { what: policy, within: 20_000 });

    await bind(tried);
    for (const policy of tried) await eventually(async () => !(await isMissing(policy)), { what: policy, within: 20_000 });
  });

  test("A-6: are missed where they are absent and somebody else's policies refuse the same, and are not known while those hide them", async () => {
    const ours = ["keyvault-injector-sync-pods", "keyvault-injector-sync-secrets"];
    await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", ...ours]);
    for (const policy of ours) await eventually(() => isMissing(policy), { what: policy, within: 20_000 });
    await world.plane.kubectl(["apply", "-f", "-"], companyPolicies());
    await eventually(companyRefuses, { what: "the company's policies", within: 20_000 });

    // After a change of one of our bindings, the worker probes all of them.
    await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", "keyvault-injector-sync-tokens"]);
    await eventually(() => isMissing("keyvault-injector-sync-tokens"), { what: "another look", within: 20_000 });
    await bind(["keyvault-injector-sync-tokens"]);
    await eventually(async () => !(await isMissing("keyvault-injector-sync-tokens")), { what: "another look", within: 20_000 });

    const noticed = await Promise.all(ours.map(isMissing));
    assert.deepEqual(noticed, [true, true]);
    assert.match(worker.log(), /another policy or webhook rejects the sync worker's tests.*company-images/);

    await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", ...COMPANY_POLICIES]);
    await bind(ours);
    for (const policy of ours) await eventually(async () => !(await isMissing(policy)), { what: policy, within: 20_000 });
  });

  test("are tried without effect, under a name of their own in the audit log", async () => {
    const probes = world.plane.probes();
    assert.ok(probes.some(({ code }) => code === 403));
    assert.ok(
      probes.every(
        ({ verb, uri }) =>
          verb !== "get" && (uri.includes("dryRun=All") || uri.endsWith("/token") || verb === "delete" || isLookForGateway(verb, uri)),
      ),
    );
    const { status } = await apiRequest(world.plane, { method: "GET", path: secretPath(OWN, "keyvault-injector-sync-key") });
    assert.equal(status, 200, "the key that it tried to delete is there");
    const { status: made } = await apiRequest(world.plane, { method: "GET", path: secretPath(OWN, "keyvault-injector-guardrail-probe") });
    assert.equal(made, 404);
  });

  test("needed no request that was refused by mistake", () => {
    const requests = world.plane.audit().filter(({ userAgent }) => userAgent.startsWith("keyvault-injector-sync/"));
    assert.ok(requests.length > 0);
    assert.deepEqual(forbidden(requests), []);
    assert.ok(forbidden(world.plane.audit()).length > 0, "those of the test are seen");
  });
});

/** The install contains no Gateway or Ingress, so the worker probes with an existing one. */
function isLookForGateway(verb: string, uri: string): boolean {
  return verb === "list" && /\/(?:gateways|ingresses)(?:\?|$)/.test(uri);
}
