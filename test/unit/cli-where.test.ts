import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { CLASS, STATUS } from "../support/cli/where.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedSecret } from "../support/fixtures/used-objects.ts";

const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
const OBJECTS = [namespace("other"), namespace("shop"), CLASS, STATUS];

/** A user's rights: whether the user can list Namespaces, and the namespaces in which the user can list objects. */
interface Rights {
  readonly isListing: boolean;
  readonly within: readonly string[];
}

/** Runs `where` for a user without permissions in the whole cluster. */
async function whereFor({ isListing, within }: Rights, ...args: readonly string[]) {
  const { kube, ...held } = heldCluster(OBJECTS);
  const signal = new AbortController().signal;
  const list = async (resource: Resource, request: ListRequest<Manifest>) => {
    const isAllowed = resource.kind === "Namespace" ? isListing : within.includes(request.namespace ?? "");
    if (!isAllowed) throw new KubeError("Forbidden", "not allowed", { status: 403, retry: { kind: "never" } });
    return kube.list(resource, request, signal);
  };
  const cluster = { ...held, kube: { ...kube, list: list as typeof kube.list } };
  const { code, output, notes } = await runOffline(["where", ...args], "", { cluster });
  return { code, output, said: notes.join("\n") };
}

describe("where, for a user who may list few classes", () => {
  const NOTHING = /: you lack permission to list secretproviderclasses in (.*); name another namespace with -n, or ask for permission$/;

  for (const [rights, argv, place] of [
    [{ isListing: false, within: [] }, [], "shop"],
    [{ isListing: false, within: [] }, ["-n", "other"], "other"],
    [{ isListing: true, within: [] }, [], "any of 2 namespaces"],
  ] as const) {
    test(`N2: gives no all-clear if it could read no classes: ${JSON.stringify(rights)} ${argv.join(" ")}`, async () => {
      const { code, output, said } = await whereFor(rights, "--expiring", "30d", ...argv);

      assert.deepEqual([code, output], [2, ""]);
      assert.equal(NOTHING.exec(said)?.[1], place, said);
    });
  }

  test("N2: names the missing permission for an object, too", async () => {
    const { code, said } = await whereFor({ isListing: false, within: [] }, "secret/db-pass");

    assert.equal(code, 2);
    assert.match(said, NOTHING);
  });

  test("N2: the control: with a part of the classes, the answer covers this part, and notes name the rest", async () => {
    const { code, output, said } = await whereFor({ isListing: true, within: ["other"] }, "--expiring", "30d");

    assert.deepEqual([code, output], [0, "no object that you can see expires within 30d\n"]);
    assert.equal(said, "note: you lack permission to list secretproviderclasses in shop: the answer does not include them");
  });
});

describe("a script that waits until an object is up to date", () => {
  const textOf = (page: string): string => readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");

  test("N3: has the command that waits, because where exits with 0 for an unknown version, and with 2 for a typo forever", async () => {
    const cluster = heldCluster([...OBJECTS, usedSecret("db", { className: "web", objects: "" })]);
    const { code, output } = await runOffline(["where", "secret/db-pass"], "", { cluster });
    assert.deepEqual([code, /^1 Secret: 1 unknown$/m.test(output)], [0, true], output);

    const page = textOf("how-to/see-where-an-object-is-used.md");
    assert.doesNotMatch(page, /(until|while).* where /);
    assert.match(page, /with code 0 for `unknown`\. In scripts, use `refresh --wait`/);
    assert.match(textOf("reference/cli.md"), /^\| `unknown` \|.*The exit code is 0 unless/m);
  });
});
