import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, COPY_ANNOTATIONS, COPY_LABEL, GRANT_ANNOTATIONS, MANAGED_LABEL } from "../../src/domain/annotations.ts";
import { APPLY_PATCH, type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied, messageOf } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { installShipped, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { type Random, randomFrom } from "../support/fixtures/random.ts";
import { PolicyRequests } from "./policy-requests.ts";

const SECRETS_POLICY = "keyvault-injector-sync-secrets";
const CONSENTS_POLICY = "keyvault-injector-namespace-consents";
const SOURCE = "platform/shop-tls";
const TRIES = 1_000;

/** Namespaces that accept no copies from the class, with the value of their annotation. */
const UNWILLING: Readonly<Record<string, string | undefined>> = {
  silent: undefined,
  empty: "",
  "other-class": "platform/other",
  "other-namespace": "elsewhere/*, elsewhere/shop-tls",
  "all-of-all": "*, */*, */shop-tls",
  "beginning-of-name": "platform/shop, platform/shop-tls-2, platform/shop-*",
  "beginning-of-namespace": "plat/*, platform-2/*",
  "without-a-class": "platform, platform/, /shop-tls, shop-tls",
  "other-separators": "platform/shop-tls;platform/other platform/shop-tls",
  "other-case": "Platform/shop-tls, PLATFORM/*",
};

/** Namespaces that accept copies from the class. */
const WILLING: Readonly<Record<string, string>> = {
  "by-name": SOURCE,
  "by-star": "platform/*",
  "among-others": "elsewhere/*,other/one , platform/shop-tls ,",
};

let plane: ControlPlane;
let requests: PolicyRequests;
let worker: string;

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`consents to copies, on API server ${version}`, { skip }, () => theConsents(version));
}

