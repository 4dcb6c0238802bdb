/**
 * Compares how `render` reads and writes manifests with kubectl's own code. Run with KEYVAULT_INJECTOR_JUDGE_SEED=<number> for other
 * generated files.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { toJson, toYaml } from "../../src/cli/manifest/yaml.ts";
import { isJsonObject } from "../../src/domain/json-object.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { randomFrom } from "../support/fixtures/random.ts";
import { generatedFiles, scalarDocuments } from "./judge/generated-manifests.ts";
import { manifestCases } from "./judge/manifest-cases.ts";
import {
  type Compared,
  compareReadings,
  LISTED_ROWS,
  type ListedRow,
  type ManifestJudge,
  ourReading,
  type ReadFile,
  startManifestJudge,
} from "./judge/manifest-judge.ts";

const refusal = programRefusal(["manifest-judge"]);
const SEED = Number(process.env["KEYVAULT_INJECTOR_JUDGE_SEED"] ?? "20261126");
const GENERATED = { tidy: 2_500, untidy: 2_500, streams: 2_500 };
const MIN_WRITTEN = 300;
const MIN_READ = 3_000;
const MIN_SHIPPED = 80;
/** Most of the generated files have a typing mistake. kubectl's reader rejects a few of them that js-yaml accepts. */
const MAX_MORE_READ = 700;

/** Files of this repository, as people write them. */
function shippedFiles(): readonly Uint8Array[] {
  return readdirSync(MANIFESTS, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(?:ya?ml|json)$/.test(file))
    .map((file) => readFileSync(path.join(MANIFESTS, file)));
}

describe("kubectl", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let judge: ManifestJudge;
  const compared: (Compared & { readonly file: Uint8Array })[] = [];
  const listed = new Map<ListedRow, number>();
  const unexplained: string[] = [];

  before(async () => {
    judge = await startManifestJudge();
    const generated = [...scalarDocuments().map((text) => Buffer.from(text)), ...generatedFiles(randomFrom(SEED), GENERATED)];
    for (const file of [...manifestCases(), ...shippedFiles(), ...generated]) {
      compared.push({ file, ours: ourReading(file), theirs: await judge.read(file) });
    }
    for (const each of compared) {
      const verdict = compareReadings(each);
      if (verdict.kind === "listed") listed.set(verdict.row, (listed.get(verdict.row) ?? 0) + 1);
      if (verdict.kind === "unexplained")
        unexplained.push(`${JSON.stringify(Buffer.from(each.file).toString())}\n${verdict.ours}\n--- kubectl:\n${verdict.theirs}`);
    }
    const differences = [...listed.values()].reduce((sum, count) => sum + count, 0);
    const equal = compared.length - differences - unexplained.length;
    console.log(`seed ${SEED}; ${manifestCases().length} written files, ${shippedFiles().length} shipped, ${generated.length} generated`);
    console.log(`of all, kubectl reads ${compared.filter(({ theirs }) => theirs.error === undefined).length} to the end`);
    for (const [row, count] of listed) console.log(`listed difference ${row}: ${count} files`);
    console.log(`${compared.length} documents, ${equal} equal, ${differences} listed differences, ${unexplained.length} unexplained`);
  });

  after(() => judge.stop());

  test("reads every file as we do, but for the differences that the page lists", () => {
    assert.deepEqual(unexplained.slice(0, 10), []);
  });

  test("is asked enough, and reads enough", () => {
    assert.ok(manifestCases().length >= MIN_WRITTEN, `${manifestCases().length} written files`);
    assert.ok(compared.filter(({ theirs }) => theirs.error === undefined).length >= MIN_READ);
  });

  test("refuses few files that we read", () => {
    assert.ok((listed.get("more-read") ?? 0) <= MAX_MORE_READ);
  });

  test("differs from us by no listed row that is gone, and by none that the page does not have", () => {
    const page = readFileSync(path.resolve(MANIFESTS, "../docs/reference/cli.md"), "utf8");

    assert.deepEqual([...listed.keys()].sort(), [...LISTED_ROWS].sort());
    assert.deepEqual(
      LISTED_ROWS.filter((row) => !page.includes(`\`${row}\``)),
      [],
    );
  });

  test("would show one changed value, one document less, and a mistake that we do not see", async () => {
    const file = Buffer.from("a: 9007199254740993\n---\nb: [c]\n");
    const theirs = await judge.read(file);
    const changed = (text: string): ReadFile => ourReading(Buffer.from(text));

    assert.equal(compareReadings({ ours: ourReading(file), theirs }).kind, "equal");
    for (const text of ["a: 9007199254740992\n---\nb: [c]\n", "a: 9007199254740993\n", "a: 9007199254740993\n---\nb: [c, d]\n", "a: [\n"]) {
      assert.equal(compareReadings({ ours: changed(text), theirs }).kind, "unexplained", text);
    }
    const broken = await judge.read(Buffer.from("a: 1\n---\nb: [\n"));
    assert.deepEqual(compareReadings({ ours: changed("a: 1\n---\nb: []\n"), theirs: broken }), { kind: "listed", row: "more-read" });
    assert.equal(compareReadings({ ours: changed("a: 2\n---\nb: []\n"), theirs: broken }).kind, "unexplained");
  });

  test("reads what we write as what we have read, as YAML and as JSON", async () => {
    const values = compared.flatMap(({ ours }) => ours.documents.flatMap((each) => (each.kind === "value" ? [each] : [])));
    const wrong: string[] = [];
    for (const { value, json } of values) {
      for (const text of [toYaml(value), ...(isJsonObject(value) ? [toJson(value)] : [])]) {
        const { documents, error } = await judge.read(Buffer.from(text));
        const [document, ...more] = documents;
        if (error !== undefined || more.length > 0 || document?.kind !== "value" || document.json !== json) wrong.push(text);
      }
    }
    console.log(`${values.length} values written, ${wrong.length} read as something else`);

    assert.deepEqual(wrong.slice(0, 10), []);
    assert.ok(values.length >= MIN_READ);
    const [planted] = (await judge.read(Buffer.from("a: 0O17\n"))).documents;
    assert.notEqual(planted?.kind === "value" && planted.json, '{"a":"0O17"}');
  });

  test("finds the objects that render finds in what this repository ships", async () => {
    let files = 0;
    for (const file of shippedFiles()) {
      const read = await judge.read(file);
      // Some files, such as templates of the chart, are not manifests yet.
      if (read.error !== undefined) continue;
      files += 1;
      const { documents } = readManifests("f", Buffer.from(file).toString());
      const theirs = read.documents.flatMap((each) => (each.kind === "value" ? [each.value] : []));
      const objects = theirs.filter((value) => isJsonObject(value) && value["apiVersion"] !== undefined && value["kind"] !== undefined);
      // kubectl refuses a kustomization as a file, too, but only when it asks the API server for the kind.
      if (objects.some((value) => isJsonObject(value) && String(value["apiVersion"]).startsWith("kustomize.config.k8s.io/"))) {
        assert.deepEqual(documents, []);
        continue;
      }

      assert.deepEqual(
        documents.map(({ object }) => object),
        objects,
      );
    }
    assert.ok(files >= MIN_SHIPPED, `${files} files`);
  });
});
