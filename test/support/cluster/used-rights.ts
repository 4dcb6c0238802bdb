import { appendFileSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isScalar, isSeq, parseAllDocuments, type Scalar, visit } from "yaml";
import { REPOSITORY } from "../../../tools/repository-files.ts";
import { type AuditEntry, isProbe } from "./audit.ts";

/** One right that one of our accounts used: nobody looks at who was asked for what of a namespace of a test. */
export interface UsedRight {
  /** `webhook`, `sync`. */
  readonly component: string;
  readonly verb: string;
  /** `group/resource[/subresource]`, the core group as `resource`. */
  readonly resource: string;
  /** Only names that a role may name; `*` stands for all others, and for none. */
  readonly name: string;
}

const MANIFESTS = path.join(REPOSITORY, "manifests");
const ACCOUNT = /^system:serviceaccount:[^:]+:keyvault-injector-(\w+)$/;
/** Of our processes. Tests use the accounts too, to try what is forbidden. */
const PROCESS = /^keyvault-injector-(webhook|sync)\//;
/** A release that a test upgrades from: it had other roles. */
const FORMER = /^keyvault-injector-\w+\/0\.1\./;

/** Read once: a process may stop many API servers. */
let names: ReadonlySet<string> | undefined;

/** Every name that a role of the manifests names, in one of its own or by a patch of it. */
function namesInRoles(): ReadonlySet<string> {
  const files = globSync(["base/**/*.yaml", "components/**/*.yaml", "overlays/**/*.yaml"], { cwd: MANIFESTS });
  return new Set(files.flatMap((file) => resourceNamesIn(readFileSync(path.join(MANIFESTS, file), "utf8"))));
}

/** A kustomization holds its patches as text. */
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

/** Ignored by Git. Suites of one run add to it; whoever starts a run that counts them empties it first. */
export function resultsFolder(): string {
  return process.env["KEYVAULT_INJECTOR_RESULTS"] ?? path.join(REPOSITORY, "results", "rights");
}

/** Adds what our processes did by the requests to an API server, refused ones left out. */
export function leaveUsedRights(requests: readonly AuditEntry[]): void {
  // A policy refuses probes, which is asked only where RBAC has agreed.
  const isCounted = (entry: AuditEntry): boolean =>
    isProbe(entry) || (PROCESS.test(entry.userAgent) && !FORMER.test(entry.userAgent) && entry.code !== 403);
  const lines = new Set(requests.filter(isCounted).flatMap((entry) => linesOf(entry, (names ??= namesInRoles()))));
  if (lines.size === 0) return;
  mkdirSync(resultsFolder(), { recursive: true });
  // A file for each process: suites run side by side.
  appendFileSync(path.join(resultsFolder(), `${process.pid}.txt`), `${[...lines].join("\n")}\n`);
}

function linesOf({ user, verb, resource, name, code }: AuditEntry, names: ReadonlySet<string>): readonly string[] {
  const [, component] = ACCOUNT.exec(user) ?? [];
  if (component === undefined || resource === "") return [];
  // An apply that makes the object is a patch to the log, and asks RBAC for both.
  const verbs = verb === "patch" && code === 201 ? ["patch", "create"] : [verb];
  return verbs.map((each) => `${component} ${each} ${resource} ${names.has(name) ? name : "*"}`);
}

/** Everything that the suites of the run have left. */
export function usedRights(folder = resultsFolder()): readonly UsedRight[] {
  if (!existsSync(folder)) return [];
  const lines = readdirSync(folder).flatMap((file) => readFileSync(path.join(folder, file), "utf8").split("\n"));
  return [...new Set(lines)].filter(Boolean).map((line) => {
    const [component = "", verb = "", resource = "", name = ""] = line.split(" ");
    return { component, verb, resource, name };
  });
}
