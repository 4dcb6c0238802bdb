import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Check, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkEventQueues } from "../../src/cli/doctor/checks/event-queues.ts";
import { checkApi } from "../../src/cli/doctor/checks/install.ts";
import { checkGuardrails } from "../../src/cli/doctor/checks/policies.ts";
import { checkInjection } from "../../src/cli/doctor/checks/webhook.ts";
import { lookUpIdentity } from "../../src/cli/doctor/class/identity.ts";
import type { ClassContext } from "../../src/cli/shared/class-context.ts";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode, type Refuser } from "../../src/domain/ports/kube-error.ts";
import { holding, workerDeployment } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";

interface Refusal {
  readonly code: KubeErrorCode;
  readonly refuser?: Refuser;
}

const RIGHTS: Refusal = { code: "Forbidden", refuser: { kind: "rights" } };

/** Everything but a lack of permission. */
const OTHERS: readonly Refusal[] = [
  { code: "Unavailable" },
  { code: "Throttled" },
  { code: "Unauthorized" },
  { code: "Forbidden", refuser: { kind: "webhook" } },
  { code: "Forbidden", refuser: { kind: "policy", name: "of-the-platform" } },
];

const NAMESPACE_OF_ACCOUNT = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: NAMESPACE, annotations: { [GRANT_ANNOTATIONS.serviceAccounts]: "reader" } },
};
const ACCOUNT = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: NAMESPACE, name: "reader" } };
const GUID = "00000000-0000-4000-8000-000000000001";
const QUEUE = `https://shop.queue.core.windows.net/events;tenantID=${GUID};identity=workload;clientID=${GUID};serviceAccount=reader`;
const WORKER = workerDeployment(`--event-queues=${QUEUE}`);

/** A cluster that answers every request with this refusal. `failing`: only from the attempts on, after it has told who asks. */
function contextOf({ code, refuser }: Refusal, failing: "all" | "attempts" = "all"): DoctorContext {
  const refuse = async () => {
    throw new KubeError(code, `the message of ${code}`, { retry: { kind: "never" }, refuser });
  };
  const kube = { create: refuse, requestToken: refuse };
  const acting = { kube: failing === "all" ? kube : { ...kube, create: async () => ({}) }, close: async () => undefined };
  return {
    viewer: holding([NAMESPACE_OF_ACCOUNT, ACCOUNT, WORKER]),
    namespace: NAMESPACE,
    cluster: { kube, namespace: "shop", actAs: async () => acting },
    azure: { queues: { open: assert.fail }, isInCluster: false },
    worker: { tryGuardrails: refuse },
    clock: { now: () => 0 },
    signal: new AbortController().signal,
  } as unknown as DoctorContext; // These checks take nothing else.
}

async function reported(check: Check, ...given: Parameters<typeof contextOf>): Promise<string> {
  const results = await check(contextOf(...given));
  assert.deepEqual(
    results.map(({ state }) => state),
    ["SKIP"],
  );
  return results.map(({ message, fix = "" }) => `${message} -> ${fix}`).join();
}

const checks: readonly (readonly [string, string, Check, RegExp])[] = [
  ["CW-17", "who asks", checkApi, /^not checked: you lack permission to ask who you are -> ask for the role system:basic-user/],
  [
    "CW-18",
    "the worker's policies",
    checkGuardrails,
    /^not checked: you lack permission to impersonate system:serviceaccount:\S+ -> ask for/,
  ],
  [
    "CW-17",
    "a pod by dry run",
    checkInjection,
    /^not checked: you lack permission to create pods in shop, or the namespace does not admit/,
  ],
  [
    "CW-17",
    "a token for a queue",
    checkEventQueues,
    /is not checked: you lack permission to get a token of ServiceAccount \S+ -> check from/,
  ],
];

describe("a check whose request fails", () => {
  for (const [id, what, check, lack] of checks) {
    test(`${id}: names a lack of permission as what it is: ${what}`, async () => {
      assert.match(await reported(check, RIGHTS), lack);
    });

    for (const refusal of OTHERS) {
      test(`${id}: does not call ${refusal.code} of ${refusal.refuser?.kind ?? "nobody"} a lack of permission: ${what}`, async () => {
        const message = await reported(check, refusal);

        assert.doesNotMatch(message, /permission/);
        assert.match(message, refusal.code === "Unauthorized" ? /sign in again/ : /the message of/);
      });
    }
  }

  test("CW-18: tells an attempt that fails from an impersonation that is refused", async () => {
    const message = await reported(checkGuardrails, { code: "Unavailable" }, "attempts");

    assert.match(message, /^not checked: could not try what the policies forbid: the message of Unavailable/);
  });
});

test("CW-17: doctor class asks for the permission to request a token only if that is what the user lacks", async () => {
  const fixOf = async (refusal: Refusal): Promise<string> => {
    const { viewer, cluster, signal } = contextOf(refusal);
    const context = { viewer, kube: cluster.kube, signal, install: { namespace: NAMESPACE } } as unknown as ClassContext; // As used here.
    const spc = {
      metadata: { namespace: NAMESPACE, name: "web", annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "reader" } },
    } as unknown as SecretProviderClass; // As used here.
    const { findings } = await lookUpIdentity(context, spc, { kind: "workloadIdentity", clientId: "c" });
    return findings.map(({ message, fix = "" }) => `${message} ${fix}`).join();
  };

  assert.match(await fixOf(RIGHTS), /Ask for permission to create serviceaccounts\/token/);
  for (const refusal of OTHERS) assert.doesNotMatch(await fixOf(refusal), /Ask for permission|you lack permission/, refusal.code);
});
