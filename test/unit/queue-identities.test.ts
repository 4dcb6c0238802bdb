import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { networkRemedy } from "../../src/azure/network-words.ts";
import type { CheckResult, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkEventQueues } from "../../src/cli/doctor/checks/event-queues.ts";
import { checkRights } from "../../src/cli/doctor/checks/rights.ts";
import { accountOf, type WayContext } from "../../src/cli/doctor/class/identity.ts";
import { findGrants, missingGrants } from "../../src/cli/grants/needs.ts";
import { type EventQueue, QueueError } from "../../src/domain/ports/event-queue.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { findQueueIdentity } from "../../src/sync/push/queue-identity.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { holding, workerDeployment } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";
const GUID = "00000000-0000-0000-0000-000000000001";
const LABEL = "shop.queue.core.windows.net/events";
const QUEUE = `https://${LABEL};tenantID=${GUID}`;
const ACCOUNTS = "grants.keyvault-injector.dev/service-accounts";
const RBAC = readManifests("base/sync-rbac.yaml");

const ofAccount = (account: string): string => `${QUEUE};identity=workload;clientID=${GUID};serviceAccount=${account}`;
const ofSecret = (name: string): string => `${QUEUE};identity=servicePrincipal;secret=${name}`;

const namespace = (name: string, accounts?: string): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, annotations: accounts === undefined ? {} : { [ACCOUNTS]: accounts } },
});
const account = (name: string, of = NAMESPACE): Manifest => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { namespace: of, name },
});
const secret = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: NAMESPACE, name },
  data: { clientid: btoa("client"), clientsecret: btoa("secret") },
});

const empty: EventQueue = { receive: async () => [], delete: async () => true, peek: async () => [] };

async function checkedQueues(objects: readonly Manifest[], queue: EventQueue = empty): Promise<readonly string[]> {
  const context = {
    viewer: holding(objects),
    namespace: NAMESPACE,
    azure: { queues: { open: () => queue }, isInCluster: false },
    cluster: { kube: { requestToken: async () => new Sensitive(new Uint8Array()) } },
    clock: { now: () => Date.now() },
    signal: new AbortController().signal,
  } as unknown as DoctorContext; // The check reads nothing else.
  return (await checkEventQueues(context)).map(shown);
}

function shown({ state, message, fix }: CheckResult): string {
  return `${state} ${message}${fix === undefined ? "" : ` -> ${fix}`}`;
}

describe("a queue whose storage account responds with an error", () => {
  test("QE: is to be checked again later, and nothing is to be changed on the path to it", async () => {
    const peek = () => Promise.reject(new QueueError("Faulty", "the account responds with an error", { kind: "backoff" }));
    const [result] = await checkedQueues([workerDeployment(`--event-queues=${ofAccount("events")}`), account("events")], {
      ...empty,
      peek,
    });

    assert.match(
      result ?? "",
      /^FAIL the account responds with an error -> check again later; if this persists, check Azure's status page$/,
    );
  });
});

describe("the account that reads a queue", () => {
  const grants = (objects: readonly Manifest[], within?: string) => findGrants(holding(objects), NAMESPACE, within);
  const queues = workerDeployment(`--event-queues=${ofAccount("events")},${ofAccount("platform/shared").replace("/events;", "/others;")}`);

  test("P3: is among what the command grants knows, in whichever namespace it is, beside what is granted already", async () => {
    const { needs } = await grants([queues, namespace(NAMESPACE, "earlier"), namespace("platform")]);

    assert.deepEqual(missingGrants(needs), [
      { namespace: NAMESPACE, accounts: ["earlier", "events"], managedIdentity: false },
      { namespace: "platform", accounts: ["shared"], managedIdentity: false },
    ]);
    assert.deepEqual(
      needs.namespaces.flatMap(({ accounts }) => accounts.flatMap((each) => ("queues" in each ? each.queues : []))),
      [LABEL, LABEL.replace("/events", "/others")],
    );
  });

  test("P3: is missing nothing once it is granted, and only in the namespace that is asked about", async () => {
    const granted = await grants([queues, namespace(NAMESPACE, "events"), namespace("platform")]);
    const within = await grants([queues, namespace(NAMESPACE), namespace("platform")], "platform");

    assert.deepEqual(missingGrants(granted.needs), [{ namespace: "platform", accounts: ["shared"], managedIdentity: false }]);
    assert.deepEqual(missingGrants(within.needs), [{ namespace: "platform", accounts: ["shared"], managedIdentity: false }]);
  });

  test("P3: is said to be missing before its grant is", async () => {
    const found = await checkedQueues([workerDeployment(`--event-queues=${ofAccount("events")}`), namespace(NAMESPACE)]);

    assert.deepEqual(found, [
      `FAIL ${LABEL}: ServiceAccount ${NAMESPACE}/events does not exist -> kubectl create serviceaccount events --namespace ${NAMESPACE}; then keyvault-injector grants --namespace ${NAMESPACE} --account events --apply`,
    ]);
  });

  test("P3: is granted by a command that knows it", async () => {
    const objects = [workerDeployment(`--event-queues=${ofAccount("events")}`), namespace(NAMESPACE), account("events")];
    const [found = ""] = await checkedQueues(objects);

    assert.match(
      found,
      /Namespace keyvault-injector does not grant it.* -> keyvault-injector grants --namespace keyvault-injector --account events --apply$/,
    );
    assert.equal(missingGrants((await grants(objects, NAMESPACE)).needs).length, 1);
  });
});

