import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests } from "../support/cluster/shipped-manifests.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";

/** The pages about the rights and their consequences. */
const page = ["docs/reference/permissions.md", "docs/security/rights.md"].map(readRepositoryFile).join("\n");

/** Sources of the manifests that users apply. The chart has its own tests, and the releases are rendered from these sources. */
const objects = globSync("**/*.yaml", { cwd: MANIFESTS, exclude: ["releases/**", "helm/**", "examples/**"] })
  .sort()
  .flatMap((file) => parseManifests(readFileSync(path.join(MANIFESTS, file), "utf8")));

const strings = (value: unknown, ...steps: readonly string[]): readonly string[] => listAt(value, ...steps).map(String);

/** Returns one line for each rule and resource: subject, verbs, resource, names, and scope. */
function rightsIn(manifests: readonly Manifest[]): readonly string[] {
  return manifests
    .filter(({ kind }) => kind === "Role" || kind === "ClusterRole")
    .flatMap((role) => {
      const binding = manifests.find(
        (each) =>
          each.kind === `${role.kind}Binding` &&
          at(each, "roleRef", "name") === role.metadata.name &&
          each.metadata.namespace === role.metadata.namespace,
      );
      const whose = binding === undefined ? "Roles for people" : String(at(binding, "subjects", 0, "name"));
      const scope = binding === undefined ? `where bound, ${role.metadata.name}` : (role.metadata.namespace ?? "cluster");
      return listAt(role, "rules").flatMap((rule) =>
        strings(rule, "resources").map((resource) => {
          const [group = ""] = strings(rule, "apiGroups");
          const names = [...new Set(strings(rule, "resourceNames").map(withoutShard))].join(" ") || "all";
          return `${whose}: ${strings(rule, "verbs").join(" ")}, ${resource}${group === "" ? "" : `.${group}`}, ${names}, ${scope}`;
        }),
      );
    });
}

/** The Leases of all shards share one row. */
function withoutShard(name: string): string {
  return name.replace(/^keyvault-injector-sync-\d+$/, "keyvault-injector-sync-<shard>");
}

function rightsOnPage(markdown: string): readonly string[] {
  return tables(markdown)
    .filter(({ header }) => header[0] === "Verbs" && header[2] !== "With")
    .flatMap(({ under, header, rows }) =>
      rows.map(([verbs = "", resource = "", names = "", scope = "", last = ""]) => {
        const where = header[4] === "ClusterRole" ? `${scope}, ${codeSpans(last)[0]}` : (codeSpans(scope)[0] ?? scope);
        const named = codeSpans(names).join(" ") || names;
        return `${under.at(-1)}: ${codeSpans(verbs)[0]}, ${codeSpans(resource)[0]}, ${named}, ${where}`;
      }),
    );
}

function assertSame(markdown: string, manifests: readonly Manifest[]): void {
  assert.deepEqual([...rightsOnPage(markdown)].sort(), [...rightsIn(manifests)].sort());
}

describe("the page of rights", () => {
  test("has every right that a role of the manifests grants, and no other", () => assertSame(page, objects));

  test("is compared in earnest: a row less, a verb more, a role more is noticed", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `") && !line.includes("serviceaccounts/token` of"));
    const rights = rows.filter((row) => rightsOnPage(page.replace(`${row}\n`, "")).length < rightsOnPage(page).length);
    assert.equal(rights.length, rightsIn(objects).length);
    for (const row of rights) {
      assert.throws(() => assertSame(page.replace(`${row}\n`, ""), objects), assert.AssertionError);
      assert.throws(() => assertSame(page.replace(row, row.replace("`", "`escalate ")), objects), assert.AssertionError);
    }
    const [role] = objects.filter(({ kind }) => kind === "ClusterRole");
    assert.ok(role);
    assert.throws(() => assertSame(page, [...objects, { ...role, metadata: { name: "more" } }]), assert.AssertionError);
  });

  test("has every right that a component adds to the role, and no other", () => {
    const added = globSync("components/*/rights/kustomization.yaml", { cwd: MANIFESTS }).flatMap((file) => {
      const [component] = parseManifests(readFileSync(path.join(MANIFESTS, file), "utf8"));
      return listAt(component, "patches").flatMap((patch) =>
        parseManifests(String(at(patch, "patch"))).flatMap((operations) =>
          listAt(operations)
            .filter((operation) => at(operation, "path") === "/rules/-")
            .map((operation) => {
              const rule = at(operation, "value");
              const group = strings(rule, "apiGroups").join();
              const resource = `${strings(rule, "resources").join()}${group === "" ? "" : `.${group}`}`;
              return `${strings(rule, "verbs").join(" ")}, ${resource}, manifests/${path.dirname(path.dirname(file))}`;
            }),
        ),
      );
    });
    const onPage = tables(page)
      .filter(({ header }) => header[0] === "Verbs" && header[2] === "With")
      .flatMap(({ rows }) =>
        rows.map((row) =>
          row
            .slice(0, 3)
            .map((cell) => codeSpans(cell)[0])
            .join(", "),
        ),
      );

    assert.equal(added.length, 7);
    assert.deepEqual(onPage.toSorted(), added.toSorted());
  });

  test("names every policy that limits an identity, each of which exists", () => {
    const policies = objects.filter(({ kind }) => kind === "ValidatingAdmissionPolicy").map(({ metadata }) => metadata.name);
    const limiting = policies.filter((name) => /-(sync|webhook)-/.test(name));
    const named = codeSpans(page).filter((span) => /^keyvault-injector-(sync|webhook)-(?!key$|<shard>$)/.test(span));

    assert.ok(limiting.length >= 4);
    assert.deepEqual([...new Set(named)].sort(), [...limiting].sort());
  });
});

