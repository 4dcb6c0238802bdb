import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../../src/cli/doctor/checks/check.ts";
import { POLICIES } from "../../src/cli/doctor/checks/install.ts";
import { CLUSTER_NEEDS, OWN_NEEDS } from "../../src/cli/doctor/checks/rights.ts";
import { EXPLAIN_REASONS, STEP_TOPICS } from "../../src/cli/explain/explanation.ts";
import { COMMANDS } from "../../src/cli/program.ts";
import { RESTORE_ACTIONS, SNAPSHOT_STATES } from "../../src/cli/restore/snapshots.ts";
import type { Command } from "../../src/cli/shared/command.ts";
import { OPTIONS, type Option } from "../../src/cli/shared/options.ts";
import { TARGET_KINDS } from "../../src/cli/shared/resources.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { EVIDENCE, VERSION_STATES } from "../../src/domain/where/usage.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runOffline } from "../support/cli/cli.ts";
import { at, listAt, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";

const PAGE = "docs/reference/cli.md";

/**
 * One line of text for each row: the command that the row belongs to, the words of the first cell, and, in two of the tables, the
 * words of the second cell.
 */
function rowsOf(markdown: string, column: string): readonly string[] {
  const isPair = column === "Option" || column === "Outcome";
  return tables(markdown)
    .filter(({ header }) => header[0] === column)
    .flatMap(({ under, rows }) =>
      rows.map(([first = "", second = ""]) => {
        const words = [...codeSpans(first), ...(isPair ? codeSpans(second) : [])];
        return `${under.at(-1)?.replaceAll("`", "") ?? ""}: ${words.join(" ")}`;
      }),
    );
}

const flagsOf = ({ name, options }: Command): readonly string[] =>
  options.map((option) => {
    const { short, value }: Option = OPTIONS[option];
    return `${name}: ${short === undefined ? "" : `-${short} `}--${option} ${value ?? ""}`.trim();
  });

const FACTS: readonly { readonly column: string; readonly code: readonly string[] }[] = [
  { column: "Command", code: COMMANDS.map(({ name }) => `Command line: ${name}`) },
  { column: "Option", code: COMMANDS.flatMap(flagsOf) },
  { column: "Step", code: STEP_TOPICS.map((topic) => `explain: ${topic}`) },
  { column: "Snapshot", code: Object.keys(SNAPSHOT_STATES).map((state) => `restore: ${state}`) },
  { column: "Restored", code: Object.keys(RESTORE_ACTIONS).map((action) => `restore: ${action}`) },
  { column: "State", code: Object.keys(VERSION_STATES).map((state) => `where: ${state}`) },
  { column: "Known by", code: Object.keys(EVIDENCE).map((evidence) => `where: ${evidence}`) },
  { column: "Outcome", code: Object.entries(EXPLAIN_REASONS).map(([reason, outcome]) => `explain: ${outcome} ${reason}`) },
];

describe("the page of the command line", () => {
  for (const { column, code } of FACTS) {
    test(`has every ${column.toLowerCase()} of the code, and no other`, () => {
      assert.deepEqual([...rowsOf(readRepositoryFile(PAGE), column)].sort(), [...code].sort());
    });

    test(`would be told apart by a ${column.toLowerCase()} that is removed or renamed`, () => {
      const lines = readRepositoryFile(PAGE).split("\n");
      for (const fact of code) {
        const word = fact.split(" ").find((part) => part.startsWith("--")) ?? fact.split(" ").at(-1) ?? "";
        const section = lines.indexOf(`## \`${fact.split(":")[0] ?? ""}\``);
        const row = lines.findIndex((line, index) => index > section && line.startsWith("|") && line.includes(`\`${word}\``));
        assert.ok(row > 0, fact);
        assert.notDeepEqual([...rowsOf(lines.toSpliced(row, 1).join("\n"), column)].sort(), [...code].sort(), fact);
      }
    });
  }

  test("has every check of doctor in its order", () => {
    const rows = tables(readRepositoryFile(PAGE)).find(({ header }) => header[0] === "Check")?.rows ?? [];

    assert.deepEqual(
      rows.flatMap(([first = ""]) => codeSpans(first)),
      CHECKS,
    );
  });

  test("names every kind that explain takes", () => {
    for (const kind of TARGET_KINDS) assert.ok(readRepositoryFile(PAGE).includes(`\`${kind}\``), kind);
  });
});

describe("--help of a command", () => {
  for (const command of COMMANDS) {
    test(`${command.name} has its summary, its options and its exit codes`, async () => {
      const { code, output, notes } = await runOffline([command.name, "--help"]);

      assert.deepEqual([code, notes], [0, []]);
      assert.ok(output.startsWith(`${command.summary}\n`));
      for (const option of [...command.options, "help"]) assert.ok(output.includes(`--${option}`), option);
      assert.match(output, /^Exit code: 0/m);
      assert.ok(output.split("\n").every((line) => line.length <= 140));
    });
  }
});

describe("doctor knows", () => {
  test("every policy that is shipped, and what its binding does", () => {
    const files = listAt(parseManifests(readRepositoryFile("manifests/policies/kustomization.yaml"))[0], "resources").map(String);
    const bindings = files
      .flatMap((file) => readManifests(`policies/${file}`))
      .filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
    const shipped = bindings.map((binding) => [at(binding, "spec", "policyName"), listAt(binding, "spec", "validationActions")[0]]);

    assert.deepEqual(Object.fromEntries(shipped), POLICIES);
  });

  test("only rights that the manifests give the worker", () => {
    const roles = readManifests("base/sync-rbac.yaml").filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
    const isGranted = (verb: string, group: string, resource: string): boolean =>
      roles
        .flatMap((role) => listAt(role, "rules"))
        .some(
          (rule) =>
            listAt(rule, "verbs").includes(verb) &&
            listAt(rule, "apiGroups").includes(group) &&
            listAt(rule, "resources").includes(resource),
        );
    const settings = settingsOf(undefined);
    const needs = [...CLUSTER_NEEDS, ...OWN_NEEDS].filter(({ isUsed = () => true }) => isUsed(settings));
    const missing = needs.flatMap(({ verbs, right: { group, resource } }) =>
      verbs.filter((verb) => !isGranted(verb, group, resource)).map((verb) => `${verb} ${resource}`),
    );

    assert.deepEqual(missing, []);
    assert.ok(!isGranted("delete", "secrets-store.csi.x-k8s.io", "secretproviderclasses"));
  });
});