function theConsents(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    requests = new PolicyRequests(plane);
    await installShipped(plane);
    worker = await serviceAccountToken(plane, "keyvault-injector", "keyvault-injector-sync");
    for (const [name, taken] of Object.entries({ ...UNWILLING, ...WILLING }))
      assertAllowed(await createNamespace(name, taken === undefined ? {} : { [GRANT_ANNOTATIONS.mirrorsFrom]: taken }));
    for (const [name, verbs] of Object.entries(PEOPLE)) await entitle(name, verbs);
    await policyIsActive(SECRETS_POLICY, () => requests.createSecret("silent", "probe", {}, worker));
    await policyIsActive(CONSENTS_POLICY, () => annotate("silent", SOURCE, { as: "only-namespaces" }));
  });
  after(() => plane?.stop());

  test(`a namespace without consent gets nothing in ${TRIES} random tries as the worker, and those with it get their copies`, async () => {
    const random = randomFrom(Number(process.env["SEED"] ?? 20_261_129));
    for (const name of Object.keys({ ...UNWILLING, ...WILLING }))
      for (const secret of Object.keys(FOREIGN)) await createForeign(name, secret);
    const before = await everySecret();
    let byPolicy = 0;

    for (let index = 0; index < TRIES; index += 1) {
      const namespace = random.pick(Object.keys(UNWILLING));
      const { call, what } = tryIn(random, namespace);
      const answer = await apiRequest(plane, { ...call, token: worker });
      assert.equal(answer.status, 403, `${index}: ${what}: ${answer.status} ${messageOf(answer)}`);
      byPolicy += messageOf(answer).includes(`'${SECRETS_POLICY}'`) ? 1 : 0;
    }
    assert.deepEqual(await everySecret(), before);

    // The control: some of the same attempts succeed in Namespaces with consent.
    let allowed = 0;
    for (let index = 0; index < TRIES / 5; index += 1) {
      const answer = await apiRequest(plane, { ...tryIn(random, random.pick(Object.keys(WILLING))).call, token: worker });
      allowed += answer.status < 300 ? 1 : 0;
    }
    console.log(
      `copy consents: ${TRIES} random tries refused, ${byPolicy} of them by the policy; with consent ${allowed} of ${TRIES / 5} allowed`,
    );
    assert.ok(byPolicy > TRIES / 2 && allowed > 5, `${byPolicy}, ${allowed}`);
    for (const namespace of Object.keys(WILLING)) {
      assertAllowed(await requests.createSecret(namespace, "copy", copyOf(SOURCE), worker));
      assertAllowed(await requests.applySecret(namespace, "copy", { ...copyOf(SOURCE), data: { key: "dHdv" } }, worker));
      assertAllowed(await requests.mergeSecret(namespace, "copy", { data: { key: "b25l" } }, worker));
    }
  });

  test("a copy that is there is not written once the consent is gone, and may be deleted", async () => {
    const namespace = await requests.namespaceWith({ [GRANT_ANNOTATIONS.mirrorsFrom]: SOURCE });
    assertAllowed(await requests.createSecret(namespace, "copy", copyOf(SOURCE), worker));
    assertAllowed(await annotate(namespace, null, {}));

    const write = () => requests.mergeSecret(namespace, "copy", { data: { key: "dHdv" } }, worker);
    await policyIsActive(SECRETS_POLICY, write);

    assertDenied(await write(), SECRETS_POLICY, new RegExp(`Namespace ${namespace} does not consent to this copy`));
    assertAllowed(await requests.deleteSecret(namespace, "copy", worker));
  });

  test("a copy becomes no Secret of a class, and none becomes a copy, where the Namespace agrees", async () => {
    const namespace = await requests.namespaceWith({ [GRANT_ANNOTATIONS.mirrorsFrom]: SOURCE });
    assertAllowed(await requests.createSecret(namespace, "copy", copyOf(SOURCE), worker));
    assertAllowed(await requests.createSecret(namespace, "mirrored", { labels: { [MANAGED_LABEL]: "true" } }, worker));
    await createForeign(namespace, "foreign");
    const { labels, annotations } = copyOf(SOURCE);

    const attempts = {
      "the label of a class's Secret beside its own": ["copy", { labels: { [MANAGED_LABEL]: "true" } }],
      "that label in the place of its own": ["copy", { labels: { [MANAGED_LABEL]: "true", [COPY_LABEL]: null } }],
      "the label of a copy beside it": ["mirrored", { labels, annotations }],
      "the label of a copy in its place": ["mirrored", { labels: { ...labels, [MANAGED_LABEL]: null }, annotations }],
    } as const;
    for (const [what, [name, metadata]] of Object.entries(attempts)) {
      const answer = await requests.mergeSecret(namespace, name, { metadata }, worker);
      assert.match(messageOf(answer), /cannot turn an existing Secret into a copy, or a copy into another Secret/, what);
    }
    const taken = await requests.mergeSecret(namespace, "foreign", { metadata: { labels, annotations } }, worker);
    assertDenied(taken, SECRETS_POLICY, /cannot change a Secret that it does not own/);
    assertDenied(await requests.deleteSecret(namespace, "foreign", worker), SECRETS_POLICY, /can delete only Secrets that it created/);
  });

  test("no consent counts in kube-system", async () => {
    assertAllowed(await annotate("kube-system", SOURCE, {}));

    assertDenied(
      await requests.createSecret("kube-system", "copy", copyOf(SOURCE), worker),
      SECRETS_POLICY,
      /does not consent to this copy/,
    );
  });

  test("a Namespace agrees by the word of somebody who may create and update its Secrets, and of nobody else", async () => {
    for (const as of ["only-namespaces", "creates-secrets", "updates-secrets"]) {
      const namespace = await requests.namespaceWith();
      for (const subresource of ["", "/status", "/finalize"]) {
        assertDenied(
          await annotate(namespace, SOURCE, { as }, subresource),
          CONSENTS_POLICY,
          /you need permission to (create|update) Secrets/,
        );
      }
      assertDenied(await createNamespace(`of-${as}`, { [GRANT_ANNOTATIONS.mirrorsFrom]: SOURCE }, { as }), CONSENTS_POLICY, /you need/);
    }
    const as = "writes-secrets";
    const namespace = await requests.namespaceWith();
    assertAllowed(await annotate(namespace, SOURCE, { as }));
    assertAllowed(await createNamespace(`of-${as}`, { [GRANT_ANNOTATIONS.mirrorsFrom]: SOURCE }, { as }));
    // The worker has no right to write a Namespace.
    assert.equal((await annotate(namespace, "platform/*", { token: worker })).status, 403);
  });

  test("whoever may only write Namespaces takes a consent off, changes others of their annotations, and widens none", async () => {
    const namespace = await requests.namespaceWith({ [GRANT_ANNOTATIONS.mirrorsFrom]: SOURCE });
    const by = { as: "only-namespaces" };

    assertAllowed(await patchNamespace(namespace, { metadata: { annotations: { note: "mine" } } }, by));
    assertDenied(await annotate(namespace, "platform/*", by), CONSENTS_POLICY, /you need permission to create Secrets/);
    assertAllowed(await annotate(namespace, null, by));
  });

  test("a class is mirrored to other namespaces by who may get Secrets of its own, and by nobody else", async () => {
    const create = (name: string, as: string): Promise<ApiAnswer> =>
      apiRequest(plane, {
        method: "POST",
        path: "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/silent/secretproviderclasses",
        body: {
          apiVersion: "secrets-store.csi.x-k8s.io/v1",
          kind: "SecretProviderClass",
          metadata: { name, annotations: { [CLASS_ANNOTATIONS.mirrorTo]: "by-name" } },
          spec: { provider: "azure", parameters: {} },
        },
        as,
      });
    const CLASSES_POLICY = "keyvault-injector-class-identities";
    await policyIsActive(CLASSES_POLICY, () => create("probe", "only-namespaces"));

    assertDenied(
      await create("refused", "writes-secrets"),
      CLASSES_POLICY,
      /copies the class's Secrets to other namespaces: you need permission to get/,
    );
    assertAllowed(await create("allowed", "reads-secrets"));
  });
}

