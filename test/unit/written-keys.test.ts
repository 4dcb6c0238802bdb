import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { mistakesOn } from "../../src/cli/doctor/checks/namespace-keys.ts";
import * as constants from "../../src/domain/annotations.ts";
import { openRequest } from "../../src/domain/injection/pod-admission.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { misplacedAnnotations } from "../../src/domain/preflight/misplaced-annotations.ts";
import { WRITTEN_KEYS } from "../../src/domain/written-keys.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { aClass, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

type Texts = Readonly<Record<string, string>>;

/** The reply of the webhook with --strict-annotations to a new pod: its warnings, or the message of the denial. */
function strictly(annotations: Texts, { labels = {}, namespace = {} }: { readonly labels?: Texts; readonly namespace?: Texts } = {}) {
  const pod = { metadata: { annotations: { ...prefixed(OPTED_IN), ...annotations }, labels }, spec: { containers: [{ name: "app" }] } };
  const opened = openRequest(
    {
      uid: "1",
      operation: "CREATE",
      resource: { group: "", version: "v1", resource: "pods" },
      subResource: undefined,
      namespace: "shop",
      name: undefined,
      object: pod,
    },
    { version: "9.9.9-test", strictAnnotations: true, isCallerTrusted: true },
    { kind: "found", annotations: namespace },
  );
  if (opened.kind === "wanted") return opened.request.warnings;
  return opened.decision.kind === "denied" ? [opened.decision.message] : [opened.decision.kind];
}

const all = (keys: readonly string[]): Texts => Object.fromEntries(keys.map((key) => [key, "x"]));

describe("a key that this project writes itself", () => {
  for (const name of ["status", "rotated", "refresh", "service-account-uid"]) {
    test(`NC-4: is neither denied nor warned of on a copy of a pod: ${name}`, () => {
      assert.deepEqual(strictly(prefixed({ [name]: "x" })), []);
    });
  }

  test("NC-4: is not unknown on any kind of object on which it is written", () => {
    const { pods, workloads, namespaces, classes } = WRITTEN_KEYS;
    const metadata = { annotations: all(workloads.annotations), labels: all(workloads.labels) };
    const spc = aClass();
    const written = { ...spc, metadata: { ...spc.metadata, annotations: all(classes.annotations), labels: all(classes.labels) } };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations: all(namespaces.annotations) } };

    assert.deepEqual(strictly(all(pods.annotations), { labels: all(pods.labels) }), []);
    assert.deepEqual(strictly({}, { namespace: all(namespaces.annotations) }), []);
    assert.deepEqual(mistakesOn(namespace), []);
    assert.deepEqual(misplacedAnnotations({ kind: "Deployment", metadata, spec: { template: {} } }, ["spec", "template"]), []);
    assert.deepEqual(classWarnings(written, { cloudName: "" }), classWarnings(spc, { cloudName: "" }));
  });

  test("NC-4: is warned of, but never denied, on a pod to which a tool copied it from a workload, its Namespace or a label", () => {
    const copied = [...WRITTEN_KEYS.workloads.annotations, ...WRITTEN_KEYS.namespaces.annotations, ...WRITTEN_KEYS.pods.labels];

    for (const key of copied.filter((each) => !WRITTEN_KEYS.pods.annotations.some((known) => known === each))) {
      assert.match(strictly({ [key]: "x" }).join(), /is not a keyvault-injector\.dev\/ annotation/, key);
    }
  });

  test("NC-4: refresh stays a mistake on a pod template, which no command annotates, and on a Namespace", () => {
    const template = { metadata: { annotations: prefixed({ refresh: "1" }) } };

    assert.deepEqual(
      misplacedAnnotations({ kind: "Deployment", metadata: {}, spec: { template } }, ["spec", "template"]).map(({ message }) => message),
      ['"refresh" belongs on a SecretProviderClass and does nothing here'],
    );
    assert.match(strictly({}, { namespace: prefixed({ refresh: "1" }) }).join(), /is unknown here: it belongs on a SecretProviderClass/);
  });
});

