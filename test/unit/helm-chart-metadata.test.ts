/** The annotations that Artifact Hub reads from the chart. It parses the text of each annotation as YAML. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { changesOf } from "../../tools/helm-chart/changes.ts";
import { REPOSITORY, readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { at, listAt, MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { tablesOf } from "../support/docs/reference-page.ts";

const CHART = "helm/keyvault-injector";
const file = (name: string): string => readFileSync(path.join(MANIFESTS, CHART, name), "utf8");
const chart: unknown = parse(file("Chart.yaml"));
const project: unknown = JSON.parse(readRepositoryFile("package.json"));
const annotation = (name: string): unknown => parse(String(at(chart, "annotations", `artifacthub.io/${name}`)));
const texts = (list: unknown, key: string): readonly string[] => listAt(list).map((entry) => String(at(entry, key)));

/** Pages below the project's home page that the text links to. */
function pagesIn(text: string): readonly string[] {
  const home = String(at(project, "homepage"));
  return [...text.matchAll(/\((https:[^)#\s]+)/g)]
    .map(([, url = ""]) => url)
    .filter((url) => url.startsWith(home))
    .map((url) => url.slice(home.length + 1));
}

describe("Chart.yaml", () => {
  test("has the version, license, home, sources and maintainers of package.json", () => {
    assert.equal(at(chart, "version"), VERSION);
    assert.equal(at(chart, "appVersion"), VERSION);
    assert.equal(at(chart, "home"), at(project, "homepage"));
    assert.deepEqual(listAt(chart, "sources"), [at(project, "repository")]);
    assert.deepEqual(texts(at(chart, "maintainers"), "email"), texts(at(project, "maintainers"), "email"));
    assert.equal(at(chart, "annotations", "artifacthub.io/license"), at(project, "license"));
    assert.ok(listAt(chart, "keywords").length >= 5);
  });

  test("carries the icon of the repository as a data URL, an SVG", () => {
    const [head, data = ""] = String(at(chart, "icon")).split(",");
    assert.equal(head, "data:image/svg+xml;base64");
    assert.equal(Buffer.from(data, "base64").toString(), readFileSync(path.join(MANIFESTS, "helm/icon.svg"), "utf8"));
  });

  test("names every image of the default values, with its tag", () => {
    const images = texts(annotation("images"), "image");
    const values = parse(file("values.yaml")) as Record<string, unknown>;
    const driver = at(values, "secrets-store-csi-driver", "linux");
    const named = [at(values, "linux", "image"), ...["image", "registrarImage", "livenessProbeImage"].map((key) => at(driver, key))].map(
      (image) => `${String(at(image, "repository"))}:${String(at(image, "tag"))}`,
    );
    assert.deepEqual([...images].sort(), [`keyvault-injector:${VERSION}`, ...named].sort());
  });

  test("names every definition that the chart installs, and shows a class", () => {
    assert.deepEqual(texts(annotation("crds"), "name"), [
      "secretproviderclasses.secrets-store.csi.x-k8s.io",
      "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io",
      "secretproviderclasssyncs.keyvault-injector.dev",
    ]);
    for (const key of ["kind", "version", "displayName", "description"]) {
      assert.ok(
        texts(annotation("crds"), key).every((text) => text !== "" && text !== "undefined"),
        key,
      );
    }
    assert.deepEqual(texts(annotation("crdsExamples"), "kind"), ["SecretProviderClass"]);
  });

  test("lists the changes of its version in Artifact Hub's kinds, with links that lead somewhere", () => {
    const changes = listAt(annotation("changes"));
    assert.ok(changes.length > 10);
    const kinds = new Set(changes.map((change) => String(at(change, "kind"))));
    assert.ok([...kinds].every((kind) => ["added", "changed", "deprecated", "removed", "fixed", "security"].includes(kind)));
    assert.equal(String(at(chart, "annotations", "artifacthub.io/containsSecurityUpdates")), String(kinds.has("security")));
    const pages = pagesIn(texts(changes, "description").join("\n"));
    assert.ok(pages.length > 3);
    for (const page of pages) assert.ok(existsSync(path.join(REPOSITORY, page)), page);
  });

  test("has links to pages that are there, and no key to check signatures with, as long as there is none", () => {
    const urls = texts(annotation("links"), "url").map((url) => url.slice(String(at(project, "homepage")).length + 1));
    assert.ok(urls.length >= 3);
    for (const page of urls) assert.ok(existsSync(path.join(REPOSITORY, page)) || existsSync(path.join(REPOSITORY, `${page}.md`)), page);
    assert.equal(at(chart, "annotations", "artifacthub.io/signKey"), undefined);
  });
});

describe("a section of the changelog", () => {
  const changelog =
    "## [Unreleased]\n\n### Added\n\n- Later.\n\n## [1.0.0] - 2026-01-01\n\n### Fixed\n\n- One,\n  see [page](docs/a.md#b).\n- Two.\n\n### Added\n\n**Group**\n\n- Three.\n\n**Other**\n\n- Four.\n";

  test("becomes changes in its order, without the names of groups, with links that lead to the project's pages", () => {
    const home = String(at(project, "homepage"));
    assert.deepEqual(changesOf(changelog, "1.0.0"), [
      { kind: "fixed", description: `One, see [page](${home}/docs/a.md#b).` },
      { kind: "fixed", description: "Two." },
      { kind: "added", description: "Three." },
      { kind: "added", description: "Four." },
    ]);
  });

  test("is missed where there is none, or where a heading is no kind of change", () => {
    assert.throws(() => changesOf(changelog, "2.0.0"), /no section \[2\.0\.0\]/);
    assert.throws(() => changesOf("## [1.0.0]\n\n### Mended\n\n- One.\n", "1.0.0"), /Mended is no kind/);
  });
});

describe("README.md of the chart", () => {
  const readme = file("README.md");

  test("has every value of the reference page, with its default and meaning", () => {
    const named = (markdown: string): readonly string[] =>
      tablesOf(markdown, "Value").flatMap(({ rows }) => rows.map((row) => codeSpans(row[0] ?? "").join()));
    assert.deepEqual(named(readme), named(readRepositoryFile("docs/reference/helm-values.md")));
    assert.ok(named(readme).length > 100);
  });

  test("links pages that are there by their whole address, and no other", () => {
    const pages = pagesIn(readme);
    assert.ok(pages.length >= 4);
    for (const page of pages) assert.ok(existsSync(path.join(REPOSITORY, page)), page);
    assert.doesNotMatch(readme, /\]\((?!https:)/);
  });
});
