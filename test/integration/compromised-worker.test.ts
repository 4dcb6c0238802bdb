import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GRANT_ANNOTATIONS, MANAGED_LABEL } from "../../src/domain/annotations.ts";
import { type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { assertAllowed } from "../support/cluster/policy-answers.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Attempt, dryRun, isRead } from "./compromised-worker/attempt.ts";
import { attemptsOnLimits, attemptsOnWorkloads } from "./compromised-worker/cluster.ts";
import { anew, editsOfClass, editsOfComponents, pathOf, restorationsOf } from "./compromised-worker/components.ts";
import { forgeries, grantAttempts, tokenAttempts } from "./compromised-worker/identities.ts";
import { ACCOUNTS, CLASS, installed, SECRETS, TENANT } from "./compromised-worker/install.ts";
import { mintingSecrets, secretAttempts } from "./compromised-worker/secrets.ts";
import { TARGETS } from "./worker-writes/table.ts";

const refusal = controlPlaneRefusal();
const CLASSES = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${TENANT}/secretproviderclasses`;

let plane: ControlPlane;
let token = "";
let policies: readonly string[] = [];

const call = (request: ApiCall): Promise<ApiAnswer> => apiRequest(plane, request);

interface Kind {
  readonly kind: string;
  /** Without the policies, RBAC alone blocks the attempts of kind `rights`. */
  readonly heldBy: "policies" | "rights";
  readonly attempts: readonly Attempt[];
}

/** Attempts in the order in which a thief would make them: possible grants first. */
function kindsOf(canList: boolean): readonly Kind[] {
  return [
    { kind: "grants", heldBy: "rights", attempts: ACCOUNTS.flatMap(grantAttempts) },
    { kind: "Secrets", heldBy: "policies", attempts: secretAttempts(SECRETS, { canList }) },
    { kind: "Secrets that the cluster acts on", heldBy: "policies", attempts: mintingSecrets(ACCOUNTS) },
    { kind: "tokens", heldBy: "policies", attempts: tokenAttempts(ACCOUNTS) },
    { kind: "somebody's class", heldBy: "policies", attempts: editsOfClass(TENANT, CLASS.metadata.name) },
    { kind: "policies and rights", heldBy: "rights", attempts: attemptsOnLimits(policies) },
    { kind: "workloads", heldBy: "policies", attempts: attemptsOnWorkloads(TENANT) },
    { kind: "components", heldBy: "policies", attempts: editsOfComponents() },
  ];
}

/** Attempts that succeeded, and the number of all attempts. */
interface Outcome {
  readonly kind: string;
  readonly tried: number;
  readonly succeeded: readonly string[];
}

async function play({ kind, attempts }: Omit<Kind, "heldBy">, as: Pick<ApiCall, "token"> = { token }): Promise<Outcome> {
  const succeeded: string[] = [];
  for (const attempt of attempts) if (attempt.succeeded(await call({ ...attempt.call, ...as }))) succeeded.push(attempt.what);
  return { kind, tried: attempts.length, succeeded };
}

async function playAll(kinds: readonly Kind[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const kind of kinds) outcomes.push(await play(kind));
  return outcomes;
}

const withoutEffect = (kinds: readonly Kind[]): readonly Kind[] => kinds.map((kind) => ({ ...kind, attempts: kind.attempts.map(dryRun) }));

/**
 * Deletes each component and lets the thief recreate it. The attempts are dry runs, so that the first success does not prevent the others.
 */
async function playRestorations(): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const kind = "components made anew";
  for (const target of TARGETS) {
    const path = pathOf(target);
    const { body: live } = await call({ method: "GET", path });
    assert.ok(typeof live === "object" && live !== null);
    assertAllowed(await call({ method: "DELETE", path }));
    await eventually(async () => (await call({ method: "GET", path })).status === 404, { what: `the end of ${target.name}` });
    outcomes.push(await play({ kind, attempts: restorationsOf(target, live).map(dryRun) }));
    assertAllowed(await call({ method: "POST", path: target.collection, body: anew(live) }));
  }
  // The API server deleted the classes together with their definition.
  await eventually(async () => (await call({ method: "POST", path: CLASSES, body: CLASS })).status === 201, { what: "a class again" });
  return { kind, ...total(outcomes) };
}

function total(outcomes: readonly Outcome[]): Omit<Outcome, "kind"> {
  return { tried: outcomes.reduce((sum, { tried }) => sum + tried, 0), succeeded: outcomes.flatMap(({ succeeded }) => succeeded) };
}

const summary = (outcomes: readonly Outcome[]): string =>
  outcomes.map(({ kind, tried, succeeded }) => `${kind} ${succeeded.length} of ${tried}`).join(", ");

/** Reads the whole objects, by path, that no attempt may have changed, regardless of the answer. */
async function untouched(): Promise<Readonly<Record<string, unknown>>> {
  const paths = [
    ...TARGETS.map(pathOf),
    ...SECRETS.map(({ namespace, name }) => `/api/v1/namespaces/${namespace}/secrets/${name}`),
    ...[...new Set(ACCOUNTS.map(({ namespace }) => namespace))].map((namespace) => `/api/v1/namespaces/${namespace}`),
    `/apis/apps/v1/namespaces/${TENANT}/deployments/web`,
    `${CLASSES}/${CLASS.metadata.name}`,
  ];
  const read = async (path: string): Promise<unknown> => {
    const { status, body } = await call({ method: "GET", path });
    assert.equal(status, 200, path);
    return body;
  };
  const objects = await Promise.all(paths.map(async (path) => [path, await read(path)] as const));
  return Object.fromEntries(objects);
}

async function withoutPolicies(): Promise<void> {
  await plane.kubectl(["delete", "validatingadmissionpolicybinding", ...policies]);
  // For a moment the API server still enforces the deleted policies, each for its own time.
  const [finalizer] = editsOfComponents().filter(({ what }) => what.startsWith("a finalizer"));
  const [ask] = tokenAttempts(ACCOUNTS);
  const [mint] = mintingSecrets(ACCOUNTS);
  const isThrough = async (attempt: Attempt | undefined): Promise<boolean> => {
    assert.ok(attempt);
    return (await call({ ...dryRun(attempt).call, token })).status < 300;
  };
  for (const attempt of [finalizer, ask, mint])
    await eventually(() => isThrough(attempt), { what: `the end of what refuses ${attempt?.what}` });
}

const MODES = [
  { overlay: "blind", canList: false, reads: "reads no other Secret", byRight: "put over" },
  { overlay: "default", canList: true, reads: "reads no Secret but those that it watches", byRight: "merged into" },
] as const;

for (const { overlay, canList, reads, byRight } of MODES) {
  describe(`a thief with the worker's token in ${overlay}`, { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
    let guarded: Omit<Outcome, "kind">;

    before(async () => {
      ({ plane, token, policies } = await installed(overlay));
    });
    after(async () => {
      await plane?.stop();
    });

    test("is answered where the worker works: the credentials, a Secret of its own, a class, a token that is granted", worksAsTheWorker);

    test(`${reads}, changes no rule, address or image, and gets no token: none of more than 200 tries`, async (t) => {
      const unchanged = await untouched();
      const outcomes = await playAll(kindsOf(canList));
      assert.deepEqual(await untouched(), unchanged);

      guarded = total([...outcomes, await playRestorations()]);

      t.diagnostic(`compromised worker: ${guarded.succeeded.length} of ${guarded.tried} tries (${overlay})`);
      assert.deepEqual(guarded.succeeded, []);
      assert.ok(guarded.tried >= 200, `${guarded.tried} tries`);
    });

    test("does most of it without the policies, of each kind something", async (t) => {
      await withoutPolicies();

      const outcomes = [...(await playAll(withoutEffect(kindsOf(canList)))), await playRestorations()];

      const { tried, succeeded } = total(outcomes);
      t.diagnostic(`compromised worker: ${succeeded.length} of ${tried} tries without the policies (${overlay}): ${summary(outcomes)}`);
      assert.equal(tried, guarded.tried);
      const byRights = kindsOf(canList).filter(({ heldBy }) => heldBy === "rights");
      const none = outcomes.filter((outcome) => outcome.succeeded.length === 0).map(({ kind }) => kind);
      assert.deepEqual(
        none,
        byRights.map(({ kind }) => kind),
      );
      for (const what of [...WORST, `our label, ${byRight} Secret team/plain`])
        assert.ok(succeeded.includes(what), `${what}\n${succeeded.join("\n")}`);

      // The API server accepts the requests that only rights block from a user who has the right.
      for (const kind of withoutEffect(byRights)) {
        const asOperator = await play(kind, {});
        t.diagnostic(`an operator: ${summary([asOperator])}`);
        assert.ok(asOperator.succeeded.length * 2 > asOperator.tried, summary([asOperator]));
      }
    });
  });
}