/** Source files that write a key on an object, with the kind of object. Other kinds are objects that only the worker writes. */
const WRITERS: Readonly<Record<string, keyof typeof WRITTEN_KEYS | "none">> = {
  "src/cli/doctor/checks/webhook.ts": "pods",
  "src/cli/refresh/command.ts": "pods",
  "src/domain/injection/patch.ts": "pods",
  "src/domain/injection/plan.ts": "pods",
  "src/sync/healing/restart-holders.ts": "pods",
  "src/sync/rollouts/rollout-write.ts": "workloads",
  "src/cli/grants/apply.ts": "namespaces",
  "src/cli/uninstall/command.ts": "namespaces",
  "src/domain/convert/akv-sync.ts": "classes",
  "src/domain/convert/azure-key-vault-secret.ts": "classes",
  "src/domain/convert/build-class.ts": "classes",
  "src/domain/convert/external-secret.ts": "classes",
  "src/domain/convert/given-class.ts": "classes",
  "src/domain/convert/secret-store.ts": "classes",
  "src/domain/convert/secret-sync.ts": "classes",
  "src/domain/gateways/desired-class.ts": "classes",
  "src/sync/guardrail-attempts.ts": "classes",
  "src/domain/rollout/steadiness.ts": "none",
  "src/sync/rollouts/rollout-workloads.ts": "none",
  "src/domain/sync/copies/copy-plan.ts": "none",
  "src/domain/sync/secret-plan.ts": "none",
  "src/kube/lease-store.ts": "none",
  "src/sync/classes/poll-progress.ts": "none",
  "src/sync/copies/write-copy.ts": "none",
  "src/sync/healing/component-copies.ts": "none",
  "src/sync/healing/heal-crd.ts": "none",
  "src/sync/healing/record-writer.ts": "none",
  "src/sync/healing/snapshots.ts": "none",
  "src/sync/quarantine.ts": "none",
  "src/sync/secrets/blind-secrets.ts": "none",
  "src/sync/secrets/secret-writer.ts": "none",
  "src/sync/secrets/take-over-secret.ts": "none",
  "src/tls/authority-secret.ts": "none",
};

const exported = new Map<string, string | Readonly<Record<string, string>>>(Object.entries(constants));

/** Keys that a source file gives to members of an object, such as `[POD_ANNOTATIONS.status]: ...`. Patterns that read a key end with `=`. */
function keysWrittenIn(text: string): readonly string[] {
  const members = text.replaceAll(/(?:const|let) \{[^{}]*\} =/g, "").matchAll(/\[(\w+_ANNOTATIONS|\w+_LABEL|MADE_FOR)(?:\.(\w+))?\]:/g);
  return [...members].flatMap(([, constant = "", member = ""]) => {
    const value = exported.get(constant);
    return (typeof value === "string" ? value : value?.[member]) ?? [];
  });
}

test("NC-4: each key that the code writes is in the table of the kind of object on which it writes it", () => {
  const sources = globSync("src/**/*.ts", { cwd: REPOSITORY }).map((path) => ({ path, keys: keysWrittenIn(readRepositoryFile(path)) }));
  const writers = sources.filter(({ keys }) => keys.length > 0);
  assert.deepEqual(writers.map(({ path }) => path).sort(), Object.keys(WRITERS).sort());
  const ofUsers: readonly string[] = [...Object.values(constants.CLASS_ANNOTATIONS), ...Object.values(constants.GRANT_ANNOTATIONS)];
  const missing = writers.flatMap(({ path, keys }) => {
    const kind = WRITERS[path];
    if (kind === "none") return [];
    const known = kind === undefined ? undefined : WRITTEN_KEYS[kind];
    const { annotations = [], labels = [] }: { readonly annotations?: readonly string[]; readonly labels?: readonly string[] } =
      known ?? {};
    return keys
      .filter((key) => ![...annotations, ...labels, ...(kind === "pods" ? [] : ofUsers)].includes(key))
      .map((key) => `${path} ${key}`);
  });

  // The probe pod of doctor asks for injection as users do, and is never stored.
  assert.deepEqual(
    missing,
    ["inject", "secret-provider-class"].map((name) => `src/cli/doctor/checks/webhook.ts keyvault-injector.dev/${name}`),
  );
});