describe("the webhook's account", () => {
  test("reads no Secret but its CA, writes nothing but that and its own configurations, each by name", () => {
    const rights = rightsIn(objects).filter((line) => line.startsWith("keyvault-injector-webhook: "));
    const secrets = rights.filter((line) => / secrets,/.test(line));
    const writes = rights.filter((line) => /create|update|patch|delete/.test(line));

    assert.deepEqual(secrets, ["keyvault-injector-webhook: get list watch create patch, secrets, keyvault-injector-ca, keyvault-injector"]);
    assert.ok(rights.length > writes.length);
    for (const line of writes) {
      assert.match(line, /, (secrets, keyvault-injector-ca|(mutating|validating)webhookconfigurations\.\S+, keyvault-injector), /);
    }
  });
});

/** Fields that decide who acts on a Secret: its type, its owners (which delete it), and its finalizers (which keep it). */
const DECISIVE = {
  type: /\bobject\.\??type\b/,
  owners: /\bobject\.metadata\.\?ownerReferences\b/,
  finalizers: /\bobject\.metadata\.\?finalizers\b/,
};

/** Returns the fields for which no policy in force limits the values that the account may write. */
function openTo(account: string, manifests: readonly Manifest[]): readonly string[] {
  const isBound = ({ metadata }: Manifest): boolean =>
    manifests.some(
      (each) =>
        each.kind === "ValidatingAdmissionPolicyBinding" &&
        at(each, "spec", "policyName") === metadata.name &&
        strings(each, "spec", "validationActions").includes("Deny"),
    );
  const isAbout = (policy: Manifest): boolean => {
    const conditions = listAt(policy, "spec", "matchConditions").map((condition) => String(at(condition, "expression")));
    const isOfAccount = conditions.length === 1 && conditions[0]?.endsWith(`:${account}'`) === true;
    const isOfSecrets = listAt(policy, "spec", "matchConstraints", "resourceRules").some(
      (rule) =>
        strings(rule, "resources").includes("secrets") &&
        ["CREATE", "UPDATE"].every((operation) => strings(rule, "operations").includes(operation)),
    );
    return isOfAccount && isOfSecrets && at(policy, "spec", "failurePolicy") === "Fail";
  };
  const rules = manifests
    .filter((each) => each.kind === "ValidatingAdmissionPolicy" && isAbout(each) && isBound(each))
    .flatMap((policy) => listAt(policy, "spec", "validations").map((validation) => String(at(validation, "expression"))));
  return Object.entries(DECISIVE).flatMap(([what, words]) => (rules.some((rule) => words.test(rule)) ? [] : [what]));
}

describe("every account of ours that may write Secrets", () => {
  const writers = rightsIn(objects).flatMap((line) => /^(.+?): [^,]*(?:create|update|patch)[^,]*, secrets,/.exec(line)?.[1] ?? []);

  test("PW-1: is one of two", () => {
    assert.deepEqual([...new Set(writers)].sort(), ["keyvault-injector-sync", "keyvault-injector-webhook"]);
  });

  for (const account of new Set(writers)) {
    test(`PW-1: is told by a policy of which type, with which owners and finalizers: ${account}`, () => {
      assert.deepEqual(openTo(account, objects), []);
    });
  }

  test("PW-1: is seen to be told nothing without its policy, its binding, or one of the rules", () => {
    const account = "keyvault-injector-webhook";
    const policy = (each: Manifest): boolean => at(each, "metadata", "name") === "keyvault-injector-webhook-secrets";
    const without = (kind: string): readonly Manifest[] => objects.filter((each) => !(policy(each) && each.kind === kind));
    const all = Object.keys(DECISIVE);

    assert.deepEqual(openTo(account, without("ValidatingAdmissionPolicy")), all);
    assert.deepEqual(openTo(account, without("ValidatingAdmissionPolicyBinding")), all);
    const typeless = objects.map((each) =>
      policy(each) ? (JSON.parse(JSON.stringify(each).replaceAll("object.?type", "x")) as Manifest) : each,
    ); // The JSON text is a copy of a Manifest.
    assert.deepEqual(openTo(account, typeless), ["type"]);
  });
});