const WORST = [
  "a rule for everything: the configuration that injects",
  "a URL: the configuration that injects, made anew",
  "another image: the driver's DaemonSet",
  "another image: the webhook's Deployment, made anew",
  "a token of team/app for the API server, for 600 seconds",
  "a token of kube-system/default for Entra, for 600 seconds",
  "a dry-run deletion of Secret team/held",
  "a Secret with a token of kube-system/default",
];

/** Checks that the worker's token is valid and that the attempts have a valid form. */
async function worksAsTheWorker(): Promise<void> {
  const secrets = `/api/v1/namespaces/${TENANT}/secrets`;
  assert.ok(isRead(await call({ method: "GET", path: `${secrets}/secrets-store-creds`, token })));
  const metadata = { name: "mirrored", labels: { [MANAGED_LABEL]: "true" } };
  assertAllowed(await call({ method: "POST", path: secrets, body: { apiVersion: "v1", kind: "Secret", metadata }, token }));
  const forged = await Promise.all(ACCOUNTS.flatMap(forgeries).map((forgery) => call({ ...forgery, token })));
  assert.equal(forged.filter(({ status }) => status === 201).length, ACCOUNTS.length, "classes, which are no grant");

  const [{ namespace, name }] = ACCOUNTS;
  const grant = (value: string | null): Promise<ApiAnswer> => {
    const body = { metadata: { annotations: { [GRANT_ANNOTATIONS.serviceAccounts]: value } } };
    return call({ method: "PATCH", path: `/api/v1/namespaces/${namespace}`, contentType: MERGE_PATCH, body });
  };
  const [ask] = tokenAttempts([{ namespace, name }]);
  assert.ok(ask);
  assertAllowed(await grant(name));
  await eventually(async () => (await call({ ...ask.call, token })).status === 201, { what: "a token" });
  assertAllowed(await grant(null));
  await eventually(async () => (await call({ ...ask.call, token })).status === 403, { what: "the end of the grant" });
}
