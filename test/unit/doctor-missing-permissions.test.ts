import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { missingRules, permissionsYaml, READ_KINDS } from "../../src/cli/doctor/missing-permissions.ts";
import { MORE_RESOURCES } from "../../src/cli/shared/resources.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";

interface RbacDocument {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly object[];
}

test("Secrets are asked for by their names, in their namespaces, and the CA's not among them", () => {
  const secret = (namespace: string, name: string) => ({ verb: "get" as const, resource: RESOURCES.secrets, ref: { namespace, name } });
  const rules = missingRules([secret("b", "z"), secret("a", "y"), secret("b", "x"), secret("b", "z"), secret("b", "keyvault-injector-ca")]);
  const documents = permissionsYaml(rules, "kim")
    .split("---\n")
    .map((document) => parse(document) as RbacDocument); // Doctor writes only such documents.
  const reported = documents.map(({ kind, metadata: { namespace }, rules: own = [] }) => [kind, namespace, own]);
  const rule = (names: readonly string[]) => ({ apiGroups: [""], resources: ["secrets"], resourceNames: names, verbs: ["get"] });

  assert.deepEqual(reported, [
    ["Role", "a", [rule(["y"])]],
    ["RoleBinding", "a", []],
    ["Role", "b", [rule(["x", "z"])]],
    ["RoleBinding", "b", []],
  ]);
});

/** Kinds that need no rule of their own here: every user may create the reviews, and doctor requests Secrets by their names. */
const WITHOUT_ROLE = new Set(["selfSubjectReviews", "selfSubjectAccessReviews", "secrets"]);

test("NW-H1: where one kind is refused, all are asked for that doctor looks at, so that no second round is needed", () => {
  const root = path.resolve(import.meta.dirname, "../..");
  const files = ["src/cli/doctor", "src/cli/shared"].flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  const text = files
    .filter((file) => !/missing-permissions|shared\/resources/.test(file))
    .map((file) => readFileSync(path.join(root, file), "utf8"))
    .join("\n");
  const named = new Set([...text.matchAll(/\b(?:MORE_)?RESOURCES\.(\w+)/g)].map(([, name = ""]) => name));
  assert.ok(named.size > 20, "the files were read");
  const known: Readonly<Record<string, { readonly group: string; readonly plural: string }>> = { ...RESOURCES, ...MORE_RESOURCES };
  const asked = new Set(READ_KINDS.map(({ group, plural }) => `${group}/${plural}`));
  const missing = [...named].filter((name) => {
    const { group = "", plural = name } = known[name] ?? {};
    return !WITHOUT_ROLE.has(name) && !asked.has(`${group}/${plural}`);
  });
  assert.deepEqual(missing, []);

  const [rule] = missingRules([{ resource: RESOURCES.leases, ref: {} }]);
  assert.ok(rule !== undefined && missingRules([{ resource: RESOURCES.leases, ref: {} }]).length > 5);
});