/** Each user may write Namespaces and classes, and has these verbs on Secrets. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  "only-namespaces": [],
  "creates-secrets": ["create"],
  "updates-secrets": ["update"],
  "writes-secrets": ["create", "update"],
  "reads-secrets": ["get"],
};

async function entitle(name: string, verbs: readonly string[]): Promise<void> {
  const write = "--verb=create,update,patch,get";
  const resources = "namespaces,namespaces/status,namespaces/finalize,secretproviderclasses.secrets-store.csi.x-k8s.io";
  await plane.kubectl(["create", "clusterrole", name, write, `--resource=${resources}`]);
  await plane.kubectl(["create", "clusterrolebinding", name, `--clusterrole=${name}`, `--user=${name}`]);
  if (verbs.length === 0) return;
  await plane.kubectl(["create", "clusterrole", `${name}-too`, `--verb=${verbs.join(",")}`, "--resource=secrets"]);
  await plane.kubectl(["create", "clusterrolebinding", `${name}-too`, `--clusterrole=${name}-too`, `--user=${name}`]);
}

type By = Pick<ApiCall, "as" | "token">;

function createNamespace(name: string, annotations: Readonly<Record<string, string>>, by: By = {}): Promise<ApiAnswer> {
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } };
  return apiRequest(plane, { method: "POST", path: "/api/v1/namespaces", body, ...by });
}

function annotate(name: string, taken: string | null, by: By, subresource = ""): Promise<ApiAnswer> {
  return patchNamespace(name, { metadata: { annotations: { [GRANT_ANNOTATIONS.mirrorsFrom]: taken } } }, by, subresource);
}

async function patchNamespace(name: string, body: object, by: By, subresource = ""): Promise<ApiAnswer> {
  const path = `/api/v1/namespaces/${name}${subresource}`;
  if (subresource !== "/finalize") return apiRequest(plane, { method: "PATCH", path, contentType: MERGE_PATCH, body, ...by });
  // The finalize subresource accepts only a PUT of the whole object.
  const { body: live } = await apiRequest(plane, { method: "GET", path: `/api/v1/namespaces/${name}` });
  const { metadata, ...rest } = live as { readonly metadata: object }; // A Namespace.
  const { metadata: changed } = body as { readonly metadata: object }; // Every caller passes metadata.
  return apiRequest(plane, { method: "PUT", path, body: { ...rest, metadata: { ...metadata, ...changed } }, ...by });
}

function copyOf(copiedFrom: string) {
  return { labels: { [COPY_LABEL]: "true" }, annotations: { [COPY_ANNOTATIONS.copiedFrom]: copiedFrom }, data: { key: "b25l" } };
}

/** Secrets that others write in every namespace: two that look like copies, and one without our label. */
const FOREIGN: Readonly<Record<string, object>> = {
  plain: { data: { key: "b25l" } },
  "like-a-copy": { labels: { [COPY_LABEL]: "true" }, annotations: { [COPY_ANNOTATIONS.copiedFrom]: SOURCE }, data: { key: "b25l" } },
  "like-half-a-copy": { labels: { [COPY_LABEL]: "true" }, data: { key: "b25l" } },
};

