import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PlannedClass, planClasses, planText } from "../../src/cli/doctor/plan/plan.ts";
import { claimsOf } from "../../src/cli/doctor/plan/plan-secret.ts";
import { workerSettings } from "../../src/cli/shared/class-context.ts";
import { type SettingsInForce, settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { shown } from "../../src/cli/shared/terminal.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const NAMESPACE = "team";
const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };

/** A class that names the Secret `app`. */
function aClass(
  name: string,
  facts: { readonly created?: string; readonly sync?: string; readonly secretName?: string } = {},
): SecretProviderClass {
  const { created = "2026-01-02T00:00:00Z", sync, secretName = "app" } = facts;
  const annotations = sync === undefined ? {} : { [CLASS_ANNOTATIONS.sync]: sync };
  const made = classOf(VAULT, {
    namespace: NAMESPACE,
    name,
    objects: ["object"],
    secretObjects: [opaque(secretName, "object")],
    annotations,
  });
  return { ...made, metadata: { ...made.metadata, creationTimestamp: created } };
}

const earlier = { created: "2026-01-01T00:00:00Z" };

function aSecret(
  annotations: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = { [MANAGED_LABEL]: "true" },
): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: NAMESPACE, name: "app", labels, annotations },
    type: "Opaque",
    data: {},
  };
}

const CREDENTIALS: Manifest = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: NAMESPACE, name: "secrets-store-creds" },
  data: { clientid: btoa("a"), clientsecret: btoa("b") },
};

const writtenFor = (className: string): Manifest => aSecret({ [SECRET_ANNOTATIONS.class]: className });

interface Given {
  readonly secrets?: readonly Manifest[];
  readonly settings?: SettingsInForce;
  /** Binding that allows the driver's own sync. */
  readonly driverSync?: string;
}

async function planned(
  classes: readonly SecretProviderClass[],
  { secrets = [], settings = {}, driverSync }: Given = {},
): Promise<readonly PlannedClass[]> {
  const context = {
    viewer: holding(secrets),
    install: {
      namespace: "keyvault-injector",
      settings: workerSettings({ ...settingsOf(undefined), ...settings }),
      fingerprints: undefined,
    },
    worker: await workerCode(),
  };
  return planClasses(context, { classes, claims: { classes: claimsOf(classes), driverSync } });
}

/** Returns `class action` for each class, or the verdict for a class without Secrets. */
async function actions(...given: Parameters<typeof planned>): Promise<readonly string[]> {
  return (await planned(...given)).map(({ name, verdict, secrets }) => `${name} ${secrets[0]?.action ?? verdict}`);
}

