import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type AuditEntry, parseAudit, probesIn } from "./audit.ts";
import { REPOSITORY } from "./repository-files.ts";

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

const ACCOUNT = /^system:serviceaccount:[^:]+:keyvault-injector-(\w+)$/;
/** Of our processes. Tests use the accounts too, to try what is forbidden. */
const PROCESS = /^keyvault-injector-(webhook|sync)\//;
/** Of objects of the product, of the definitions and of the cluster; other names are made up by tests. */
const NAMED = /^(keyvault-injector.*|secrets-store-creds|kube-system|secretproviderclass\w+\..*|.*\.keyvault-injector\.dev)$/;

/** Ignored by Git. Suites of one run add to it; whoever starts a run that counts them empties it first. */
export function resultsFolder(): string {
  return process.env["KEYVAULT_INJECTOR_RESULTS"] ?? path.join(REPOSITORY, "results", "rights");
}

/** Adds what our processes did by an API server's audit log, refused requests left out. A log that is not there is of nobody. */
export function leaveUsedRights(auditLog: string): void {
  if (!existsSync(auditLog)) return;
  const log = readFileSync(auditLog, "utf8");
  const done = parseAudit(log).filter(({ userAgent, code }) => PROCESS.test(userAgent) && code !== 403);
  // A policy refuses these, which is asked only where RBAC has agreed.
  const lines = new Set([...done, ...probesIn(log)].flatMap(lineOf));
  if (lines.size === 0) return;
  mkdirSync(resultsFolder(), { recursive: true });
  // A file for each process: suites run side by side.
  appendFileSync(path.join(resultsFolder(), `${process.pid}.txt`), `${[...lines].join("\n")}\n`);
}

function lineOf({ user, verb, resource, name, code }: AuditEntry): readonly string[] {
  const [, component] = ACCOUNT.exec(user) ?? [];
  if (component === undefined || resource === "") return [];
  // An apply that makes the object is a patch to the log, and asks RBAC for both.
  const verbs = verb === "patch" && code === 201 ? ["patch", "create"] : [verb];
  return verbs.map((each) => `${component} ${each} ${resource} ${NAMED.test(name) ? name : "*"}`);
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
