import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { CHART, helmRefusal, runHelm, templateArguments } from "../support/cluster/helm.ts";
import { at, listAt, type Manifest, parseManifests } from "../support/cluster/shipped-manifests.ts";
import { guardsLost, privilegesBeyond, trafficBeyond, webhooksChanged } from "./openings/openings.ts";
import { rightsBeyond, rightsOf } from "./openings/rights.ts";

const refusal = controlPlaneRefusal() ?? helmRefusal();

interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
}

interface Emptied {
  readonly path: string;
  readonly value: unknown;
}

/** Values that enable everything in the chart, so that every opening can show. */
const EVERYTHING = {
  openshift: true,
  windows: { enabled: true },
  networkPolicies: { enabled: true },
  monitoring: {
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
    service: { enabled: true },
  },
  "secrets-store-csi-driver": { windows: { enabled: true } },
};

/** Returns the paths as lists of keys, with the schema at each path. A map that may be null is a value of its own. */
function leavesOf(node: Node, keys: readonly string[] = []): readonly { readonly keys: readonly string[]; readonly node: Node }[] {
  if (node.properties === undefined) return [{ keys, node }];
  const inner = Object.entries(node.properties).flatMap(([key, each]) => leavesOf(each, [...keys, key]));
  return [node.type].flat().some((type) => type === "null" || type === "string") ? [{ keys, node }, ...inner] : inner;
}

/** Values that a values file contains if its variable was empty. None for a switch: if it is missing, the chart's default applies. */
function emptyValuesOf({ type, enum: choices }: Node): readonly unknown[] {
  const types = [type].flat();
  if (types.includes("boolean")) return [];
  return [
    null,
    ...(types.includes("array") ? [[], [""], [null], [{}], [[]]] : []),
    ...(types.includes("object") ? [{}] : []),
    ...(types.includes("string") || choices !== undefined ? [""] : []),
  ];
}

const nested = (keys: readonly string[], value: unknown): Readonly<Record<string, unknown>> => {
  const [first = "", ...rest] = keys;
  return { [first]: rest.length === 0 ? value : nested(rest, value) };
};

function merged(base: unknown, over: unknown): unknown {
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap(base) || !isMap(over)) return over;
  return { ...base, ...Object.fromEntries(Object.entries(over).map(([key, value]) => [key, merged(base[key], value)])) };
}

function batchesOf(emptied: readonly Emptied[], size: number): readonly (readonly Emptied[])[] {
  // Put different empty forms of the same value into different batches: in one batch only the last one would have an effect.
  const count = Math.ceil(emptied.length / size);
  return Array.from({ length: count }, (_, batch) => emptied.filter((_each, index) => index % count === batch));
}

/** Each Helm process occupies one core, so only a few run at a time. */
let turns: readonly Promise<unknown>[] = Array.from({ length: 3 }, () => Promise.resolve());

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const [first = Promise.resolve(), ...rest] = turns;
  const done = first.then(work, work);
  turns = [...rest, done];
  return done;
}

/** Returns the objects, or Helm's error if it fails. */
async function rendered(values: unknown): Promise<readonly Manifest[] | string> {
  const given = Object.entries(values as Readonly<Record<string, unknown>>).flatMap(([key, value]) => [
    "--set-json",
    `${key}=${JSON.stringify(value)}`,
  ]);
  const { code, stdout, stderr } = await runHelm("helm-4", templateArguments({ args: given }));
  return code === 0 ? parseManifests(stdout).filter((object) => object !== null) : stderr;
}

function openingsBeyond(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  return [rightsBeyond, trafficBeyond, guardsLost, webhooksChanged, privilegesBeyond].flatMap((compare) => compare(objects, limit));
}

