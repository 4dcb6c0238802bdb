/** The commands of the pages on uninstalling and upgrading for the one file of a release, which also contains the CRDs. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { releaseManifests } from "../../tools/release/artifacts.ts";
import { REPOSITORY, readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { type Manifest, parseManifests } from "../support/cluster/shipped-manifests.ts";

const FILE = `keyvault-injector-${VERSION}.yaml`;
const UNINSTALL = "docs/how-to/uninstall.md";
const objects = parseManifests(releaseManifests(VERSION, undefined, { nodeSide: true }));

const idOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
const isDefinition = ({ kind }: Manifest): boolean => kind === "CustomResourceDefinition";

/** Commands of a text that delete by the file, each up to its end. */
const deletions = (text: string): readonly string[] => text.match(/kubectl delete -f \S*keyvault-injector-\S+\.yaml[^`|\n]*/g) ?? [];

/** Objects of the file that kubectl selects, by an equality of one label, as the commands have it. */
function selected(command: string): readonly string[] {
  const [, key, value] = /\s-l\s+([^\s=]+)=(\S+)/.exec(command) ?? [];
  if (key === undefined) return [];
  return objects.filter(({ metadata }) => metadata.labels?.[key] === value).map(idOf);
}

describe("NC-3: the one file of a release", () => {
  const [product = "", nodeSide = "", ...others] = deletions(readRepositoryFile(UNINSTALL)).filter((command) => command.includes(FILE));

  test("NC-3: is taken away by two commands, without a CRD, and without anything else that stays", () => {
    assert.deepEqual(others, []);
    const gone = [product, nodeSide].flatMap(selected);
    assert.deepEqual(
      gone.toSorted(),
      objects
        .filter((object) => !isDefinition(object))
        .map(idOf)
        .toSorted(),
    );
    assert.equal(objects.filter(isDefinition).length, 3);
  });

  test("NC-3: keeps the driver and the provider with the first command, for pods that mount classes", () => {
    const kept = parseManifests(releaseManifests(VERSION, undefined, { nodeSide: false })).filter((object) => !isDefinition(object));
    assert.deepEqual(selected(product).toSorted(), kept.map(idOf).toSorted());
    for (const name of ["CSIDriver /secrets-store.csi.k8s.io", "DaemonSet kube-system/csi-secrets-store"])
      assert.ok(selected(nodeSide).includes(name), name);
  });

  test("NC-3: is deleted by no page as a whole, and the file itself says how to delete it", () => {
    for (const page of globSync("docs/**/*.md", { cwd: REPOSITORY })) {
      for (const command of deletions(readRepositoryFile(page))) assert.match(command, / -l /, page);
    }
    const [comment = ""] = releaseManifests(VERSION, undefined, { nodeSide: true }).split("\n");
    assert.match(comment, /^# .*-l app\.kubernetes\.io\/name=keyvault-injector/);
  });

  test("NC-3: is warned of on both pages, and applied whole to upgrade", () => {
    const [uninstall, upgrade] = [UNINSTALL, "docs/how-to/upgrade.md"].map((page) => readRepositoryFile(page).replaceAll(/\s+/g, " "));
    assert.match(uninstall ?? "", /without `-l`[^.]*deletes the CRDs, and with them every class/i);
    assert.match(upgrade ?? "", new RegExp(`kubectl apply -f ${FILE.replaceAll(".", "\\.")}`));
    assert.match(upgrade ?? "", /kubectl delete -f`[^.]* deletes the CRDs, and with them every class/);
  });
});
