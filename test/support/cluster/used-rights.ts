import { appendFileSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isScalar, isSeq, parseAllDocuments, type Scalar, visit } from "yaml";
import { REPOSITORY } from "../../../tools/repository-files.ts";
import { type AuditEntry, isProbe } from "./audit.ts";

/** One right that one of our accounts used, without the namespace, because the namespaces of tests do not matter. */
export interface UsedRight {
  /** `webhook` or `sync`. */
  readonly component: string;
  readonly verb: string;
  /** `group/resource[/subresource]`, the core group as `resource`. */
  readonly resource: string;
  /** Only names that a role contains. `*` represents all other names, and no name. */
  readonly name: string;
}

const MANIFESTS = path.join(REPOSITORY, "manifests");
const ACCOUNT = /^system:serviceaccount:[^:]+:keyvault-injector-(\w+)$/;
/** User agents of our processes. Tests use the accounts too, to check that requests are forbidden. */
const PROCESS = /^keyvault-injector-(webhook|sync)\//;
/** User agents of a release from which a test upgrades, because it had other roles. */
const FORMER = /^keyvault-injector-\w+\/0\.1\./;

/** Read only once, because a process may stop many API servers. */
let names: ReadonlySet<string> | undefined;

/** Every resource name in a role of the manifests, or in a patch of a role. */
function namesInRoles(): ReadonlySet<string> {
  const files = globSync(["base/**/*.yaml", "components/**/*.yaml", "overlays/**/*.yaml"], { cwd: MANIFESTS });
  return new Set(files.flatMap((file) => resourceNamesIn(readFileSync(path.join(MANIFESTS, file), "utf8"))));
}

/** A kustomization contains its patches as text. */
function resourceNamesIn(text: string): readonly string[] {
  const names: string[] = [];
  for (const document of parseAllDocuments(text))
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key)) return;
        if (key.value === "resourceNames" && isSeq<Scalar>(value)) names.push(...value.items.map(String));
        if (key.value === "patch" && isScalar(value)) names.push(...resourceNamesIn(String(value.value)));
      },
    });
  return names;
}

/** Git ignores this folder. The suites of a run add to it. A run that counts the rights must first empty it. */
export function resultsFolder(): string {
  return process.env["KEYVAULT_INJECTOR_RESULTS"] ?? path.join(REPOSITORY, "results", "rights");
}

/** Records the rights that our processes used, according to an API server's requests, without rejected ones. */
export function leaveUsedRights(requests: readonly AuditEntry[]): void {
  // Policies reject probes. The API server evaluates policies only after RBAC has allowed the request, so that a probe used its right.
  const isCounted = (entry: AuditEntry): boolean =>
    isProbe(entry) || (PROCESS.test(entry.userAgent) && !FORMER.test(entry.userAgent) && entry.code !== 403);
  const lines = new Set(requests.filter(isCounted).flatMap((entry) => linesOf(entry, (names ??= namesInRoles()))));
  if (lines.size === 0) return;
  mkdirSync(resultsFolder(), { recursive: true });
  // One file for each process, because suites run at the same time.
  appendFileSync(path.join(resultsFolder(), `${process.pid}.txt`), `${[...lines].join("\n")}\n`);
}

function linesOf({ user, verb, resource, name, code }: AuditEntry, names: ReadonlySet<string>): readonly string[] {
  const [, component] = ACCOUNT.exec(user) ?? [];
  if (component === undefined || resource === "") return [];
  // An apply that creates the object is a patch in the log, but needs both rights.
  const verbs = verb === "patch" && code === 201 ? ["patch", "create"] : [verb];
  return verbs.map((each) => `${component} ${each} ${resource} ${names.has(name) ? name : "*"}`);
}

/** All rights that the suites of the run recorded. */
export function usedRights(folder = resultsFolder()): readonly UsedRight[] {
  if (!existsSync(folder)) return [];
  const lines = readdirSync(folder).flatMap((file) => readFileSync(path.join(folder, file), "utf8").split("\n"));
  return [...new Set(lines)].filter(Boolean).map((line) => {
    const [component = "", verb = "", resource = "", name = ""] = line.split(" ");
    return { component, verb, resource, name };
  });
}