test("P3: the account of a class, too, is said to be missing before its grant is", async () => {
  const metadata = { namespace: "shop", name: "db", annotations: { "keyvault-injector.dev/service-account": "web" } };
  const context = { viewer: holding([namespace("shop")]) } as unknown as WayContext; // The step reads nothing else.
  const found = await accountOf(context, { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata });

  assert.equal(found.ok ? "granted" : found.error.message, "ServiceAccount shop/web does not exist");
});

describe("the Secret that reads a queue", () => {
  const fix = `add queue-creds to --credentials-secret-names, and to resourceNames of the rule for get on Secrets in the ClusterRole keyvault-injector-sync (the chart's value credentialsSecretNames does both)`;
  const named = RBAC.map((object) => JSON.parse(JSON.stringify(object).replace('"secrets-store-creds"', '"queue-creds"')) as Manifest);

  test("P9: is told where the worker may not read it, as far as its queue and its rights are concerned", async () => {
    const objects = [...RBAC, workerDeployment(`--event-queues=${ofSecret("queue-creds")}`), secret("queue-creds")];
    const rights = (await checkRights({ viewer: holding(objects), namespace: NAMESPACE })).map(shown);

    assert.deepEqual(await checkedQueues(objects), [
      `FAIL ${LABEL}: the worker lacks permission to get Secret ${NAMESPACE}/queue-creds -> ${fix}`,
    ]);
    assert.deepEqual(rights, [
      `FAIL the worker lacks permission to get secrets queue-creds: no event queue that uses it is read -> ${fix}`,
    ]);
  });

  test("P9: is fine where the worker may", async () => {
    const args = ["--credentials-secret-names=queue-creds", `--event-queues=${ofSecret("queue-creds")}`];
    const objects = [...named, workerDeployment(...args), secret("queue-creds")];

    assert.deepEqual(await checkedQueues(objects), [`OK ${LABEL} can be reached, and its messages can be received; 0 messages waiting`]);
    assert.match((await checkRights({ viewer: holding(objects), namespace: NAMESPACE })).map(shown).join("\n"), /^OK /);
  });

  test("is advised to be bound where the worker serves some namespaces alone", async () => {
    const rights = RBAC.filter(({ kind, metadata }) => kind !== "ClusterRoleBinding" || metadata.name !== "keyvault-injector-sync");
    const objects = [...rights, workerDeployment("--namespaces=shop", `--event-queues=${ofSecret("secrets-store-creds")}`)];

    const [found = ""] = await checkedQueues(objects);
    assert.match(found, / -> bind the ClusterRole keyvault-injector-sync in namespace keyvault-injector as well, /);
  });

  test("P9: of classes is among the worker's rights, too", async () => {
    const objects = [...RBAC, workerDeployment("--credentials-secret-names=secrets-store-creds,queue-creds")];

    assert.deepEqual((await checkRights({ viewer: holding(objects), namespace: NAMESPACE })).map(shown), [
      `FAIL the worker lacks permission to get secrets queue-creds: no class that uses it is synced -> ${fix}`,
    ]);
  });

  test("P9: that does not exist is said so", async () => {
    const [found = ""] = await checkedQueues([...RBAC, workerDeployment(`--event-queues=${ofSecret("secrets-store-creds")}`)]);

    assert.match(found, /^FAIL shop\S+: Secret keyvault-injector\/secrets-store-creds does not exist -> create it with the keys/);
  });

  test("P9: a sign-in service whose name does not resolve is no matter of classes alone", () => {
    assert.match(networkRemedy("ENOTFOUND", "signIn"), /cloudName of a class, or authorityHost of an event queue/);
  });
});

describe("the Secret that reads a queue, as the worker reads it", () => {
  const secretIsRead = async (thrown: KubeError): Promise<unknown> => {
    const read = async () => {
      throw thrown;
    };
    const kube = { read, requestToken: () => assert.fail("no account is named") };
    const identity = { kind: "servicePrincipal", tenantId: GUID, secretName: "queue-creds" } as const;
    return findQueueIdentity({ kube, namespace: NAMESPACE }, { url: LABEL, identity }, new AbortController().signal).catch(
      (e: unknown) => e,
    );
  };

  test("RC-11: of an API server that is silent is no matter of rights, and is said as the API server's", async () => {
    const retry = { kind: "after", milliseconds: 7_000 } as const;
    const silence = "cannot read Secret keyvault-injector/queue-creds: no answer from the API server within 15 s";
    for (const code of ["Unavailable", "Throttled"] as const) {
      const found = await secretIsRead(new KubeError(code, silence, { retry }));
      assert.ok(found instanceof QueueError);
      assert.deepEqual([found.message, found.code, found.retry], [`cannot sign in at ${LABEL}: ${silence}`, "Unreachable", retry]);
    }
  });

  test("RC-11: which the worker may not read is told with the role that has to name it", async () => {
    const found = await secretIsRead(new KubeError("Forbidden", "may not get", { retry: { kind: "never" } }));
    assert.ok(found instanceof QueueError && found.code === "IdentityUnavailable");
    assert.match(found.message, /may not get; the ClusterRole keyvault-injector-sync must name it/);
  });
});
