import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/convert");

/** Next to each input are the expected classes and lines. The first line of an input may contain options. */
const INPUTS = globSync("*/*.yaml", { cwd: FOLDER }).sort();

const PEERS = ["akv2k8s", "driver", "external-secrets", "secret-sync"];

const readIn = (file: string): string => readFileSync(path.join(FOLDER, file), "utf8");
const besides = (file: string, ending: string): string => readIn(file.replace(/\.yaml$/, ending));

function optionsIn(text: string): readonly string[] {
  const [, line = ""] = /^# arguments: (.*)\n/.exec(text) ?? [];
  return line.split(" ").filter((word) => word !== "");
}

const converted = (text: string, options: readonly string[]) => runOffline(["convert", "-f", "-", ...options], text);

describe("the manifests of peers", () => {
  test("are at least four files of each", () => {
    for (const peer of PEERS) assert.ok(INPUTS.filter((file) => file.startsWith(`${peer}/`)).length >= 4, peer);
  });

  for (const file of INPUTS) {
    test(`become these classes, and what cannot be converted is named: ${file}`, async () => {
      const text = readIn(file);
      const { code, output, notes } = await converted(text, optionsIn(text));

      assert.equal(output, besides(file, ".classes.txt"));
      assert.equal([`exit code ${code}`, ...notes, ""].join("\n"), besides(file, ".notes.txt"));
    });

    test(`become classes that are converted to themselves: ${file}`, async () => {
      const classes = besides(file, ".classes.txt");
      if (classes === "") return;
      const { code, output } = await converted(classes, optionsIn(readIn(file)));

      assert.deepEqual([code, output], [0, classes]);
    });
  }
});

describe("convert", () => {
  test("prints one List of the same classes as JSON", async () => {
    const text = readIn("external-secrets/workload-identity.yaml");
    const list = JSON.parse((await converted(text, ["-o", "json"])).output);
    const again = await converted(JSON.stringify(list), []);

    assert.deepEqual([list.kind, list.items.length], ["List", 1]);
    assert.equal(again.output, besides("external-secrets/workload-identity.yaml", ".classes.txt"));
  });

  test("gives the same bytes whatever the order of stores and accounts", async () => {
    const [account = "", store = "", secret = ""] = readIn("external-secrets/workload-identity.yaml").split("---\n");

    assert.equal(
      (await converted([secret, store, account].join("---\n"), [])).output,
      (await converted([account, store, secret].join("---\n"), [])).output,
    );
  });

  test("ends with 1 on a warning where that is asked for", async () => {
    const text = readIn("external-secrets/service-principal.yaml");

    assert.equal((await converted(text, [])).code, 0);
    assert.equal((await converted(text, ["--fail-on-warnings"])).code, 1);
  });

  test("ends with 2 where nothing is named, or nothing is to be converted", async () => {
    const unnamed = await runOffline(["convert"]);
    const other = await converted("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n", []);

    assert.deepEqual(
      [unnamed.code, unnamed.notes],
      [2, ["keyvault-injector convert: no manifests are named; write -f FILE, -f - for standard input, or -k DIR"]],
    );
    assert.deepEqual(
      [other.code, other.output, other.notes],
      [
        2,
        "",
        [
          "keyvault-injector convert: nothing to convert: name files with ExternalSecrets, AzureKeyVaultSecrets, SecretSyncs, AKVSyncs or SecretProviderClasses",
        ],
      ],
    );
  });

  test("converts the other documents of a file with one that cannot be read, and ends with 2", async () => {
    const text = readIn("external-secrets/workload-identity.yaml");
    const { code, output, notes } = await converted(`${text}---\nkind: [\n`, []);

    assert.equal(code, 2);
    assert.equal(output, besides("external-secrets/workload-identity.yaml", ".classes.txt"));
    assert.match(notes.join("\n"), /^standard input:\d+: error: not YAML that kubectl reads: /m);
  });

  test("reads no Secret, and says nothing of what is in one", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "azure" }, stringData: { ClientSecret: "c4n4ry-value" } };
    const text = `${JSON.stringify(secret)}\n---\n${readIn("external-secrets/service-principal.yaml")}`;
    const { output, notes } = await converted(text, ["-o", "json"]);

    assert.doesNotMatch(`${output}${notes.join("\n")}`, /c4n4ry/);
    assert.match(`${output}${notes.join("\n")}`, /client-secret of Secret azure/);
  });
});