describe("doctor's plan of a Secret", () => {
  test("gives it to the eldest of the classes that name it", async () => {
    assert.deepEqual(await actions([aClass("demo", earlier), aClass("late")]), ["demo create", "late conflict"]);
    assert.deepEqual(await actions([aClass("demo"), aClass("early", earlier)]), ["demo conflict", "early create"]);
  });

  test("leaves it with the class that has it, whatever the age", async () => {
    const secrets = [writtenFor("late")];

    assert.deepEqual(await actions([aClass("demo", earlier), aClass("late")], { secrets }), ["demo conflict", "late keep"]);
  });

  test("gives it to the next where the class that had it is gone, or names it no more", async () => {
    assert.deepEqual(await actions([aClass("demo")], { secrets: [writtenFor("gone")] }), ["demo keep"]);
    const renamed = [aClass("demo"), aClass("had", { ...earlier, secretName: "other" })];
    assert.deepEqual(await actions(renamed, { secrets: [writtenFor("had")] }), ["demo keep", "had create"]);
  });

  test("takes one with our label for ours, whether or not it names a class", async () => {
    assert.deepEqual(await actions([aClass("demo")], { secrets: [aSecret({})] }), ["demo keep"]);
    const [first] = (await planned([aClass("demo")], { secrets: [aSecret({}, {})] }))[0]?.secrets ?? [];
    assert.match(first?.message ?? "", /^Secret app exists but is not managed by the worker/);
  });

  test("SW1: does not advise to delete, or to agree on, a Secret that the driver's own sync goes on writing", async () => {
    const secrets = [aSecret({}, { "secrets-store.csi.k8s.io/managed": "true" })];
    for (const driverSync of ["secretprovidersyncing-rolebinding", "aks-secretprovidersyncing-rolebinding"]) {
      const [first] = (await planned([aClass("demo")], { secrets, driverSync }))[0]?.secrets ?? [];
      assert.equal(first?.fix, "Follow docs/how-to/migrate-from-the-drivers-sync.md.");
    }
  });

  test("does not count a class that is never mirrored as the eldest", async () => {
    const classes = [aClass("demo"), aClass("early", { ...earlier, sync: "never" })];
    assert.deepEqual(await actions(classes), ["demo create", "early off"]);
    // NU5: the cause belongs to the report.
    assert.equal((await planned(classes))[1]?.message, "sync is turned off by the annotation keyvault-injector.dev/sync: never");
  });

  for (const [what, secretObject, message] of [
    ["a key that no Secret has", { data: [{ objectName: "a", key: "bad key" }] }, /"bad key" is not a valid Secret key/],
    [
      "a key that no TLS Secret has",
      { type: "kubernetes.io/tls", data: [{ objectName: "a", key: "cert.pem" }] },
      /data\[0\]\.key: key "cert\.pem" is not supported\. Only 'tls\.key' and 'tls\.crt' are supported/,
    ],
  ] as const) {
    test(`R8: is invalid with ${what}`, async () => {
      const made = aClass("demo");
      const first = { ...made.spec?.secretObjects?.[0], ...secretObject };
      const [plan] = await planned([{ ...made, spec: { ...made.spec, secretObjects: [first] } }]);

      assert.equal(plan?.secrets[0]?.action, "invalid");
      assert.match(plan?.secrets[0]?.message ?? "", message);
    });
  }

  test("R8: says where an annotation of the class is not understood", async () => {
    const [sync] = await planned([aClass("demo", { sync: "sometimes" })], { secrets: [CREDENTIALS] });

    assert.match(sync?.message ?? "", /"sometimes" is unknown; write always, while-used or never/);
  });

  test("NC2: is invalid where no object makes what it names, and its class is refused", async () => {
    const made = aClass("demo");
    const spec = { ...made.spec, secretObjects: [opaque("app", "objct")] };
    const all = await planned([{ ...made, spec }], { secrets: [CREDENTIALS] });
    const [plan] = all;

    assert.deepEqual([plan?.verdict, plan?.reason, plan?.secrets[0]?.action], ["refused", "InvalidClass", "invalid"]);
    assert.match(plan?.secrets[0]?.message ?? "", /no object of the class produces "objct"$/);
    assert.match(plan?.secrets[0]?.fix ?? "", /write "object"/);
    assert.match(shown(planText(all), { hasColour: false }), /\n0 Secrets would be created .* 1 of 1 classes refused\n/);
  });

  test("NC2: is one of those that are written where only another one is wrong", async () => {
    const made = aClass("demo");
    const spec = { ...made.spec, secretObjects: [opaque("app", "object"), opaque("other", "objct")] };
    const [plan] = await planned([{ ...made, spec }], { secrets: [CREDENTIALS] });

    assert.deepEqual([plan?.verdict, ...(plan?.secrets ?? []).map(({ action }) => action)], ["ready", "create", "invalid"]);
  });

  test("NC2: is none of a class without objects, which is refused", async () => {
    const made = aClass("demo");
    const parameters = { ...made.spec?.parameters, objects: "arrays: []" };
    const [plan] = await planned([{ ...made, spec: { ...made.spec, parameters } }], { secrets: [CREDENTIALS] });

    assert.deepEqual([plan?.verdict, plan?.reason], ["refused", "InvalidObject"]);
    assert.match(plan?.message ?? "", /^spec\.parameters\.objects: no objects/);
    assert.match(plan?.fix ?? "", /key array/);
  });

  test("is none where the install mirrors nothing", async () => {
    assert.deepEqual(await actions([aClass("demo")], { settings: { "sync-secret": "false" } }), ["demo off"]);
  });

  test("is none in a namespace that the install does not serve", async () => {
    assert.deepEqual(await actions([aClass("demo")], { settings: { namespaces: "other, another" } }), ["demo off"]);
    assert.deepEqual(await actions([aClass("demo")], { settings: { namespaces: `other, ${NAMESPACE}` } }), ["demo create"]);
  });

  test("N23: is told as a thing of later where its class is refused, and counted as none", async () => {
    const reported = shown(planText(await planned([aClass("demo")])), { hasColour: false });

    assert.match(reported, /^refused +class team\/demo CredentialsMissing/);
    assert.match(reported, /create +Secret app \(Opaque\), once this is corrected\n/);
    assert.match(reported, /\n0 Secrets would be created in 0 namespaces; /);
  });

  test("N23: is told as a thing of now where it is not", async () => {
    const reported = shown(planText(await planned([aClass("demo")], { secrets: [CREDENTIALS] })), { hasColour: false });

    assert.match(reported, /create +Secret app \(Opaque\)\n/);
    assert.match(reported, /\n1 Secret would be created in 1 namespace; /);
  });
});