describe("a value of the chart that somebody leaves empty", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  const schema = JSON.parse(readFileSync(path.join(CHART, "values.schema.json"), "utf8")) as Node;
  const leaves = leavesOf(schema);
  let filled: readonly Manifest[];
  before(async () => {
    const objects = await rendered(EVERYTHING);
    if (typeof objects === "string") assert.fail(objects);
    filled = objects;
  });

  /** Finds the faulty values by halving the batch, since most values are harmless. */
  const judge = async (batch: readonly Emptied[]): Promise<readonly string[]> => {
    const values = batch.reduce<unknown>((all, { path: dotted, value }) => merged(all, nested(dotted.split("."), value)), EVERYTHING);
    const [first] = batch;
    if (first === undefined) return [];
    const objects = await rendered(values);
    if (batch.length === 1) return verdictOn(first, objects);
    if (typeof objects !== "string" && openingsBeyond(objects, filled).length === 0) return [];
    const refused = typeof objects === "string" ? batch.filter((each) => isRefused(each, objects)) : [];
    if (refused.length > 0) return judge(batch.filter((each) => !refused.includes(each)));
    const half = Math.ceil(batch.length / 2);
    return [...(await judge(batch.slice(0, half))), ...(await judge(batch.slice(half)))];
  };
  /** Helm lists everything that its schema rejects, each with its whole path. Halving is not necessary here. */
  const isRefused = ({ path: dotted }: Emptied, refusal: string): boolean => {
    const pointer = `at '/${dotted.replaceAll(".", "/")}`;
    return refusal.includes(`${pointer}'`) || refusal.includes(`${pointer}/`);
  };
  const verdictOn = ({ path: dotted, value }: Emptied, objects: readonly Manifest[] | string): readonly string[] => {
    const what = `${dotted}: ${JSON.stringify(value)}`;
    if (typeof objects !== "string") return openingsBeyond(objects, filled).map((opening) => `${what}: ${opening}`);
    const isNamed = objects.replaceAll("/", ".").includes(dotted.split(".").at(-1) ?? "");
    return isNamed ? [] : [`${what} is refused without its name: ${objects}`];
  };

  const opened = async (values: unknown): Promise<readonly string[]> => {
    const objects = await rendered(merged(EVERYTHING, values));
    // The error says which value it is about.
    return typeof objects === "string" ? [] : openingsBeyond(objects, filled);
  };

  test("R1: gives the worker no right that the filled one does not give, and lets nobody in that it keeps out", async () => {
    const credentials = await opened({ credentialsSecretNames: [] });
    assert.deepEqual(credentials, []);
    assert.deepEqual(await opened({ credentialsSecretNames: null }), []);
    for (const selector of [null, {}]) assert.deepEqual(await opened({ networkPolicies: { metricsNamespaceSelector: selector } }), []);
  });

  test("R1: opens nothing, whichever value it is and however it is empty: it is refused, or narrower", async () => {
    const emptied: readonly Emptied[] = leaves.flatMap(({ keys, node }) =>
      emptyValuesOf(node).map((value) => ({ path: keys.join("."), value })),
    );
    assert.ok(emptied.length > 300, `${emptied.length}`);
    const verdicts = await Promise.all(batchesOf(emptied, 12).map((batch) => inTurn(() => judge(batch))));
    assert.deepEqual(verdicts.flat(), []);
    console.log(`empty values: ${emptied.length} ways, 0 of them wider than the filled chart`);
  });

  test("R1: opens nothing with all lists, maps and selectors empty at once", async () => {
    for (const value of [null, []]) {
      const isOpen = ({ type, description = "" }: Node): boolean =>
        [type].flat().some((kind) => kind === "array" || kind === "object") && !description.startsWith("rejected");
      const open = leaves.filter(({ node }) => isOpen(node));
      const all = open.reduce<unknown>(
        (values, { keys, node }) => merged(values, nested(keys, value === null || [node.type].flat().includes("array") ? value : {})),
        {},
      );
      const objects = await rendered(merged(EVERYTHING, all));
      if (typeof objects === "string") assert.fail(objects);
      assert.deepEqual(openingsBeyond(objects, filled), []);
    }
  });

  test("is compared in earnest: each kind of opening is found where one is planted", () => {
    const planted = (change: (object: Manifest) => Manifest): readonly string[] => openingsBeyond(filled.map(change), filled);
    const onlyIn = (kind: string, name: string, change: (object: Manifest) => unknown) =>
      planted((object) => (object.kind === kind && object.metadata.name === name ? { ...object, ...(change(object) as object) } : object));
    const withoutNames = onlyIn("ClusterRole", "keyvault-injector-sync", (role) => ({
      rules: listAt(role, "rules").map((rule) => ({ ...(rule as object), resourceNames: [] })),
    }));
    assert.ok(withoutNames.some((right) => /may get secrets\. \* in \*/.test(right)));
    assert.ok(rightsOf(filled).length > 100);
    const open = onlyIn("NetworkPolicy", "keyvault-injector-sync", (policy) => ({
      spec: { ...(policy["spec"] as object), ingress: [{ ports: [{ port: 9090, protocol: "TCP" }] }] },
    }));
    assert.deepEqual(open, ['NetworkPolicy keyvault-injector keyvault-injector-sync: Ingress: any {"port":9090,"protocol":"TCP"}']);
    const warning = onlyIn("ValidatingAdmissionPolicyBinding", "keyvault-injector-sync-secrets", (binding) => ({
      spec: { ...(binding["spec"] as object), validationActions: ["Warn"] },
    }));
    assert.deepEqual(warning, ["ValidatingAdmissionPolicyBinding - keyvault-injector-sync-secrets says something else"]);
    const everywhere = onlyIn("MutatingWebhookConfiguration", "keyvault-injector", (configuration) => ({
      webhooks: listAt(configuration, "webhooks").map((webhook) => ({ ...(webhook as object), namespaceSelector: {} })),
    }));
    assert.equal(everywhere.length, 1);
    const onTheHost = onlyIn("Deployment", "keyvault-injector-sync", (deployment) => ({
      spec: { template: { spec: { ...(at(deployment, "spec", "template", "spec") as object), hostNetwork: true } } },
    }));
    assert.deepEqual(onTheHost, ["Deployment keyvault-injector keyvault-injector-sync: hostNetwork true"]);
  });
});
