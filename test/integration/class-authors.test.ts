import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { PREFIX } from "../../src/domain/annotations.ts";
import { APPLY_PATCH, type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { auditLogOf, type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, policyIsActive, renderDefaultOverlay, renderOverlay } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";

const OWN = "keyvault-injector";
const IDENTITIES = "keyvault-injector-class-identities";
const AUTHORS = "keyvault-injector-class-authors";
const APP = "app";
const ACCOUNT = { [`${PREFIX}/service-account`]: "vault-reader" };
const CREDENTIALS = { [`${PREFIX}/credentials-secret`]: "other-creds" };
const ADOPT = { [`${PREFIX}/adopt`]: "old-secret,another" };

/** Users of namespace `app`. Each may write classes, and has these additional rights there: `verbs resource[/name]`. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  "only-classes": [],
  "with-the-account": ["create serviceaccounts/token vault-reader"],
  "with-another-account": ["create serviceaccounts/token default"],
  "with-every-account": ["create serviceaccounts/token"],
  "with-the-credentials": ["get secrets other-creds"],
  "with-default-credentials": ["get secrets secrets-store-creds"],
  "with-writes-of-secrets": ["update secrets"],
  "with-one-secret": ["update secrets old-secret"],
  "with-all-three": ["create serviceaccounts/token vault-reader", "get secrets other-creds", "update secrets"],
};

const SERVICE_PRINCIPAL = { keyvaultName: "demo", tenantId: "t" };
const WORKLOAD_IDENTITY = { ...SERVICE_PRINCIPAL, clientID: "c" };
const NODE_IDENTITY = { ...WORKLOAD_IDENTITY, useVMManagedIdentity: "true" };
const SECRET_OBJECTS = [{ secretName: "mirrored", type: "Opaque", data: [{ objectName: "a", key: "a" }] }];

let plane: ControlPlane;
let serial = 0;
let worker: string;

const classes = (version = "v1"): string => `/apis/secrets-store.csi.x-k8s.io/${version}/namespaces/${APP}/secretproviderclasses`;

interface ClassFields {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secretObjects?: readonly unknown[];
  readonly provider?: string;
}

type By = Pick<ApiCall, "as" | "token">;

function aClass({ annotations, labels, parameters = NODE_IDENTITY, secretObjects, provider = "azure" }: ClassFields, version = "v1") {
  return {
    apiVersion: `secrets-store.csi.x-k8s.io/${version}`,
    kind: "SecretProviderClass",
    metadata: { name: `class-${++serial}`, annotations, labels },
    spec: { provider, parameters, ...(secretObjects === undefined ? {} : { secretObjects }) },
  };
}

function create(fields: ClassFields, by: By, version = "v1"): Promise<ApiAnswer> {
  return apiRequest(plane, { method: "POST", path: classes(version), body: aClass(fields, version), ...by });
}

async function existing(fields: ClassFields): Promise<string> {
  const answer = await create(fields, {});
  assertAllowed(answer);
  return String(at(answer.body, "metadata", "name"));
}

function patch(name: string, body: unknown, by: By): Promise<ApiAnswer> {
  return apiRequest(plane, { method: "PATCH", path: `${classes()}/${name}`, contentType: MERGE_PATCH, body, ...by });
}

function assertRefused(answer: ApiAnswer, policy: string, message: RegExp): void {
  assert.equal(answer.status, 403);
  assertDenied(answer, policy, message);
}

const warned = (answer: ApiAnswer): readonly string[] => answer.warnings.filter((warning) => warning.includes(AUTHORS));

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  describe(`who may write a class, on API server ${version}`, { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () =>
    classAuthors(version),
  );
}

function classAuthors(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    await installShipped(plane);
    await plane.kubectl(["create", "namespace", APP]);
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: rightsOfPeople() }));
    worker = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
    await policyIsActive(IDENTITIES, () => create({ annotations: ADOPT }, { as: "only-classes" }));
    await eventually(async () => warned(await create({ parameters: SERVICE_PRINCIPAL }, { as: "only-classes" })).length > 0, {
      what: `policy ${AUTHORS}`,
    });
  });
  after(async () => {
    await plane?.stop();
  });

  test("the API server is the one that was asked for", async () => {
    const answer = await apiRequest(plane, { method: "GET", path: "/version" });
    assert.equal(`${String(at(answer.body, "major"))}.${String(at(answer.body, "minor"))}`, version);
  });

  describe("with an annotation that lends an identity or takes over Secrets", () => {
    const refused: readonly (readonly [string, string, Readonly<Record<string, string>>, RegExp])[] = [
      [
        "an account",
        "only-classes",
        ACCOUNT,
        /service-account lends the identity of ServiceAccount 'vault-reader': you need permission to create/,
      ],
      ["another account than one's own", "with-another-account", ACCOUNT, /ServiceAccount 'vault-reader'/],
      ["an account, by other rights", "with-writes-of-secrets", ACCOUNT, /ServiceAccount 'vault-reader'/],
      ["no account at all", "with-the-account", { [`${PREFIX}/service-account`]: "" }, /ServiceAccount ''/],
      ["credentials", "only-classes", CREDENTIALS, /credentials-secret uses Secret 'other-creds': you need permission to get this Secret/],
      ["other credentials than one's own", "with-default-credentials", CREDENTIALS, /Secret 'other-creds'/],
      ["credentials, by the right to write Secrets", "with-writes-of-secrets", CREDENTIALS, /Secret 'other-creds'/],
      ["adoption", "only-classes", ADOPT, /adopt takes over existing Secrets: you need permission to update Secrets/],
      ["adoption, by the right on one of the Secrets", "with-one-secret", ADOPT, /permission to update Secrets/],
      ["one right too few", "with-the-account", { ...ACCOUNT, ...ADOPT }, /permission to update Secrets/],
    ];
    for (const [what, person, annotations, message] of refused) {
      test(`is refused: ${what}`, async () => {
        assertRefused(await create({ annotations }, { as: person }), IDENTITIES, message);
      });
    }

    const allowed: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
      ["an account whose tokens one may create", "with-the-account", ACCOUNT],
      ["an account, by the right on all of them", "with-every-account", ACCOUNT],
      ["credentials that one may get", "with-the-credentials", CREDENTIALS],
      ["adoption, by the right to update Secrets", "with-writes-of-secrets", ADOPT],
      ["all three, by all three rights: no cost limit is in the way", "with-all-three", { ...ACCOUNT, ...CREDENTIALS, ...ADOPT }],
      ["all three, by the built-in role edit", "editor", { ...ACCOUNT, ...CREDENTIALS, ...ADOPT }],
      ["other annotations of ours", "only-classes", { [`${PREFIX}/sync`]: "always", [`${PREFIX}/refresh`]: "1" }],
    ];
    for (const [what, person, annotations] of allowed) {
      test(`is let through: ${what}`, async () => assertAllowed(await create({ annotations }, { as: person })));
    }

    test("is refused in the older version of the kind too, and where it is only tried", async () => {
      assertRefused(
        await create({ annotations: ACCOUNT }, { as: "only-classes" }, "v1alpha1"),
        IDENTITIES,
        /ServiceAccount 'vault-reader'/,
      );
      assertAllowed(await create({ annotations: ACCOUNT }, { as: "with-the-account" }, "v1alpha1"));
      const tried = await apiRequest(plane, {
        method: "POST",
        path: `${classes()}?dryRun=All`,
        body: aClass({ annotations: ADOPT }),
        as: "only-classes",
      });
      assertRefused(tried, IDENTITIES, /permission to update Secrets/);
    });

    test("cannot be given a spec, or an annotation of ours, by somebody without the right", async () => {
      const name = await existing({ annotations: ACCOUNT });
      const changes = [
        { spec: { parameters: { objects: "array: []" } } },
        { metadata: { annotations: { [`${PREFIX}/service-account`]: "other" } } },
        { metadata: { annotations: { [`${PREFIX}/refresh`]: "now" } } },
      ];
      for (const change of changes) assertRefused(await patch(name, change, { as: "only-classes" }), IDENTITIES, /ServiceAccount '/);
      for (const change of changes) assertAllowed(await patch(name, change, { as: "with-every-account" }));
    });

    test("can be labelled and annotated by everybody, and given up by everybody", async () => {
      const name = await existing({ annotations: { ...ACCOUNT, ...ADOPT } });

      assertAllowed(await patch(name, { metadata: { labels: { team: "a" } } }, { as: "only-classes" }));
      assertAllowed(await patch(name, { metadata: { annotations: { "example.com/note": "x" } } }, { as: "only-classes" }));
      assertAllowed(await patch(name, { metadata: { finalizers: ["example.com/hold"] } }, { as: "only-classes" }));
      assertAllowed(await patch(name, { metadata: { finalizers: [] } }, { as: "only-classes" }));
      const without = { [`${PREFIX}/service-account`]: null, [`${PREFIX}/adopt`]: null };
      assertAllowed(await patch(name, { metadata: { annotations: without } }, { as: "only-classes" }));
    });

    test("can be rid of the last annotation by server-side apply, whether it changes otherwise or not", async () => {
      for (const tenantId of ["t", "u"]) {
        const written = aClass({ annotations: { [`${PREFIX}/sync`]: "always" } });
        const { name } = written.metadata;
        const bare = {
          ...written,
          metadata: { name, annotations: {} },
          spec: { ...written.spec, parameters: { ...NODE_IDENTITY, tenantId } },
        };
        for (const body of [written, bare]) {
          const path = `${classes()}/${name}?fieldManager=gitops`;
          assertAllowed(await apiRequest(plane, { method: "PATCH", path, contentType: APPLY_PATCH, body, as: "only-classes" }));
        }
        const live = await apiRequest(plane, { method: "GET", path: `${classes()}/${name}` });
        assert.equal(at(live.body, "metadata", "annotations"), undefined);
        assertAllowed(await patch(name, { spec: { parameters: { tenantId: "v" } } }, { as: "only-classes" }));
      }
    });

    test("is brought back by the worker, which has none of these rights", async () => {
      const annotations = { ...ACCOUNT, ...CREDENTIALS, ...ADOPT };
      assertAllowed(await create({ annotations, parameters: SERVICE_PRINCIPAL }, { token: worker }));
      const restored = aClass({ annotations, secretObjects: SECRET_OBJECTS });
      const answer = await apiRequest(plane, {
        method: "PATCH",
        path: `${classes()}/${restored.metadata.name}?fieldManager=keyvault-injector-sync`,
        contentType: APPLY_PATCH,
        body: restored,
        token: worker,
      });
      assertAllowed(answer);
      assert.deepEqual(warned(answer), []);
    });
  });

  describe("without annotations of ours", () => {
    const warnings: readonly (readonly [string, ClassFields, RegExp, string])[] = [
      [
        "a service principal's class",
        { parameters: SERVICE_PRINCIPAL },
        /credentials in Secret secrets-store-creds, but you lack permission to get this Secret/,
        "with-default-credentials",
      ],
      [
        "a workload identity's class",
        { parameters: WORKLOAD_IDENTITY },
        /identity of a ServiceAccount in the namespace, but you lack permission to create serviceaccounts\/token/,
        "with-every-account",
      ],
      [
        "one with secretObjects",
        { secretObjects: SECRET_OBJECTS },
        /this class writes Secrets, but you lack permission to update Secrets/,
        "with-writes-of-secrets",
      ],
    ];
    for (const [what, fields, message, entitled] of warnings) {
      test(`${what} is stored with a warning, and without one for who has the right`, async () => {
        const answer = await create(fields, { as: "only-classes" });
        assertAllowed(answer);
        assert.equal(warned(answer).length, 1);
        assert.match(warned(answer)[0] ?? "", message);

        const quiet = await create(fields, { as: entitled });
        assertAllowed(quiet);
        assert.deepEqual(warned(quiet), []);
      });
    }

    test("nothing is said of the node's identity, of another provider, of a label, and of flags in Go's other spellings", async () => {
      const quiet: readonly ClassFields[] = [
        { parameters: NODE_IDENTITY },
        { parameters: { ...SERVICE_PRINCIPAL, usePodIdentity: " T " } },
        { parameters: {}, provider: "gcp", secretObjects: SECRET_OBJECTS },
      ];
      for (const fields of quiet) assert.deepEqual(warned(await create(fields, { as: "only-classes" })), []);
      const name = await existing({ parameters: SERVICE_PRINCIPAL });
      assert.deepEqual(warned(await patch(name, { metadata: { labels: { a: "b" } } }, { as: "only-classes" })), []);
      assert.equal(warned(await patch(name, { spec: { parameters: { tenantId: "u" } } }, { as: "only-classes" })).length, 1);
    });

    test("the warning stands in the audit log too, with who it was", async () => {
      await plane.kubectl(["create", "serviceaccount", "gitops", "-n", APP]);
      await plane.kubectl(["create", "rolebinding", "gitops", "-n", APP, "--role=only-classes", `--serviceaccount=${APP}:gitops`]);
      const token = await serviceAccountToken(plane, APP, "gitops");
      assert.equal(warned(await create({ parameters: SERVICE_PRINCIPAL }, { token })).length, 1);

      const found = await eventually(
        () =>
          readFileSync(auditLogOf(plane), "utf8")
            .split("\n")
            .find((line) => line.includes("validation.policy.admission.k8s.io/validation_failure") && line.includes(AUTHORS)),
        { what: "the audit annotation" },
      );
      assert.equal(at(JSON.parse(found), "user", "username"), `system:serviceaccount:${APP}:gitops`);
    });
  });

  describe("under the strict overlay", () => {
    before(async () => {
      const strict = await renderOverlay("strict");
      await plane.kubectl(["apply", "--server-side", "-f", "-"], strict);
      await policyIsActive(AUTHORS, () => create({ parameters: SERVICE_PRINCIPAL }, { as: "only-classes" }));
    });

    test("plain classes need the same rights, and the worker still none", async () => {
      const cases: readonly (readonly [ClassFields, RegExp, string])[] = [
        [{ parameters: SERVICE_PRINCIPAL }, /secrets-store-creds/, "with-default-credentials"],
        [{ parameters: WORKLOAD_IDENTITY }, /serviceaccounts\/token/, "with-every-account"],
        [{ secretObjects: SECRET_OBJECTS }, /update Secrets/, "with-writes-of-secrets"],
      ];
      for (const [fields, message, entitled] of cases) {
        assertRefused(await create(fields, { as: "only-classes" }), AUTHORS, message);
        assertAllowed(await create(fields, { as: entitled }));
        assertAllowed(await create(fields, { token: worker }));
      }
      assertAllowed(await create({}, { as: "only-classes" }));
      assertAllowed(await create({ parameters: WORKLOAD_IDENTITY, annotations: ACCOUNT }, { as: "with-the-account" }));
    });
  });

  // This is last, because it moves the policies away from the worker that the tests above use.
  describe("in another namespace", () => {
    test("the worker there is exempt, and one of that name elsewhere is not", async () => {
      const overlay = await renderDefaultOverlay("elsewhere");
      const isOneInstance = (text: string): boolean =>
        /^kind: ValidatingAdmissionPolicyBinding$[\s\S]*^ {2}name: keyvault-injector-one-instance$/m.test(text);
      const elsewhere = overlay.split(/^---$/m).filter((text) => !isOneInstance(text));
      assert.equal(elsewhere.length, overlay.split(/^---$/m).length - 1);
      // The one-instance policy would reject a second install beside the first. This test moves the install instead, and the policy stays
      // in force for a moment after the deletion of its binding.
      await plane.kubectl(["delete", "validatingadmissionpolicybinding", "keyvault-injector-one-instance"]);
      await eventually(() => plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], elsewhere.join("---")), {
        what: "the move",
      });
      const there = await serviceAccountToken(plane, "elsewhere", "keyvault-injector-sync");

      await plane.kubectl([
        "create",
        "rolebinding",
        "former",
        "-n",
        APP,
        "--role=only-classes",
        `--serviceaccount=${OWN}:keyvault-injector-sync`,
      ]);
      await policyIsActive(IDENTITIES, () => create({ annotations: ACCOUNT }, { token: worker }));

      assertAllowed(await create({ annotations: { ...ACCOUNT, ...ADOPT } }, { token: there }));
    });
  });
}

/**
 * A role for each user, with the same name, and a binding to it. One more user has the rights that a controller aggregates into the
 * built-in role `edit`.
 */
function rightsOfPeople(): readonly unknown[] {
  const classRule = {
    apiGroups: ["secrets-store.csi.x-k8s.io"],
    resources: ["secretproviderclasses"],
    verbs: ["get", "create", "update", "patch"],
  };
  const metadata = (name: string) => ({ name, namespace: APP });
  const bind = (person: string, kind: string, role: string) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadata(`${person}-${role}`),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: person }],
  });
  const roles = Object.entries(PEOPLE).flatMap(([person, rights]) => [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: metadata(person),
      rules: [classRule, ...rights.map(ruleOf)],
    },
    bind(person, "Role", person),
  ]);
  return [...roles, bind("editor", "Role", "only-classes"), bind("editor", "ClusterRole", "system:aggregate-to-edit")];
}

function ruleOf(right: string): unknown {
  const [verb, resource, name] = right.split(" ");
  return { apiGroups: [""], resources: [resource], verbs: [verb], ...(name === undefined ? {} : { resourceNames: [name] }) };
}