describe("CW-19: the first reason that doctor's plan names", () => {
  const limited: SettingsInForce = { "allowed-vaults": "another-vault" };
  const withParameters = (changes: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}) => {
    const made = aClass("demo");
    const metadata = { ...made.metadata, annotations: { ...made.metadata.annotations, ...annotations } };
    return { ...made, metadata, spec: { ...made.spec, parameters: { ...made.spec?.parameters, ...changes } } } as SecretProviderClass; // As stored.
  };
  const reasonOf = async (spc: SecretProviderClass, facts: Parameters<typeof planned>[1]): Promise<string> => {
    const [plan] = await planned([spc], facts);
    return `${plan?.verdict} ${plan?.reason} ${plan?.message}`;
  };
  const WORKLOAD = { clientID: "00000000-0000-4000-8000-000000000003" };
  const LENT = { [CLASS_ANNOTATIONS.serviceAccount]: "app" };
  const granting = (account: string): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, annotations: { [GRANT_ANNOTATIONS.serviceAccounts]: account } },
  });

  test("is the worker's: the credentials before the vault", async () => {
    assert.match(await reasonOf(aClass("demo"), { settings: limited }), /^refused CredentialsMissing /);
    assert.match(
      await reasonOf(aClass("demo"), { secrets: [CREDENTIALS], settings: limited }),
      /^refused InvalidClass .*does not allow the vault/,
    );
  });

  test("is the worker's: the credentials before the objects", async () => {
    const wrong = withParameters({ objects: "array: [" });

    assert.match(await reasonOf(wrong, {}), /^refused CredentialsMissing /);
    assert.match(await reasonOf(wrong, { secrets: [CREDENTIALS] }), /^refused Invalid/);
  });

  test("is the worker's: the identity mode before the objects", async () => {
    const wrong = withParameters({ objects: "array: [" });

    assert.match(await reasonOf(wrong, { settings: { "allowed-identity-modes": "workload-identity" } }), /^refused IdentityUnavailable /);
  });

  test("is the worker's: the node's identity before the vault", async () => {
    const managed = withParameters({ useVMManagedIdentity: "true" });

    assert.match(await reasonOf(managed, { settings: limited }), /^refused IdentityUnavailable /);
  });

  test("is the worker's: the vault before an account that is granted and does not exist", async () => {
    const lent = withParameters(WORKLOAD, LENT);

    assert.match(await reasonOf(lent, { secrets: [granting("other")], settings: limited }), /^refused IdentityUnavailable /);
    assert.match(
      await reasonOf(lent, { secrets: [granting("app")], settings: limited }),
      /^refused InvalidClass .*does not allow the vault/,
    );
    assert.match(await reasonOf(lent, { secrets: [granting("app")] }), /^refused IdentityUnavailable .*does not exist/);
  });
});
