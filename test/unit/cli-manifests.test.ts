import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { itemsOf, podAt, podPath, withItems, withPodAt } from "../../src/cli/manifest/items.ts";
import { toYaml } from "../../src/cli/manifest/yaml.ts";

const objectsOf = (text: string) => readManifests("web.yaml", text).documents.map(({ object }) => object);
const problemsOf = (text: string, file = "web.yaml") =>
  readManifests(file, text).problems.map(({ place, message }) => `${place.file}:${place.line}: ${message}`);

describe("manifests", () => {
  test("are read document by document, empty ones left out, JSON too", () => {
    const text = '---\n# nothing\n---\napiVersion: v1\nkind: Pod\n---\n{"apiVersion": "v1", "kind": "Service"}\n---\n';

    assert.deepEqual(objectsOf(text), [
      { apiVersion: "v1", kind: "Pod" },
      { apiVersion: "v1", kind: "Service" },
    ]);
    assert.deepEqual(problemsOf(text), []);
  });

  for (const [what, text, problem] of [
    ["broken YAML", "apiVersion: v1\nkind: Pod\nspec: {a: [\n", "web.yaml:4: not YAML that kubectl reads: "],
    ["a list as a key", "apiVersion: v1\nkind: Pod\n? [a]\n: b\n", "web.yaml:3: not YAML that kubectl reads: a key is a list"],
    ["a list", "- a\n- b\n", "web.yaml:1: not a Kubernetes object; write apiVersion, kind and metadata"],
    ["text", "\n\nhello\n", "web.yaml:3: not a Kubernetes object; write apiVersion, kind and metadata"],
    ["no kind", "---\napiVersion: v1\n", "web.yaml:2: kind is missing or not a string; write kind: Pod, Deployment or another kind"],
    ["no version", "kind: Pod\napiVersion: 1\n", "web.yaml:1: apiVersion is missing or not a string; write apiVersion: v1 for a Pod"],
  ] as const) {
    test(`with ${what} are a problem that names file, line and fix`, () => {
      const [first = ""] = problemsOf(text);

      assert.ok(first.startsWith(problem), first);
    });
  }

  for (const [file, text] of [
    ["web/kustomization.yaml", "namePrefix: a-\n"],
    ["kustomization.yml", "resources: []\n"],
    ["web.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"],
  ] as const) {
    test(`NC-17: that are a kustomization are told to need -k: ${file}`, () => {
      assert.deepEqual(problemsOf(text, file), [`${file}:1: this is a kustomization; use -k FOLDER to build it`]);
    });
  }

  test("NC-17: that are Flux's Kustomization are objects", () => {
    assert.deepEqual(problemsOf("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"), []);
  });

  test("that expand by aliases beyond any use are refused, not expanded", () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level}: &a${level} [${level === 0 ? "x" : Array.from({ length: 10 }, () => `*a${level - 1}`).join(",")}]`,
    );

    assert.equal(problemsOf(`apiVersion: v1\nkind: Pod\n${levels.join("\n")}\n`).length, 1);
  });

  test("mean what kubectl takes them for: YAML 1.1 booleans and octals, times and base-60 numbers as text", () => {
    const [object] = objectsOf("apiVersion: v1\nkind: X\na: yes\nb: 0644\nc: 2020-01-01\nd: 1:30\ne: null\nf: 'no'\n");

    assert.deepEqual(object, { apiVersion: "v1", kind: "X", a: true, b: 420, c: "2020-01-01", d: "1:30", e: null, f: "no" });
  });

  test("are written so that they are read again as the same", () => {
    const object = {
      apiVersion: "v1",
      kind: "X",
      texts: ["yes", "0644", "1e3", "null", "~", "", " a ", "a: b", "#x", "1:30", "2020-01-01", "é\n\n x"],
      n: [1, 0.5, true, null],
    };

    assert.deepEqual(objectsOf(toYaml(object)), [object]);
  });

  test("know the line of every field, and of the nearest one around a field that is not there", () => {
    const text = "---\nkind: A\napiVersion: v1\n---\nkind: B\napiVersion: v1\nspec:\n  list:\n    - a: 1\n    - a: 2\n      b: 3\n";
    const second = readManifests("web.yaml", text).documents[1];

    assert.equal(second?.place.line, 5);
    assert.equal(second?.placeOf(["spec", "list", 1, "b"]).line, 11);
    assert.equal(second?.placeOf(["spec", "list", 0, "b"]).line, 9);
    assert.equal(second?.placeOf(["metadata"]).line, 5);
  });
});

describe("items of a List", () => {
  const text =
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: {generateName: b-, namespace: shop}\n";
  const [document] = readManifests("-", text).documents;
  assert.ok(document !== undefined);

  test("are found at every depth, with kind, name and place", () => {
    assert.deepEqual(
      itemsOf(document).map(({ kind, name, namespace, place }) => [kind, name, namespace, place.line]),
      [
        ["Pod", "a", undefined, 4],
        ["Pod", "b-*", "shop", 8],
      ],
    );
  });

  test("are replaced in place, and left out where nothing would be stored", () => {
    assert.deepEqual(withItems(document, [undefined, { kind: "B" }]), {
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "v1", kind: "PodList", items: [{ kind: "B" }] }],
    });
  });
});

describe("pods in objects", () => {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [] } };
  for (const [apiVersion, kind, wrap] of [
    ["v1", "PodTemplate", (inner: object) => ({ template: inner })],
    ["v1", "ReplicationController", (inner: object) => ({ spec: { replicas: 1, template: inner } })],
    ["apps/v1", "Deployment", (inner: object) => ({ spec: { replicas: 1, template: inner } })],
    ["apps/v1", "StatefulSet", (inner: object) => ({ spec: { template: inner } })],
    ["apps/v1", "DaemonSet", (inner: object) => ({ spec: { template: inner } })],
    ["apps/v1", "ReplicaSet", (inner: object) => ({ spec: { template: inner } })],
    ["batch/v1", "Job", (inner: object) => ({ spec: { template: inner } })],
    [
      "batch/v1",
      "CronJob",
      (inner: object) => ({ spec: { schedule: "* * * * *", jobTemplate: { metadata: {}, spec: { template: inner } } } }),
    ],
  ] as const) {
    test(`of a ${kind} are found and put back where they were, all else as it was`, () => {
      const object = { apiVersion, kind, metadata: { name: "a" }, ...wrap(template) };
      const path = podPath(object);
      assert.ok(path !== undefined);

      const pod = podAt(object, path);
      const changed = withPodAt(object, path, { ...pod, spec: { containers: [], volumes: [] } });

      assert.deepEqual(pod, { apiVersion: "v1", kind: "Pod", ...template });
      assert.deepEqual(changed, {
        apiVersion,
        kind,
        metadata: { name: "a" },
        ...wrap({ ...template, spec: { containers: [], volumes: [] } }),
      });
    });
  }

  test("are not looked for in other groups' kinds of the same name", () => {
    assert.equal(podPath({ apiVersion: "example.com/v1", kind: "Deployment" }), undefined);
    assert.equal(podPath({ apiVersion: "v1", kind: "constructor" }), undefined);
  });

  test("are missing where there is no template", () => {
    assert.equal(podAt({ apiVersion: "apps/v1", kind: "Deployment", spec: null }, ["spec", "template"]), undefined);
  });
});