async function createForeign(namespace: string, name: string): Promise<void> {
  const { labels, annotations, ...rest } = { labels: undefined, annotations: undefined, ...FOREIGN[name] };
  const body = { apiVersion: "v1", kind: "Secret", metadata: { name, labels, annotations }, ...rest };
  assertAllowed(await apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body }));
}

/**
 * Returns a random write that would leave content in the namespace: with the labels and annotations of a copy, of half a copy, of something
 * else, or without any.
 */
function tryIn(random: Random, namespace: string): { readonly what: string; readonly call: ApiCall } {
  const labels = random.pick<Readonly<Record<string, string>>>([
    {},
    { [COPY_LABEL]: "true" },
    { [COPY_LABEL]: "true" },
    { [COPY_LABEL]: "true" },
    { [COPY_LABEL]: "True" },
    { [COPY_LABEL]: "true", [MANAGED_LABEL]: "true" },
    { [COPY_LABEL]: "false", app: "shop" },
  ]);
  const source = random.pick([SOURCE, SOURCE, "platform/*", "*", "*/*", "", "/", "platform/", "other/class", `${namespace}/own`]);
  const annotations = {
    ...(random.chance(0.1) ? {} : { [COPY_ANNOTATIONS.copiedFrom]: source }),
    // The annotation of the Namespace counts, not the same annotation on the Secret.
    ...(random.chance(0.2) ? { [GRANT_ANNOTATIONS.mirrorsFrom]: "platform/*" } : {}),
  };
  const name = random.pick([...Object.keys(FOREIGN), "new"]);
  const type = random.pick([{}, {}, { type: "example.com/any" }]);
  const body = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels, annotations }, data: { key: "dHdv" }, ...type };
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  const query = random.pick(["", "?dryRun=All"]);
  const written = query === "" ? "?fieldManager=test&force=true" : `${query}&fieldManager=test&force=true`;
  const path = `${collection}/${name}`;
  const call = random.pick<() => ApiCall>([
    () => ({
      method: "POST",
      path: `${collection}${query}`,
      body: { ...body, metadata: { ...body.metadata, name: random.unique("new") } },
    }),
    () => ({ method: "PUT", path: `${path}${query}`, body }),
    () => ({ method: "PATCH", path: `${path}${written}`, contentType: APPLY_PATCH, body }),
    () => ({
      method: "PATCH",
      path: `${collection}/${random.pick(Object.keys(FOREIGN))}${query}`,
      contentType: MERGE_PATCH,
      body: random.pick<object>([
        { data: body.data },
        { metadata: { labels, annotations }, data: body.data },
        { metadata: { labels: { ...labels, [COPY_LABEL]: null }, annotations } },
        { metadata: { annotations } },
      ]),
    }),
  ])();
  // Leave out the type: an existing Secret keeps its type, and the API server would reject a change of it before the policy.
  const fixed = call.method === "POST" ? call : { ...call, body: withoutType(call.body) };
  return { what: `${call.method} ${call.path} ${JSON.stringify(fixed.body)}`, call: fixed };
}

function withoutType(body: unknown): unknown {
  const { type: _, ...rest } = body as { readonly type?: string }; // An object, as `tryIn` makes it.
  return rest;
}

async function everySecret(): Promise<readonly string[]> {
  const { body } = await apiRequest(plane, { method: "GET", path: "/api/v1/secrets" });
  const { items } = body as { readonly items: readonly { metadata: { namespace: string; name: string; resourceVersion: string } }[] }; // A list.
  return items.map(({ metadata: { namespace, name, resourceVersion } }) => `${namespace}/${name} ${resourceVersion}`).sort();
}
